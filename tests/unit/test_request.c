/* test_request.c - promises of request.h: one end for each call, counted once, and the bytes
 * of every reply.  What the stock libraries make of such bytes is tested end to end.        */
#include "daemon/dispatch/request.h"
#include "daemon/wire/reply.h"
#include "tests/unit/runner.h"
#include "tests/unit/wire_bytes.h"
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_REPLY_BYTES 100u

/* A call from somebody who counts his answers, in numbers of its own. */
typedef struct {
    ServiceStats stats;
    gint64 held_bytes;
    BufferMemory memory;
    guint answers;
    Request *request;
} Call;

static void count_answer(Request *request, gpointer user)
{
    Call *call = user;
    ck_assert_ptr_eq(request, call->request);
    ck_assert_int_eq(request->state, REQUEST_FINISHED);
    call->answers++;
}

/* A call of add() that was admitted. */
static void call_open(Call *call, WireProtocol protocol, WireMessageType type)
{
    const WireHead head = { .protocol = protocol,
                            .type = type,
                            .seqid = 7,
                            .name = (const guint8 *)"add",
                            .name_bytes = 3,
                            .body_offset = 10 };
    const RequestClient client = { count_answer, call, &call->memory, WIRE_TRANSPORT_FRAMED };
    GRefString *peer = g_ref_string_new("10.0.0.1:1");
    *call = (Call){ .memory = { &call->held_bytes, 1000000 } };
    call->request = request_new(&head, g_malloc0(20), 2, 15, peer, &client, MAX_REPLY_BYTES, 1);
    call->request->stats = &call->stats;
    call->stats.service[CTR_RECEIVED]++;
    request_admit(call->request, 4711);
    g_ref_string_release(peer);
}

static void call_close(Call *call)
{
    ck_assert(service_stats_ledger_balances(&call->stats));
    ck_assert_int_eq(call->held_bytes, (gint64)call->request->reply_bytes);
    request_release(call->request);
    ck_assert_int_eq(call->held_bytes, 0);
}

static void assert_reply(const Call *call, const gchar *expected_text)
{
    g_autoptr(GBytes) expected = wire_bytes(expected_text);
    g_autoptr(GBytes) reply = g_bytes_new(call->request->reply, call->request->reply_bytes);
    ck_assert_uint_eq(g_bytes_get_size(reply), g_bytes_get_size(expected));
    ck_assert(g_bytes_equal(reply, expected));
    ck_assert_uint_eq(call->answers, 1);
}

/* --- replies ----------------------------------------------------------------------------- */

static const struct {
    WireProtocol protocol;
    const gchar *body;
    const gchar *reply;
} answers[] = {
    { WIRE_BINARY, "00", "00 00 00 10 80 01 00 02 00 00 00 03 'add' 00 00 00 07 00" },
    { WIRE_BINARY, "08 00 00 00 00 00 05 00",
      "00 00 00 17 80 01 00 02 00 00 00 03 'add' 00 00 00 07 08 00 00 00 00 00 05 00" },
    { WIRE_COMPACT, "00", "00 00 00 08 82 41 07 03 'add' 00" },
    { WIRE_COMPACT, "15 0a 00", "00 00 00 0a 82 41 07 03 'add' 15 0a 00" },
};

START_TEST(an_answer_is_the_handlers_struct_behind_a_head_of_ours)
{
    g_autoptr(GBytes) body = wire_bytes(answers[_i].body);
    Call call;
    call_open(&call, answers[_i].protocol, WIRE_CALL);
    request_answer(call.request, g_bytes_get_data(body, NULL), g_bytes_get_size(body));
    assert_reply(&call, answers[_i].reply);
    ck_assert_int_eq(call.stats.service[CTR_COMPLETED], 1);
    call_close(&call);
}
END_TEST

static const gchar *const bad_bodies[] = { "", "08 00 00", "00 00", "08 00 00 00 00 00 05",
                                           "ff 00 00 00" };

START_TEST(what_is_not_one_struct_becomes_bad_reply)
{
    g_autoptr(GBytes) body = wire_bytes(bad_bodies[_i]);
    Call call;
    call_open(&call, WIRE_BINARY, WIRE_CALL);
    request_answer(call.request, g_bytes_get_data(body, NULL), g_bytes_get_size(body));
    ck_assert_int_eq(call.stats.service[CTR_LOST_BAD_REPLY], 1);
    ck_assert_uint_eq(call.answers, 1);
    ck_assert(memcmp(call.request->reply + 4, "\x80\x01\x00\x03", 4) == 0);
    ck_assert(memcmp(call.request->reply + 26, "bad_reply: ", 11) == 0);
    call_close(&call);
}
END_TEST

