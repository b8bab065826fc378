/* test_host_leaks.c - calls leave nothing on the heap, well formed or not.  Fault 9: generated
 * code alone leaves 160 bytes a call and more.
 *
 * Counted in bytes handed out by malloc; under AddressSanitizer, whose malloc this does not
 * see, its own leak check says the same.
 * no tsan: its own thread would be one that load() left running. */
#include "tests/unit/runner.h"
#include "tests/unit/test_host_fixture.h"
#include "tests/unit/test_host_outcomes.h"
#include <malloc.h>

#define WARM_UP_CALLS   100u
#define PROTOCOLS       2
#define ROUNDS          200u
#define TIMEOUT_SECONDS 120

/* malloc rounds up differently from call to call for what stays allocated between them.  A
 * leak in one of all calls, or at one of all places to cut, is several times this. */
#define SLACK_BYTES 1024u

typedef enum { CALCULATOR, CRASH, OUTCOMES } Service;

/* Every method of the example service 100,000 times; the others, whose handlers log on each
 * call, less often.  AddressSanitizer counts by itself, and slowly. */
static guint calls_of(Service service)
{
#ifdef __SANITIZE_ADDRESS__
    (void)service;
    return 1000;
#else
    return service == CALCULATOR ? 100000 : 10000;
#endif
}

typedef void (*WriteArgs)(ThriftProtocol *args);

static void none(ThriftProtocol *args) { (void)args; }

static void number(ThriftProtocol *args) { args_i32(args, 1, 0); }

static void too_large(ThriftProtocol *args) { args_i32(args, 1, 21); }

static void text(ThriftProtocol *args) { args_string(args, 1, "some text"); }

static void number_and_text(ThriftProtocol *args)
{
    args_i32(args, 1, 0);
    args_string(args, 2, "some text");
}

static void item(ThriftProtocol *args)
{
    thrift_protocol_write_field_begin(args, "item", T_STRUCT, 1, NULL);
    thrift_protocol_write_struct_begin(args, "Item", NULL);
    args_i32(args, 1, 42);
    args_string(args, 2, "name");
    thrift_protocol_write_field_begin(args, "tags", T_LIST, 3, NULL);
    thrift_protocol_write_list_begin(args, T_STRING, 2, NULL);
    thrift_protocol_write_string(args, "first", NULL);
    thrift_protocol_write_string(args, "second", NULL);
    thrift_protocol_write_list_end(args, NULL);
    thrift_protocol_write_field_end(args, NULL);
    thrift_protocol_write_field_stop(args, NULL);
    thrift_protocol_write_struct_end(args, NULL);
    thrift_protocol_write_field_end(args, NULL);
}

static void words(ThriftProtocol *args)
{
    thrift_protocol_write_field_begin(args, "entries", T_MAP, 1, NULL);
    thrift_protocol_write_map_begin(args, T_STRING, T_I32, 2, NULL);
    thrift_protocol_write_string(args, "one", NULL);
    thrift_protocol_write_i32(args, 1, NULL);
    thrift_protocol_write_string(args, "two", NULL);
    thrift_protocol_write_i32(args, 2, NULL);
    thrift_protocol_write_map_end(args, NULL);
    thrift_protocol_write_field_end(args, NULL);
}

static const struct {
    Service service;
    const gchar *method;
    WriteArgs args;
    RingOutcome outcome;
} cases[] = {
    { CALCULATOR, "ping", none, RING_REPLY },
    { CALCULATOR, "add", number, RING_REPLY },
    { CALCULATOR, "fact", number, RING_REPLY },
    { CALCULATOR, "fact", too_large, RING_REPLY },
    { CALCULATOR, "echo", text, RING_REPLY },
    { CALCULATOR, "sleep", none, RING_REPLY },
    { CALCULATOR, "note", text, RING_NO_REPLY },
    { CALCULATOR, "absent", none, RING_UNKNOWN_METHOD },
    { CRASH, "plain_error", number_and_text, RING_APP_ERROR },
    { CRASH, "no_error", none, RING_APP_ERROR },
    { CRASH, "error_and_success", text, RING_REPLY },
    { CRASH, "fail_oneway", text, RING_NO_REPLY },
    { OUTCOMES, "item", item, RING_REPLY },
    { OUTCOMES, "words", words, RING_REPLY },
};

