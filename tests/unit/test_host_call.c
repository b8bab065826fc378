/* test_host_call.c - every way a call can end is exactly one outcome (handlers/host/call.h).
 * no tsan: its own thread would be one that load() left running. */
#include "tests/unit/runner.h"
#include "tests/unit/test_host_fixture.h"
#include "tests/unit/test_host_outcomes.h"
#include <math.h>
#include <string.h>

enum { NO_FIELD = -1, NO_BODY = -2, TEXT = -3, ANYTHING = -4 };

/* Arguments: "i" is 1: i32 100, "s" is 1: string "why", "is" is 1: i32 100, 2: string "why". */
static const struct {
    const gchar *method;
    const gchar *args;
    gboolean oneway;
    RingOutcome outcome;
    gint body; /* the first field's id, or one of the enum */
    const gchar *text;
} cases[] = {
    { "ping", "", FALSE, RING_REPLY, NO_FIELD, NULL },
    { "ping", "is", FALSE, RING_REPLY, NO_FIELD, NULL },
    { "pid", "", FALSE, RING_REPLY, 0, NULL },
    { "large", "i", FALSE, RING_REPLY, 0, NULL },
    { "declared", "is", FALSE, RING_REPLY, 1, NULL },
    { "declared", "", FALSE, RING_REPLY, 1, NULL },
    { "plain_error", "is", FALSE, RING_APP_ERROR, TEXT, "why" },
    { "plain_error", "", FALSE, RING_APP_ERROR, TEXT, "handler failed without saying why" },
    { "no_error", "", FALSE, RING_APP_ERROR, TEXT, "handler failed without saying why" },
    { "error_and_success", "s", FALSE, RING_REPLY, 0, NULL },
    { "exception_and_success", "", FALSE, RING_REPLY, NO_FIELD, NULL },
    { "null_string", "", FALSE, RING_REPLY, 0, NULL },
    { "null_struct", "", FALSE, RING_BROKEN_HANDLER, TEXT, "handler left no usable reply" },
    { "garbage", "s", FALSE, RING_REPLY, ANYTHING, "why" },
    { "fail_oneway", "s", TRUE, RING_NO_REPLY, NO_BODY, NULL },
    { "fail_oneway", "s", FALSE, RING_NO_REPLY, NO_BODY, NULL },
    { "ping", "", TRUE, RING_NO_REPLY, NO_BODY, NULL },
    { "plain_error", "is", TRUE, RING_NO_REPLY, NO_BODY, NULL },
    { "null_struct", "", TRUE, RING_NO_REPLY, NO_BODY, NULL },
    { "absent", "", FALSE, RING_UNKNOWN_METHOD, TEXT, "Invalid method name: 'absent'" },
    { "", "", FALSE, RING_UNKNOWN_METHOD, TEXT, "Invalid method name: ''" },
};
#define PROTOCOLS 2

static gsize encode(Caller *caller, const gchar *args)
{
    ThriftProtocol *writer = caller_args(caller);
    for (gint16 id = 1; args[id - 1] != '\0'; id++) {
        if (args[id - 1] == 'i')
            args_i32(writer, id, 100);
        else
            args_string(writer, id, "why");
    }
    return caller_end_args(caller);
}

static Caller *crash_caller(RingProtocol kind)
{
    return caller_of_plugin("handlers/crash.so", kind);
}

START_TEST(each_case_has_its_outcome)
{
    const gsize i = (gsize)_i / PROTOCOLS;
    g_autoptr(Caller) caller = crash_caller((RingProtocol)(_i % PROTOCOLS));
    gsize args_bytes = encode(caller, cases[i].args);
    RingOutcome outcome = caller_run(caller, cases[i].method, args_bytes, cases[i].oneway);
    ck_assert_msg(outcome == cases[i].outcome, "%s: outcome %d", cases[i].method, outcome);
    if (cases[i].text != NULL) {
        g_autofree gchar *text = caller_reply_text(caller);
        ck_assert_str_eq(text, cases[i].text);
    }
    if (cases[i].body == NO_BODY)
        ck_assert_uint_eq(caller->reply.body_bytes, 0);
    else if (cases[i].body >= NO_FIELD)
        ck_assert_int_eq(caller_reply_field(caller), cases[i].body);
}
END_TEST