/* 15 bytes of head, then a string: 7 bytes before its text and a stop behind it. */
START_TEST(a_reply_may_fill_the_largest_frame_and_not_a_byte_more)
{
    const gboolean is_too_large = _i != 0;
    const guint8 text_bytes = (guint8)(MAX_REPLY_BYTES - 15 - 7 - 1 + (guint)_i);
    g_autofree guint8 *body = g_malloc0(7 + text_bytes + 1u);
    Call call;
    body[0] = 11;
    body[6] = text_bytes;
    call_open(&call, WIRE_BINARY, WIRE_CALL);
    request_answer(call.request, body, 7 + text_bytes + 1u);
    ck_assert_int_eq(call.stats.service[CTR_COMPLETED], !is_too_large);
    ck_assert_int_eq(call.stats.service[CTR_APP_ERROR], is_too_large);
    if (!is_too_large)
        ck_assert_uint_eq(call.request->reply_bytes, 4 + MAX_REPLY_BYTES);
    call_close(&call);
}
END_TEST

START_TEST(a_failure_is_an_exception_with_token_and_reason)
{
    Call call;
    call_open(&call, WIRE_BINARY, WIRE_CALL);
    request_fail(call.request, REASON_QUEUE_FULL, "wait", -1);
    assert_reply(&call, "00 00 00 2e 80 01 00 03 00 00 00 03 'add' 00 00 00 07"
                        "0b 00 01 00 00 00 10 'queue_full: wait' 08 00 02 00 00 00 0b 00");
    call_close(&call);
    call_open(&call, WIRE_COMPACT, WIRE_CALL);
    request_fail(call.request, REASON_LATE, "no answer, cut here", 2);
    assert_reply(&call, "00 00 00 18 82 61 07 03 'add' 18 0c 'deadline: no' 15 18 00");
    call_close(&call);
}
END_TEST

START_TEST(a_oneway_call_gets_no_bytes_whatever_becomes_of_it)
{
    Call call;
    call_open(&call, WIRE_BINARY, WIRE_ONEWAY);
    request_answer(call.request, (const guint8 *)"", 1);
    ck_assert_ptr_null(call.request->reply);
    ck_assert_uint_eq(call.answers, 1);
    call_close(&call);
    call_open(&call, WIRE_BINARY, WIRE_ONEWAY);
    request_fail(call.request, REASON_WORKER_CRASHED, "", -1);
    ck_assert_ptr_null(call.request->reply);
    ck_assert_uint_eq(call.answers, 1);
    call_close(&call);
}
END_TEST

START_TEST(a_client_that_has_gone_is_told_nothing_but_counted)
{
    Call call;
    call_open(&call, WIRE_BINARY, WIRE_CALL);
    call.request->client.finished = NULL;
    request_fail(call.request, REASON_CLIENT_GONE, "", -1);
    ck_assert_ptr_null(call.request->reply);
    ck_assert_uint_eq(call.answers, 0);
    ck_assert_int_eq(call.stats.service[CTR_DISCARDED_CLIENT_GONE], 1);
    call_close(&call);
}
END_TEST

/* The reply that says so is small, and is not kept back. */
START_TEST(an_answer_that_no_memory_is_left_for_becomes_no_memory)
{
    Call call;
    call_open(&call, WIRE_BINARY, WIRE_CALL);
    call.memory.limit_bytes = 0;
    request_answer(call.request, (const guint8 *)"", 1);
    ck_assert_int_eq(call.stats.service[CTR_COMPLETED], 0);
    ck_assert(memcmp(call.request->reply + 26, "no_memory: ", 11) == 0);
    ck_assert_uint_eq(call.answers, 1);
    call_close(&call);
}
END_TEST

/* --- counting ---------------------------------------------------------------------------- */

START_TEST(every_failure_is_counted_once_and_told_by_its_token)
{
    const FactoryReason reason = (FactoryReason)_i;
    gint64 total = 0;
    Call call;
    call_open(&call, WIRE_BINARY, WIRE_CALL);
    request_fail(call.request, reason, "why", -1);
    for (ServiceCounter id = CTR_REFUSED_UNKNOWN_SERVICE; id <= CTR_RUNNING; id++)
        total += call.stats.service[id];
    ck_assert_int_eq(total, 1);
    ck_assert(memcmp(call.request->reply + 26, factory_reason_token(reason),
                     strlen(factory_reason_token(reason))) == 0);
    call_close(&call);
}
END_TEST

