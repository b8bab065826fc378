/* test_config_value.c - the text of one value becomes a field, or the reason why not. */
#include "tests/unit/runner.h"
#include "config/config.h"
#include "config/value.h"

static const ValueRule count = { VALUE_UINT, "1", "1024" };
static const ValueRule any_size = { VALUE_SIZE, "0", "9223372036854775807" };
static const ValueRule any_time = { VALUE_DURATION, "0", "2562047788h" };
static const ValueRule some_time = { VALUE_DURATION, "1ms", "24h" };

static const struct {
    const ValueRule *rule;
    const gchar *text;
    guint64 number;
    const gchar *wrong; /* NULL when the text is good */
} numbers[] = {
    { &count, "1", 1, NULL },
    { &count, "1024", 1024, NULL },
    { &count, "0007", 7, NULL },
    { &count, "0", 0, "out of range" },
    { &count, "1025", 0, "out of range" },
    { &count, "4294967297", 0, "out of range" },
    { &count, "9223372036854775807", 0, "out of range" },
    { &count, "9223372036854775808", 0, "too large" },
    { &count, "18446744073709551617", 0, "too large" },
    { &count, "", 0, "not a number" },
    { &count, "-1", 0, "not a number" },
    { &count, "+1", 0, "not a number" },
    { &count, "1 ", 0, "not understood after the digits" },
    { &count, "1.5", 0, "not understood after the digits" },
    { &count, "0x10", 0, "not understood after the digits" },
    { &count, "1K", 0, "not understood after the digits" },

    { &any_size, "0", 0, NULL },
    { &any_size, "0G", 0, NULL },
    { &any_size, "1", 1, NULL },
    { &any_size, "1K", 1024, NULL },
    { &any_size, "3M", 3145728, NULL },
    { &any_size, "2G", G_GUINT64_CONSTANT(2147483648), NULL },
    { &any_size, "8589934591G", G_GUINT64_CONSTANT(9223372035781033984), NULL },
    { &any_size, "8589934592G", 0, "too large" },
    { &any_size, "17179869185G", 0, "too large" },
    { &any_size, "1k", 0, "not understood after the digits" },
    { &any_size, "1KB", 0, "not understood after the digits" },
    { &any_size, "1 K", 0, "not understood after the digits" },
    { &any_size, "K", 0, "not a number" },

    { &any_time, "0", 0, NULL },
    { &any_time, "7us", 7, NULL },
    { &any_time, "7ms", 7000, NULL },
    { &any_time, "7s", 7000000, NULL },
    { &any_time, "7m", 420000000, NULL },
    { &any_time, "7h", G_GUINT64_CONSTANT(25200000000), NULL },
    { &any_time, "2562047788h", G_GUINT64_CONSTANT(9223372036800000000), NULL },
    { &any_time, "2562047789h", 0, "too large" },
    { &any_time, "18446744073709551615h", 0, "too large" },
    { &any_time, "7", 0, "no unit" },
    { &any_time, "9223372036854775808", 0, "no unit" },
    { &any_time, "7d", 0, "not understood after the digits" },
    { &any_time, "1h30m", 0, "not understood after the digits" },
    { &any_time, "s", 0, "not a number" },

    { &some_time, "1ms", 1000, NULL },
    { &some_time, "24h", G_GUINT64_CONSTANT(86400000000), NULL },
    { &some_time, "999us", 0, "out of range" },
    { &some_time, "0", 0, "out of range" },
    { &some_time, "1441m", 0, "out of range" },
};

static guint64 number_in(ValueType type, const void *field)
{
    if (type == VALUE_UINT)
        return *(const guint *)field;
    return type == VALUE_SIZE ? *(const guint64 *)field : (guint64) * (const gint64 *)field;
}

START_TEST(a_number_is_read_exactly_or_refused_with_the_reason)
{
    guint64 field = 0;
    g_autoptr(GError) error = NULL;
    gboolean is_good = value_parse(numbers[_i].rule, numbers[_i].text, &field, &error);
    ck_assert_msg(is_good == (numbers[_i].wrong == NULL), "'%s'", numbers[_i].text);
    ck_assert_uint_eq(number_in(numbers[_i].rule->type, &field), numbers[_i].number);
    if (!is_good)
        ck_assert_str_eq(error->message, numbers[_i].wrong);
}
END_TEST