START_TEST(no_outcome_spoils_the_next_call)
{
    g_autoptr(Caller) caller = crash_caller((RingProtocol)_i);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        caller_run(caller, cases[i].method, encode(caller, cases[i].args), cases[i].oneway);
        ck_assert_int_eq(caller_run(caller, "pid", encode(caller, ""), FALSE), RING_REPLY);
        ck_assert_int_eq(caller_reply_field(caller), 0);
        gint32 pid;
        thrift_protocol_read_i32(caller->codec, &pid, NULL);
        ck_assert_int_eq(pid, getpid());
    }
}
END_TEST

START_TEST(arguments_cut_off_anywhere_are_bad_arguments)
{
    g_autoptr(Caller) caller = crash_caller((RingProtocol)_i);
    const gsize whole = encode(caller, "is");
    for (gsize bytes = 0; bytes < whole; bytes++) {
        ck_assert_int_eq(caller_run(caller, "declared", bytes, FALSE), RING_BAD_ARGUMENTS);
        ck_assert_uint_gt(caller->reply.body_bytes, 0);
    }
}
END_TEST

START_TEST(bytes_after_the_arguments_are_ignored)
{
    g_autoptr(Caller) caller = crash_caller((RingProtocol)_i);
    gsize bytes = encode(caller, "is");
    memset(caller->args + bytes, 0xff, 16);
    ck_assert_int_eq(caller_run(caller, "declared", bytes + 16, FALSE), RING_REPLY);
}
END_TEST

START_TEST(a_missing_required_field_is_bad_arguments_and_counts_as_leak)
{
    g_autoptr(Caller) caller = caller_new(echo_processor(), (RingProtocol)_i);
    ThriftProtocol *args = caller_args(caller);
    thrift_protocol_write_field_begin(args, "item", T_STRUCT, 1, NULL);
    thrift_protocol_write_struct_begin(args, "Item", NULL);
    args_string(args, 2, "no id");
    thrift_protocol_write_field_stop(args, NULL);
    thrift_protocol_write_struct_end(args, NULL);
    thrift_protocol_write_field_end(args, NULL);
    const gsize bytes = caller_end_args(caller);

    ck_assert_int_eq(caller_run(caller, "item", bytes, FALSE), RING_BAD_ARGUMENTS);
    g_autofree gchar *text = caller_reply_text(caller);
    ck_assert_str_eq(text, "missing field");
    ck_assert_uint_eq(call_runner_leaked_bytes(caller->runner), bytes);
}
END_TEST

START_TEST(malformed_arguments_do_not_count_as_leak)
{
    g_autoptr(Caller) caller = crash_caller((RingProtocol)_i);
    const gsize whole = encode(caller, "is");
    for (gsize bytes = 0; bytes < whole; bytes++)
        caller_run(caller, "declared", bytes, FALSE);
    ck_assert_uint_eq(call_runner_leaked_bytes(caller->runner), 0);
}
END_TEST

START_TEST(a_reply_that_does_not_fit_says_so)
{
    g_autoptr(Caller) caller = crash_caller((RingProtocol)_i);
    ThriftProtocol *args = caller_args(caller);
    args_i32(args, 1, CALLER_BYTES);
    ck_assert_int_eq(caller_run(caller, "large", caller_end_args(caller), FALSE),
                     RING_REPLY_TOO_LARGE);
    g_autofree gchar *text = caller_reply_text(caller);
    ck_assert_str_eq(text, "the reply is larger than 65536 bytes");
}
END_TEST

