/* test_host_context.c - what a handler is told about its call, and its plugin's settings. */
#include "tests/unit/runner.h"
#include "actor/ring/headers.h"
#include "handlers/host/request_context.h"
#include "handlers/host/settings.h"
#include <stdatomic.h>

static const guint8 call_headers[] = "X-Tenant\0blue\0";

static const RingCall call = { .method = "add",
                               .peer = "tcp://192.0.2.7:53124",
                               .deadline_usec = G_MAXINT64,
                               .headers = call_headers,
                               .headers_bytes = sizeof call_headers - 1 };

static void assert_no_call(void)
{
    ck_assert_int_eq(sluice_request_time_left_usec(), G_MAXINT64);
    ck_assert(!sluice_request_is_cancelled());
    ck_assert_ptr_null(sluice_request_peer());
    ck_assert_ptr_null(sluice_request_method());
    ck_assert_ptr_null(sluice_request_header("x-tenant"));
    ck_assert(!sluice_request_set_reply_header("name", "value"));
}

START_TEST(outside_a_call_there_is_nothing_to_know) { assert_no_call(); }
END_TEST

START_TEST(inside_a_call_the_handler_sees_it)
{
    g_autoptr(RequestContext) context = request_context_new();
    RingSignals signals = { 0 };
    RingReply reply;
    request_context_begin(context, &call, &signals);
    ck_assert_str_eq(sluice_request_peer(), call.peer);
    ck_assert_str_eq(sluice_request_method(), "add");
    ck_assert_str_eq(sluice_request_header("x-TENANT"), "blue");
    ck_assert_ptr_null(sluice_request_header("absent"));
    ck_assert(!sluice_request_is_cancelled());
    atomic_store(&signals.cancelled, 1);
    ck_assert(sluice_request_is_cancelled());
    request_context_end(context, &reply);
    assert_no_call();
}
END_TEST

START_TEST(progress_and_protection_are_told_by_the_clock_of_the_call)
{
    g_autoptr(RequestContext) context = request_context_new();
    RingSignals signals = { 0 };
    RingReply reply;
    sluice_request_progress(); /* outside a call: nothing */
    sluice_request_protect(1000);
    request_context_begin(context, &call, &signals);
    const gint64 before = g_get_monotonic_time();
    sluice_request_progress();
    ck_assert_int_ge(signals.progress_usec, before);
    ck_assert_int_le(signals.progress_usec, g_get_monotonic_time());
    sluice_request_protect(5000000);
    ck_assert_int_ge(signals.protect_usec, before + 5000000);
    sluice_request_protect(G_MAXINT64); /* too long for the clock */
    ck_assert_int_eq(signals.protect_usec, G_MAXINT64);
    sluice_request_protect(-1); /* no longer */
    ck_assert_int_le(signals.protect_usec, g_get_monotonic_time());
    request_context_end(context, &reply);
}
END_TEST

static gpointer peer_seen(gpointer unused)
{
    (void)unused;
    return (gpointer)sluice_request_peer();
}

START_TEST(another_thread_sees_no_call)
{
    g_autoptr(RequestContext) context = request_context_new();
    RingSignals signals = { 0 };
    RingReply reply;
    request_context_begin(context, &call, &signals);
    ck_assert_ptr_null(g_thread_join(g_thread_new("other", peer_seen, NULL)));
    request_context_end(context, &reply);
}
END_TEST

static gint64 time_left_with(gint64 deadline_usec)
{
    g_autoptr(RequestContext) context = request_context_new();
    RingSignals signals = { 0 };
    RingReply reply;
    RingCall timed = call;
    timed.deadline_usec = deadline_usec;
    request_context_begin(context, &timed, &signals);
    gint64 left = sluice_request_time_left_usec();
    request_context_end(context, &reply);
    return left;
}

START_TEST(time_left_ends_at_zero_and_without_deadline_never)
{
    ck_assert_int_eq(time_left_with(G_MAXINT64), G_MAXINT64);
    ck_assert_int_eq(time_left_with(g_get_monotonic_time() - 1), 0);
    ck_assert_int_eq(time_left_with(G_MININT64), 0);
    gint64 left = time_left_with(g_get_monotonic_time() + G_USEC_PER_SEC);
    ck_assert(left >= 0 && left <= G_USEC_PER_SEC);
}
END_TEST

