/* test_log.c - promises of daemon/base/log.h. */
#include "daemon/base/log.h"
#include "tests/unit/runner.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* --- one line per interval --------------------------------------------------------------- */

#define INTERVAL_USEC 1000

static const struct {
    const gchar *event, *subject;
    gint64 now_usec;
    gboolean is_allowed;
} lines[] = {
    { "front.refused", "10.0.0.1", 0, TRUE },
    { "front.refused", "10.0.0.1", 1, FALSE },
    { "front.refused", "10.0.0.1", 999, FALSE },
    { "front.refused", "10.0.0.2", 999, TRUE },   /* another subject */
    { "front.closed", "10.0.0.1", 999, TRUE },    /* another event */
    { "front.refused", "10.0.0.1", 1000, TRUE },  /* the interval has passed */
    { "front.refused", "10.0.0.1", 1999, FALSE }, /* and begins again with that line */
    { "front.refused", "10.0.0.1", 2000, TRUE },
};

START_TEST(an_event_about_a_subject_is_logged_once_per_interval)
{
    LogLimit *limit = log_limit_new(INTERVAL_USEC);
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++)
        ck_assert_int_eq(
            log_limit_allows(limit, lines[i].event, lines[i].subject, lines[i].now_usec),
            lines[i].is_allowed);
    log_limit_free(limit);
}
END_TEST

START_TEST(without_an_interval_every_line_is_allowed)
{
    LogLimit *limit = log_limit_new(0);
    for (guint i = 0; i < 10; i++)
        ck_assert(log_limit_allows(limit, "a.b", "x", 5));
    log_limit_free(limit);
}
END_TEST

/* What it forgets then is only that it has spoken. */
START_TEST(a_hundred_thousand_subjects_are_each_allowed_their_first_line)
{
    LogLimit *limit = log_limit_new(INTERVAL_USEC);
    gchar subject[16];
    for (guint i = 0; i < 100000; i++) {
        g_snprintf(subject, sizeof subject, "%u", i);
        ck_assert(log_limit_allows(limit, "a.b", subject, 0));
    }
    ck_assert(!log_limit_allows(limit, "a.b", subject, 0));
    log_limit_free(limit);
}
END_TEST

/* --- where lines go ---------------------------------------------------------------------- */

/* What `say` writes to stderr; free with g_free(). */
static gchar *stderr_of(void (*say)(void))
{
    gchar text[4096];
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    const int stderr_was = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    say();
    dup2(stderr_was, STDERR_FILENO);
    close(stderr_was);
    close(ends[1]);
    const ssize_t bytes = read(ends[0], text, sizeof text);
    close(ends[0]);
    ck_assert_int_ge(bytes, 0);
    return g_strndup(text, (gsize)bytes);
}

static void log_one_of_each(void)
{
    log_start(G_LOG_LEVEL_INFO);
    log_error("a.error n=%d", 1);
    log_warning("a.warning");
    log_notice("a.notice");
    log_info("a.info");
    log_debug("a.debug");
    g_log("elsewhere", G_LOG_LEVEL_WARNING, "b.line");
}

START_TEST(a_line_has_time_level_and_text_and_less_severe_ones_are_dropped)
{
    static const gchar *const expected[] = { "ERROR a.error n=1", "WARNING a.warning",
                                             "NOTICE a.notice", "INFO a.info", "WARNING b.line" };
    g_autofree gchar *text = stderr_of(log_one_of_each);
    g_auto(GStrv) written = g_strsplit(text, "\n", -1);
    ck_assert_uint_eq(g_strv_length(written), G_N_ELEMENTS(expected) + 1);
    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        ck_assert(g_regex_match_simple("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z ",
                                       written[i], 0, 0));
        ck_assert_str_eq(strchr(written[i], ' ') + 1, expected[i]);
    }
    ck_assert_str_eq(written[G_N_ELEMENTS(expected)], "");
}
END_TEST