START_TEST(a_text_that_does_not_fit_is_cut_between_characters)
{
    g_autoptr(Caller) caller = crash_caller((RingProtocol)_i);
    ThriftProtocol *args = caller_args(caller);
    args_string(args, 2, "ab\u00e4\u00e4");
    gsize bytes = caller_end_args(caller);
    caller_run(caller, "plain_error", bytes, FALSE); /* fills in caller->call */
    static const struct {
        gsize room, cut;
    } cuts[] = { { 0, 0 }, { 2, 2 }, { 3, 2 }, { 4, 4 } };
    for (gsize i = 0; i < G_N_ELEMENTS(cuts); i++) {
        call_runner_run(caller->runner, &caller->call, caller->area, cuts[i].room, &caller->reply);
        ck_assert_int_eq(caller->reply.outcome, RING_APP_ERROR);
        ck_assert_uint_eq(caller->reply.body_bytes, cuts[i].cut);
    }
}
END_TEST

/* Fault 2: thrift_processor_process() never came back from this. */
START_TEST(an_unknown_method_of_a_service_that_extends_is_refused)
{
    g_autoptr(Caller) caller = caller_new(echo_processor(), (RingProtocol)_i);
    ck_assert_int_eq(caller_run(caller, "absent", encode(caller, ""), FALSE), RING_UNKNOWN_METHOD);
}
END_TEST

START_TEST(a_method_of_the_extended_service_is_found)
{
    g_autoptr(Caller) caller = caller_new(echo_processor(), (RingProtocol)_i);
    ck_assert_int_eq(caller_run(caller, "note", encode(caller, "s"), FALSE), RING_NO_REPLY);
    ck_assert_int_eq(caller_run(caller, "words", encode(caller, ""), FALSE), RING_REPLY);
}
END_TEST

/* With GLib's g_double_equal the encoder would not find the key again, and crash. */
START_TEST(a_map_with_nan_keys_comes_back_with_one)
{
    g_autoptr(Caller) caller = caller_new(echo_processor(), (RingProtocol)_i);
    ThriftProtocol *args = caller_args(caller);
    thrift_protocol_write_field_begin(args, "entries", T_MAP, 1, NULL);
    thrift_protocol_write_map_begin(args, T_DOUBLE, T_I32, 3, NULL);
    for (gint32 value = 0; value < 3; value++) {
        thrift_protocol_write_double(args, (gdouble)NAN, NULL);
        thrift_protocol_write_i32(args, value, NULL);
    }
    thrift_protocol_write_map_end(args, NULL);
    thrift_protocol_write_field_end(args, NULL);
    ck_assert_int_eq(caller_run(caller, "doubles", caller_end_args(caller), FALSE), RING_REPLY);

    ThriftType key, value;
    guint32 size;
    ck_assert_int_eq(caller_reply_field(caller), 0);
    thrift_protocol_read_map_begin(caller->codec, &key, &value, &size, NULL);
    ck_assert_uint_eq(size, 1);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("host call");
    TCase *tcase = tcase_create("outcomes");
    tcase_add_loop_test(tcase, each_case_has_its_outcome, 0, G_N_ELEMENTS(cases) * PROTOCOLS);
#define EACH_PROTOCOL(test) tcase_add_loop_test(tcase, test, 0, PROTOCOLS)
    EACH_PROTOCOL(no_outcome_spoils_the_next_call);
    EACH_PROTOCOL(arguments_cut_off_anywhere_are_bad_arguments);
    EACH_PROTOCOL(bytes_after_the_arguments_are_ignored);
    EACH_PROTOCOL(a_missing_required_field_is_bad_arguments_and_counts_as_leak);
    EACH_PROTOCOL(malformed_arguments_do_not_count_as_leak);
    EACH_PROTOCOL(a_reply_that_does_not_fit_says_so);
    EACH_PROTOCOL(a_text_that_does_not_fit_is_cut_between_characters);
    EACH_PROTOCOL(an_unknown_method_of_a_service_that_extends_is_refused);
    EACH_PROTOCOL(a_method_of_the_extended_service_is_found);
    EACH_PROTOCOL(a_map_with_nan_keys_comes_back_with_one);
#undef EACH_PROTOCOL
    suite_add_tcase(suite, tcase);
    return suite;
}