START_TEST(the_last_value_of_a_reply_header_counts)
{
    g_autoptr(RequestContext) context = request_context_new();
    RingSignals signals = { 0 };
    RingReply reply;
    request_context_begin(context, &call, &signals);
    ck_assert(sluice_request_set_reply_header("Retry", "1"));
    ck_assert(sluice_request_set_reply_header("other", "x"));
    ck_assert(sluice_request_set_reply_header("retry", "2"));
    request_context_end(context, &reply);
    ck_assert_uint_eq(reply.headers_bytes, sizeof "other\0x\0retry\0002");
    ck_assert_str_eq(headers_find(reply.headers, reply.headers_bytes, "retry"), "2");
}
END_TEST

START_TEST(reply_headers_are_bounded_and_begin_empty_with_each_call)
{
    g_autoptr(RequestContext) context = request_context_new();
    RingSignals signals = { 0 };
    RingReply reply;
    g_autofree gchar *large = g_strnfill(HEADERS_MAX_BYTES, 'x');
    g_autofree gchar *half = g_strnfill(HEADERS_MAX_BYTES / 2, 'x');
    request_context_begin(context, &call, &signals);
    ck_assert(!sluice_request_set_reply_header("large", large));
    ck_assert(sluice_request_set_reply_header("half", half));
    ck_assert(!sluice_request_set_reply_header("other", half));
    request_context_end(context, &reply);
    ck_assert_uint_eq(reply.headers_bytes, sizeof "half" + HEADERS_MAX_BYTES / 2 + 1);

    request_context_begin(context, &call, &signals);
    request_context_end(context, &reply);
    ck_assert_uint_eq(reply.headers_bytes, 0);
}
END_TEST

START_TEST(settings_are_the_groups_keys_in_order)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SluiceSettings) settings =
        settings_new("[settings]\nzoo = a b \nant=\n# comment\nline=one\\ntwo\n", &error);
    ck_assert_ptr_nonnull(settings);
    g_auto(GStrv) keys = sluice_settings_keys(settings);
    g_autofree gchar *joined = g_strjoinv(",", keys);
    ck_assert_str_eq(joined, "zoo,ant,line");
    ck_assert_str_eq(sluice_settings_get(settings, "zoo"), "a b ");
    ck_assert_str_eq(sluice_settings_get(settings, "ant"), "");
    ck_assert_str_eq(sluice_settings_get(settings, "line"), "one\ntwo");
    ck_assert_ptr_null(sluice_settings_get(settings, "absent"));
}
END_TEST

START_TEST(no_text_is_no_settings)
{
    g_autoptr(SluiceSettings) settings = settings_new("", NULL);
    g_auto(GStrv) keys = sluice_settings_keys(settings);
    ck_assert_ptr_null(keys[0]);
    ck_assert_ptr_null(sluice_settings_get(settings, "greeting"));
}
END_TEST

START_TEST(text_that_is_no_key_file_is_an_error)
{
    static const gchar *const texts[] = { "no group", "[settings]\nno value\n",
                                          "[settings]\nkey=\\q\n", "[settings]\nkey=\xff\n" };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_msg(settings_new(texts[i], &error) == NULL, "%s", texts[i]);
        ck_assert_ptr_nonnull(error);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("host context");
    TCase *tcase = tcase_create("request");
    tcase_add_test(tcase, outside_a_call_there_is_nothing_to_know);
    tcase_add_test(tcase, inside_a_call_the_handler_sees_it);
    tcase_add_test(tcase, another_thread_sees_no_call);
    tcase_add_test(tcase, progress_and_protection_are_told_by_the_clock_of_the_call);
    tcase_add_test(tcase, time_left_ends_at_zero_and_without_deadline_never);
    tcase_add_test(tcase, the_last_value_of_a_reply_header_counts);
    tcase_add_test(tcase, reply_headers_are_bounded_and_begin_empty_with_each_call);
    suite_add_tcase(suite, tcase);

    tcase = tcase_create("settings");
    tcase_add_test(tcase, settings_are_the_groups_keys_in_order);
    tcase_add_test(tcase, no_text_is_no_settings);
    tcase_add_test(tcase, text_that_is_no_key_file_is_an_error);
    suite_add_tcase(suite, tcase);
    return suite;
}
