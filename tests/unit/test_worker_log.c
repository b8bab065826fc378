/* test_worker_log.c - what a worker says reaches the log and harms nobody
 * (daemon/hosts/worker_log.h). */
#include "tests/unit/runner.h"
#include "daemon/hosts/worker_log.h"
#include <string.h>

static GLogLevelFlags logged_level;
static gchar *logged_text;

static GLogWriterOutput keep_line(GLogLevelFlags level, const GLogField *fields, gsize n_fields,
                                  gpointer user)
{
    (void)user;
    logged_level = level & G_LOG_LEVEL_MASK;
    for (gsize i = 0; i < n_fields; i++)
        if (strcmp(fields[i].key, "MESSAGE") == 0)
            logged_text = g_strdup(fields[i].value);
    return G_LOG_WRITER_HANDLED;
}

static void catch_log(void) { g_log_set_writer_func(keep_line, NULL, NULL); }

static void say(gint32 level, const gchar *text)
{
    const LinkMessage line = { LINK_LOG, 3, 1, level, text, -1 };
    worker_log_line("shop", 7, &line);
}

static const struct {
    gint32 said;
    GLogLevelFlags logged;
} levels[] = {
    { G_LOG_LEVEL_DEBUG, G_LOG_LEVEL_DEBUG },
    { G_LOG_LEVEL_INFO, G_LOG_LEVEL_INFO },
    { G_LOG_LEVEL_MESSAGE, G_LOG_LEVEL_MESSAGE },
    { G_LOG_LEVEL_WARNING, G_LOG_LEVEL_WARNING },
    { G_LOG_LEVEL_CRITICAL, G_LOG_LEVEL_CRITICAL },
    { G_LOG_LEVEL_ERROR, G_LOG_LEVEL_CRITICAL },
    { G_LOG_LEVEL_ERROR | G_LOG_LEVEL_WARNING, G_LOG_LEVEL_CRITICAL },
    { G_LOG_LEVEL_ERROR | G_LOG_FLAG_FATAL, G_LOG_LEVEL_CRITICAL },
    { G_MAXINT32, G_LOG_LEVEL_CRITICAL },
    { 0, G_LOG_LEVEL_CRITICAL },
    { -1, G_LOG_LEVEL_CRITICAL },
};

START_TEST(no_level_that_a_worker_names_ends_the_daemon)
{
    say(levels[_i].said, "text");
    ck_assert_int_eq(logged_level, levels[_i].logged);
    g_free(logged_text);
}
END_TEST

START_TEST(a_line_says_who_said_it_and_cannot_pass_for_another)
{
    say(G_LOG_LEVEL_MESSAGE, "one\"\nhandler.log service=bank");
    ck_assert_str_eq(logged_text, "handler.log service=shop worker=3 generation=7 "
                                  "message=\"one' handler.log service=bank\"");
    g_free(logged_text);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("worker log");
    TCase *tcase = tcase_create("lines");
    tcase_add_checked_fixture(tcase, catch_log, NULL);
    tcase_add_loop_test(tcase, no_level_that_a_worker_names_ends_the_daemon, 0,
                        G_N_ELEMENTS(levels));
    tcase_add_test(tcase, a_line_says_who_said_it_and_cannot_pass_for_another);
    suite_add_tcase(suite, tcase);
    return suite;
}