static void log_debug_then_only_errors(void)
{
    log_start(G_LOG_LEVEL_DEBUG);
    log_debug("a.debug");
    log_start(G_LOG_LEVEL_CRITICAL);
    log_warning("a.warning");
    log_error("a.error");
}

START_TEST(the_level_can_be_changed_later)
{
    g_autofree gchar *text = stderr_of(log_debug_then_only_errors);
    ck_assert_ptr_nonnull(strstr(text, "DEBUG a.debug\n"));
    ck_assert_ptr_null(strstr(text, "a.warning"));
    ck_assert_ptr_nonnull(strstr(text, "ERROR a.error\n"));
}
END_TEST

START_TEST(a_text_that_can_be_quoted_ends_neither_its_line_nor_its_quotes)
{
    g_autofree gchar *text = log_quotable("a \"b\"\r\nFATAL c\x1b\x7f größer");
    ck_assert_str_eq(text, "a 'b'  FATAL c   größer");
}
END_TEST

/* --- where nobody reads ------------------------------------------------------------------ */

static gint64 lost;

/* Fills the pipe that stderr is, and a hundred lines more; returns if nothing waits. */
static void log_more_than_fits(void)
{
    log_start(G_LOG_LEVEL_INFO);
    log_count_lost(&lost);
    for (guint i = 0; lost < 100; i++)
        log_info("a.line number=%u", i);
}

START_TEST(a_line_that_does_not_fit_is_lost_and_counted_and_nothing_waits)
{
    g_autofree gchar *text = stderr_of(log_more_than_fits);
    ck_assert_int_eq(lost, 100);
    ck_assert_ptr_nonnull(strstr(text, "a.line number=0\n"));
}
END_TEST

START_TEST(a_gap_in_the_log_is_told_of_where_it_is)
{
    gchar text[1 << 17] = "";
    int ends[2];
    lost = 0;
    ck_assert_int_eq(pipe(ends), 0);
    const int stderr_was = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    log_more_than_fits();
    ck_assert_int_gt(read(ends[0], text, sizeof text), 0);
    log_info("a.line after");
    const ssize_t bytes = read(ends[0], text, sizeof text - 1);
    dup2(stderr_was, STDERR_FILENO);
    ck_assert_int_gt(bytes, 0);
    text[bytes] = '\0';
    /* A line that was cut is ended first. */
    ck_assert(g_regex_match_simple(
        "^\\n?\\S+Z WARNING log.lost lines=100\\n\\S+Z INFO a.line after\\n$", text, 0, 0));
    ck_assert_int_eq(lost, 100);
}
END_TEST

START_TEST(stderr_itself_still_waits_for_those_who_share_it)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    const int stderr_was = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    log_start(G_LOG_LEVEL_INFO);
    log_info("a.line");
    const int flags = fcntl(STDERR_FILENO, F_GETFL);
    dup2(stderr_was, STDERR_FILENO);
    ck_assert_int_eq(flags & O_NONBLOCK, 0);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("log");
    TCase *tcase = tcase_create("log");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, an_event_about_a_subject_is_logged_once_per_interval);
    tcase_add_test(tcase, without_an_interval_every_line_is_allowed);
    tcase_add_test(tcase, a_hundred_thousand_subjects_are_each_allowed_their_first_line);
    tcase_add_test(tcase, a_line_has_time_level_and_text_and_less_severe_ones_are_dropped);
    tcase_add_test(tcase, the_level_can_be_changed_later);
    tcase_add_test(tcase, a_text_that_can_be_quoted_ends_neither_its_line_nor_its_quotes);
    tcase_add_test(tcase, a_line_that_does_not_fit_is_lost_and_counted_and_nothing_waits);
    tcase_add_test(tcase, a_gap_in_the_log_is_told_of_where_it_is);
    tcase_add_test(tcase, stderr_itself_still_waits_for_those_who_share_it);
    suite_add_tcase(suite, tcase);
    return suite;
}