/* --- texts that others wrote ------------------------------------------------------------- */

START_TEST(a_text_that_is_not_utf8_or_too_long_is_made_so_that_it_can_be_sent)
{
    g_autofree gchar *text = g_strnfill(1 << 20, 'x');
    Call call;
    text[0] = (gchar)0xff;
    call_open(&call, WIRE_BINARY, WIRE_CALL);
    request_fail(call.request, REASON_APP_ERROR, text, 1 << 20);
    ck_assert_uint_lt(call.request->reply_bytes, 5000);
    ck_assert(memcmp(call.request->reply + 26, "app_error: \xef\xbf\xbdx", 15) == 0);
    call_close(&call);
}
END_TEST

/* Flips one byte of the text between a letter and what no text has, until it is killed. */
static pid_t fork_scribbler(gchar *byte)
{
    const pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid > 0)
        return pid;
    for (;;) {
        *(volatile gchar *)byte = (gchar)0xff;
        *(volatile gchar *)byte = 'x';
    }
}

/* The text of a failure lies in memory that the worker may still write. */
START_TEST(a_text_that_changes_while_it_is_read_harms_nobody)
{
    enum { TEXT_BYTES = 4096, ROUNDS = 5000 };
    gchar *text = mmap(NULL, TEXT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(text, 'x', TEXT_BYTES);
    text[0] = (gchar)0xff;
    const pid_t scribbler = fork_scribbler(&text[TEXT_BYTES - 1]);
    for (guint i = 0; i < ROUNDS; i++) {
        Call call;
        call_open(&call, WIRE_BINARY, WIRE_CALL);
        request_fail(call.request, REASON_APP_ERROR, text, TEXT_BYTES);
        call_close(&call);
    }
    kill(scribbler, SIGKILL);
    ck_assert_int_eq(waitpid(scribbler, NULL, 0), scribbler);
}
END_TEST

/* --- our own mistakes -------------------------------------------------------------------- */

START_TEST(a_second_end_stops_the_process)
{
    Call call;
    call_open(&call, WIRE_BINARY, WIRE_CALL);
    request_fail(call.request, REASON_DEADLINE, "", -1);
    request_finish_silently(call.request);
}
END_TEST

START_TEST(letting_go_of_a_call_without_an_end_stops_the_process)
{
    Call call;
    call_open(&call, WIRE_BINARY, WIRE_CALL);
    request_release(call.request);
}
END_TEST

START_TEST(the_last_holder_frees_a_call)
{
    Call call;
    call_open(&call, WIRE_BINARY, WIRE_CALL);
    request_hold(call.request);
    request_finish_silently(call.request);
    request_release(call.request);
    ck_assert_int_eq(call.request->state, REQUEST_FINISHED);
    call_close(&call);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("request");
    TCase *replies = tcase_create("replies");
    tcase_set_timeout(replies, 60);
    tcase_add_loop_test(replies, an_answer_is_the_handlers_struct_behind_a_head_of_ours, 0,
                        G_N_ELEMENTS(answers));
    tcase_add_loop_test(replies, what_is_not_one_struct_becomes_bad_reply, 0,
                        G_N_ELEMENTS(bad_bodies));
    tcase_add_loop_test(replies, a_reply_may_fill_the_largest_frame_and_not_a_byte_more, 0, 2);
    tcase_add_test(replies, a_failure_is_an_exception_with_token_and_reason);
    tcase_add_test(replies, a_oneway_call_gets_no_bytes_whatever_becomes_of_it);
    tcase_add_test(replies, a_client_that_has_gone_is_told_nothing_but_counted);
    tcase_add_test(replies, an_answer_that_no_memory_is_left_for_becomes_no_memory);
    tcase_add_test(replies, a_text_that_is_not_utf8_or_too_long_is_made_so_that_it_can_be_sent);
    tcase_add_test(replies, a_text_that_changes_while_it_is_read_harms_nobody);
    suite_add_tcase(suite, replies);
    TCase *counting = tcase_create("counting");
    tcase_add_loop_test(counting, every_failure_is_counted_once_and_told_by_its_token,
                        REASON_APP_ERROR, REASONS);
    suite_add_tcase(suite, counting);
    TCase *life = tcase_create("life");
    tcase_add_test(life, the_last_holder_frees_a_call);
    tcase_add_test_raise_signal(life, a_second_end_stops_the_process, SIGTRAP);
    tcase_add_test_raise_signal(life, letting_go_of_a_call_without_an_end_stops_the_process,
                                SIGABRT);
    suite_add_tcase(suite, life);
    return suite;
}