START_TEST(only_the_words_true_and_false_are_truths)
{
    static const ValueRule rule = { VALUE_BOOL, NULL, NULL };
    gboolean field = FALSE;
    ck_assert(value_parse(&rule, "true", &field, NULL) && field);
    ck_assert(value_parse(&rule, "false", &field, NULL) && !field);
    static const gchar *const others[] = { "", "yes", "1", "True", "true " };
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
        ck_assert(!value_parse(&rule, others[i], &field, NULL));
}
END_TEST

START_TEST(log_levels_are_those_of_glib)
{
    static const ValueRule rule = { VALUE_LOG_LEVEL, NULL, NULL };
    static const struct {
        const gchar *text;
        GLogLevelFlags level;
    } levels[] = {
        { "error", G_LOG_LEVEL_CRITICAL }, { "warning", G_LOG_LEVEL_WARNING },
        { "notice", G_LOG_LEVEL_MESSAGE }, { "info", G_LOG_LEVEL_INFO },
        { "debug", G_LOG_LEVEL_DEBUG },
    };
    GLogLevelFlags field = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(levels); i++) {
        ck_assert(value_parse(&rule, levels[i].text, &field, NULL));
        ck_assert_int_eq(field, levels[i].level);
    }
    ck_assert(!value_parse(&rule, "critical", &field, NULL));
}
END_TEST

START_TEST(a_value_replaces_the_one_before_and_a_bad_one_leaves_it)
{
    static const ValueRule path = { VALUE_PATH, NULL, NULL };
    gchar *text = NULL;
    ck_assert(value_parse(&path, "/a", &text, NULL));
    ck_assert(value_parse(&path, "/b", &text, NULL));
    ck_assert(!value_parse(&path, "b", &text, NULL));
    ck_assert_str_eq(text, "/b");
    value_clear(VALUE_PATH, &text);
    ck_assert_ptr_null(text);

    static const ValueRule listen = { VALUE_LISTENERS, NULL, NULL };
    GPtrArray *listeners = NULL;
    ck_assert(value_parse(&listen, "unix:/a", &listeners, NULL));
    ck_assert(value_parse(&listen, "tcp://b:1 ; tcp://c:1", &listeners, NULL));
    ck_assert(!value_parse(&listen, "tcp://b:1;", &listeners, NULL));
    ck_assert_uint_eq(listeners->len, 2);
    value_clear(VALUE_LISTENERS, &listeners);
    ck_assert_ptr_null(listeners);
}
END_TEST

#define NO_PORT "no port from 0 to 65535 at the end"
#define NO_HOST "the host is neither a name, an IPv4 nor an IPv6 in brackets"
#define NO_PATH "the path is not absolute, or longer than 107 bytes"
#define A50     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    const gchar *text;
    const gchar *host; /* or the path; NULL when the address is refused */
    guint port;
    const gchar *wrong;
} addresses[] = {
    { "tcp://127.0.0.1:9090", "127.0.0.1", 9090, NULL },
    { "tcp://localhost:0", "localhost", 0, NULL },
    { "tcp://a-b_c.example.:65535", "a-b_c.example.", 65535, NULL },
    { "tcp://[::]:1", "::", 1, NULL },
    { "tcp://[fe80::1%eth0]:1", "fe80::1%eth0", 1, NULL },
    { "unix:/run/sluice/s.sock", "/run/sluice/s.sock", 0, NULL },
    { "unix:/12345" A50 A50 "6", "/12345" A50 A50 "6", 0, NULL },
    { "tcp://a:65536", NULL, 0, NO_PORT },
    { "tcp://a:-1", NULL, 0, NO_PORT },
    { "tcp://a:", NULL, 0, NO_PORT },
    { "tcp://a", NULL, 0, NO_PORT },
    { "tcp://a:http", NULL, 0, NO_PORT },
    { "tcp://a:1/", NULL, 0, NO_PORT },
    { "tcp://", NULL, 0, NO_PORT },
    { "tcp://:1", NULL, 0, NO_HOST },
    { "tcp://::1:1", NULL, 0, NO_HOST },
    { "tcp://[::1:1", NULL, 0, NO_HOST },
    { "tcp://[]:1", NULL, 0, NO_HOST },
    { "tcp://[:1", NULL, 0, NO_HOST },
    { "tcp://[127.0.0.1]:1", NULL, 0, NO_HOST },
    { "tcp://[::g]:1", NULL, 0, NO_HOST },
    { "tcp://127.0.0.256:1", NULL, 0, NO_HOST },
    { "tcp://1.2.3:1", NULL, 0, NO_HOST },
    { "tcp://a b:1", NULL, 0, NO_HOST },
    { "tcp://*:1", NULL, 0, NO_HOST },
    { "tcp://" A50 A50 A50 A50 A50 "abcd:1", NULL, 0, NO_HOST },
    { "unix:run/s.sock", NULL, 0, NO_PATH },
    { "unix:", NULL, 0, NO_PATH },
    { "unix:/12345" A50 A50 "67", NULL, 0, NO_PATH },
    { "http://a:1", NULL, 0, "starts with none of tcp://, tls:// and unix:" },
    { "", NULL, 0, "starts with none of tcp://, tls:// and unix:" },
};

