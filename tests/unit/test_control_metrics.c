/* test_control_metrics.c - the text that Prometheus reads, read back line by line. */
#include "tests/unit/test_control_fakes.h"
#include "tests/unit/runner.h"
#include "daemon/control/metrics.h"
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>

static gchar *print(void)
{
    const AdminContext context = fake_context(NULL, NULL);
    GString *out = g_string_new(NULL);
    metrics_print(out, &context);
    return g_string_free(out, FALSE);
}

/* The number behind `sample`, a metric with its labels; the line must be there just once. */
static gint64 value_of(const gchar *text, const gchar *sample)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    const gchar *found = NULL;
    for (guint i = 0; lines[i] != NULL; i++) {
        if (!g_str_has_prefix(lines[i], sample) || lines[i][strlen(sample)] != ' ')
            continue;
        ck_assert_msg(found == NULL, "%s is there twice", sample);
        found = lines[i] + strlen(sample) + 1;
    }
    gint64 value = 0;
    ck_assert_msg(found != NULL, "%s is missing", sample);
    ck_assert(g_ascii_string_to_signed(found, 10, G_MININT64, G_MAXINT64, &value, NULL));
    return value;
}

START_TEST(every_daemon_counter_shows_its_own_number)
{
    for (guint i = 0; i < DAEMON_COUNTERS; i++)
        fake.daemon.daemon[i] = 100 + i;
    g_autofree gchar *text = print();
    for (guint i = 0; i < DAEMON_COUNTERS; i++) {
        const CounterInfo *info = &daemon_counter_info[i];
        g_autofree gchar *sample = info->label[0] == '\0'
                                       ? g_strdup(info->metric)
                                       : g_strdup_printf("%s{%s}", info->metric, info->label);
        ck_assert_int_eq(value_of(text, sample), 100 + i);
    }
}
END_TEST

static void assert_service_numbers(const gchar *text, const gchar *service, gint64 first)
{
    for (guint i = 0; i < SERVICE_COUNTERS; i++) {
        const CounterInfo *info = &service_counter_info[i];
        g_autofree gchar *sample = g_strdup_printf("%s{service=\"%s\"%s%s}", info->metric, service,
                                                   info->label[0] == '\0' ? "" : ",", info->label);
        ck_assert_int_eq(value_of(text, sample), first + i);
    }
}

START_TEST(every_service_counter_shows_each_services_own_number)
{
    Service *shop = fake_add_service((gchar *)"shop"), *bank = fake_add_service((gchar *)"bank");
    for (guint i = 0; i < SERVICE_COUNTERS; i++) {
        shop->stats.service[i] = 1000 + i;
        bank->stats.service[i] = 2000 + i;
        fake.unknown.service[i] = 3000 + i;
    }
    g_autofree gchar *text = print();
    assert_service_numbers(text, "shop", 1000);
    assert_service_numbers(text, "bank", 2000);
    assert_service_numbers(text, "", 3000);
}
END_TEST

/* What the format demands: HELP, TYPE, then all samples of a metric, and no metric twice. */
START_TEST(each_metric_is_one_block_with_one_head)
{
    fake_add_service((gchar *)"shop");
    fake_add_service((gchar *)"bank");
    g_autofree gchar *text = print();
    ck_assert(g_str_has_suffix(text, "\n"));
    text[strlen(text) - 1] = '\0';
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; lines[i] != NULL;) {
        g_auto(GStrv) help = g_strsplit(lines[i++], " ", 4);
        ck_assert_str_eq(help[0], "#");
        ck_assert_str_eq(help[1], "HELP");
        const gchar *metric = help[2];
        ck_assert_msg(g_hash_table_add(seen, g_strdup(metric)), "%s comes twice", metric);
        const gboolean total = g_str_has_suffix(metric, "_total");
        g_autofree gchar *type =
            g_strdup_printf("# TYPE %s %s", metric, total ? "counter" : "gauge");
        ck_assert_str_eq(lines[i++], type);
        g_autofree gchar *pattern =
            g_strdup_printf("^%s(\\{([a-z]+=\"[^\"\\\\]*\",?)+\\})? -?[0-9]+$", metric);
        guint samples = 0;
        for (; lines[i] != NULL && lines[i][0] != '#'; i++, samples++)
            ck_assert_msg(g_regex_match_simple(pattern, lines[i], 0, 0), "%s", lines[i]);
        ck_assert_uint_gt(samples, 0);
    }
}
END_TEST

START_TEST(a_name_cannot_break_out_of_its_label)
{
    fake_add_service((gchar *)"a\"b\\c\nd");
    g_autofree gchar *text = print();
    ck_assert_int_eq(value_of(text, "sluice_requests_queued{service=\"a\\\"b\\\\c\\nd\"}"), 0);
}
END_TEST

START_TEST(build_uptime_and_the_process_itself_are_shown)
{
    g_autofree gchar *text = print();
    ck_assert_int_eq(value_of(text, "sluice_build_info{version=\"" SLUICE_VERSION "\"}"), 1);
    ck_assert_int_ge(value_of(text, "sluice_uptime_seconds"), 90);
    ck_assert_int_gt(value_of(text, "process_resident_memory_bytes"), 100 * 1024);
}
END_TEST

START_TEST(open_descriptors_are_those_that_anybody_can_find)
{
    gint64 n_open = 0;
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            n_open++;
    g_autofree gchar *text = print();
    ck_assert_int_eq(value_of(text, "process_open_fds"), n_open);
}
END_TEST

START_TEST(without_a_free_descriptor_only_the_process_is_left_out)
{
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit none_free = { 0, limit.rlim_max };
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none_free), 0);
    g_autofree gchar *text = print();
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_ptr_null(strstr(text, "process_"));
    ck_assert_int_ge(value_of(text, "sluice_uptime_seconds"), 90);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("control_metrics");
    TCase *tcase = tcase_create("metrics");
    tcase_add_test(tcase, every_daemon_counter_shows_its_own_number);
    tcase_add_test(tcase, every_service_counter_shows_each_services_own_number);
    tcase_add_test(tcase, each_metric_is_one_block_with_one_head);
    tcase_add_test(tcase, a_name_cannot_break_out_of_its_label);
    tcase_add_test(tcase, build_uptime_and_the_process_itself_are_shown);
    tcase_add_test(tcase, open_descriptors_are_those_that_anybody_can_find);
    tcase_add_test(tcase, without_a_free_descriptor_only_the_process_is_left_out);
    suite_add_tcase(suite, tcase);
    return suite;
}