static Caller *caller_of(Service service, RingProtocol kind)
{
    if (service == OUTCOMES)
        return caller_new(echo_processor(), kind);
    return caller_of_plugin(service == CALCULATOR ? "handlers/calculator.so" : "handlers/crash.so",
                            kind);
}

/* Thousands of lines of what the handlers and generated code say are of no use. */
static GLogWriterOutput drop_line(GLogLevelFlags level, const GLogField *fields, gsize count,
                                  gpointer data)
{
    (void)level, (void)fields, (void)count, (void)data;
    return G_LOG_WRITER_HANDLED;
}

static void drop_message(const gchar *domain, GLogLevelFlags level, const gchar *message,
                         gpointer data)
{
    (void)domain, (void)level, (void)message, (void)data;
}

static void silence_log(void)
{
    g_log_set_writer_func(drop_line, NULL, NULL);
    g_log_set_default_handler(drop_message, NULL);
}

static gsize heap_bytes(void) { return mallinfo2().uordblks; }

START_TEST(no_method_leaves_anything_on_the_heap)
{
    const gsize i = (gsize)_i / PROTOCOLS;
    g_autoptr(Caller) caller = caller_of(cases[i].service, (RingProtocol)(_i % PROTOCOLS));
    cases[i].args(caller_args(caller));
    const gsize args_bytes = caller_end_args(caller);

    const guint calls = calls_of(cases[i].service);
    gsize before = 0;
    for (guint call = 0; call < WARM_UP_CALLS + calls; call++) {
        if (call == WARM_UP_CALLS)
            before = heap_bytes();
        ck_assert_int_eq(caller_run(caller, cases[i].method, args_bytes, FALSE), cases[i].outcome);
    }
    ck_assert_uint_le(heap_bytes(), before + SLACK_BYTES);
    ck_assert_uint_eq(call_runner_leaked_bytes(caller->runner), 0);
}
END_TEST

/* Fault 10: a key, a list or an element read before the bytes ended was dropped. */
START_TEST(arguments_cut_off_anywhere_leave_nothing_on_the_heap)
{
    static const struct {
        const gchar *method;
        WriteArgs args;
    } cut[] = {
        { "item", item },
        { "words", words },
    };
    const gsize i = (gsize)_i / PROTOCOLS;
    g_autoptr(Caller) caller = caller_new(echo_processor(), (RingProtocol)(_i % PROTOCOLS));
    cut[i].args(caller_args(caller));
    const gsize whole = caller_end_args(caller);

    gsize before = 0;
    for (guint round = 0; round <= ROUNDS; round++) {
        if (round == 1)
            before = heap_bytes();
        for (gsize bytes = 0; bytes < whole; bytes++)
            ck_assert_int_eq(caller_run(caller, cut[i].method, bytes, FALSE), RING_BAD_ARGUMENTS);
    }
    ck_assert_uint_le(heap_bytes(), before + SLACK_BYTES);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("host leaks");
    TCase *tcase = tcase_create("heap");
    tcase_set_timeout(tcase, TIMEOUT_SECONDS);
    tcase_add_unchecked_fixture(tcase, silence_log, NULL);
    tcase_add_loop_test(tcase, no_method_leaves_anything_on_the_heap, 0,
                        G_N_ELEMENTS(cases) * PROTOCOLS);
    tcase_add_loop_test(tcase, arguments_cut_off_anywhere_leave_nothing_on_the_heap, 0,
                        2 * PROTOCOLS);
    suite_add_tcase(suite, tcase);
    return suite;
}