START_TEST(an_address_is_read_in_its_parts_or_refused_with_the_reason)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Address) address = address_parse_listener(addresses[_i].text, &error);
    if (addresses[_i].wrong != NULL) {
        ck_assert_msg(address == NULL, "accepted: '%s'", addresses[_i].text);
        ck_assert_str_eq(error->message, addresses[_i].wrong);
        return;
    }
    ck_assert_msg(address != NULL, "'%s': %s", addresses[_i].text, error ? error->message : "");
    const gchar *where = address->kind == ADDRESS_TCP ? address->host : address->path;
    ck_assert_str_eq(where, addresses[_i].host);
    ck_assert_uint_eq(address->port, addresses[_i].port);
    ck_assert_str_eq(address->text, addresses[_i].text);
}
END_TEST

START_TEST(the_admin_address_is_http)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Address) address = address_parse_admin("http://[::1]:9091", &error);
    ck_assert_int_eq(address->kind, ADDRESS_TCP);
    ck_assert_str_eq(address->host, "::1");
    ck_assert_uint_eq(address->port, 9091);
    ck_assert_ptr_null(address_parse_admin("tcp://localhost:9091", &error));
    ck_assert_str_eq(error->message, "does not start with http://");
}
END_TEST

START_TEST(addresses_are_equal_when_they_name_the_same_place)
{
    static const struct {
        const gchar *a, *b;
        gboolean is_equal;
    } pairs[] = {
        { "tcp://Host:1", "tcp://hOST:1", TRUE },
        { "tcp://host:1", "tcp://host:01", TRUE },
        { "tcp://host:1", "tcp://host:2", FALSE },
        { "tcp://host:1", "tcp://toast:1", FALSE },
        { "unix:/a", "unix:/a", TRUE },
        { "unix:/a", "unix:/A", FALSE },
        { "unix:/a", "tcp://a:0", FALSE },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
        g_autoptr(Address) a = address_parse_listener(pairs[i].a, NULL);
        g_autoptr(Address) b = address_parse_listener(pairs[i].b, NULL);
        ck_assert_msg(address_equal(a, b) == pairs[i].is_equal, "%s %s", pairs[i].a, pairs[i].b);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("config_value");
    TCase *values = tcase_create("values");
    tcase_add_loop_test(values, a_number_is_read_exactly_or_refused_with_the_reason, 0,
                        G_N_ELEMENTS(numbers));
    tcase_add_test(values, only_the_words_true_and_false_are_truths);
    tcase_add_test(values, log_levels_are_those_of_glib);
    tcase_add_test(values, a_value_replaces_the_one_before_and_a_bad_one_leaves_it);
    suite_add_tcase(suite, values);

    TCase *places = tcase_create("addresses");
    tcase_add_loop_test(places, an_address_is_read_in_its_parts_or_refused_with_the_reason, 0,
                        G_N_ELEMENTS(addresses));
    tcase_add_test(places, the_admin_address_is_http);
    tcase_add_test(places, addresses_are_equal_when_they_name_the_same_place);
    suite_add_tcase(suite, places);
    return suite;
}
