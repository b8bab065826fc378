/* test_reply_line.c - replies leave a connection in the order of its calls, and whole. */
#include "daemon/front/reply_line.h"
#include "tests/unit/runner.h"
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A connection with its other end in hand. */
typedef struct {
    ReplyLine line;
    ServiceStats stats;
    gint64 held_bytes;
    BufferMemory memory;
    Stream stream;
    int theirs;
    gint64 sent;
    guint abandoned;
} Wire;

static Wire *abandoning;

/* Stands in for dispatch: that the client has gone is all that a line tells it. */
void dispatch_client_gone(Dispatch *dispatch, Request *request)
{
    (void)dispatch;
    request->client.finished = NULL;
    abandoning->abandoned++;
    if (request->state != REQUEST_FINISHED)
        request_finish_silently(request);
    request_release(request);
}

static void wire_open(Wire *wire)
{
    int pair[2];
    const int bytes = 1; /* as few as the kernel allows */
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_int_eq(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes), 0);
    *wire = (Wire){ .memory = { &wire->held_bytes, G_MAXINT64 },
                    .stream = { pair[0] },
                    .theirs = pair[1] };
}

static void wire_close(Wire *wire)
{
    ck_assert(reply_line_is_empty(&wire->line));
    ck_assert_uint_eq(wire->line.reply_bytes, 0);
    ck_assert_int_eq(wire->held_bytes, 0); /* every request has been let go of */
    stream_close(&wire->stream);
    close(wire->theirs);
}

static void ignore_finished(Request *request, gpointer user)
{
    (void)request;
    (void)user;
}

static Request *add_call(Wire *wire)
{
    const WireHead head = { .type = WIRE_CALL, .name = (const guint8 *)"" };
    const RequestClient client = { ignore_finished, wire, &wire->memory, WIRE_TRANSPORT_FRAMED };
    GRefString *peer = g_ref_string_new("");
    Request *request = request_new(&head, g_malloc(1), 0, 1, peer, &client, 1, 1);
    request->stats = &wire->stats;
    g_ref_string_release(peer);
    g_queue_push_tail(&wire->line.calls, request);
    return request;
}

/* Ends the call with these bytes as its reply; none: without one. */
static void finish(Wire *wire, Request *request, const guint8 *reply, gsize bytes)
{
    request->reply = g_memdup2(reply, bytes);
    request->reply_bytes = bytes;
    wire->line.reply_bytes += bytes;
    wire->held_bytes += (gint64)bytes;
    request_finish_silently(request);
}

static void finish_with(Wire *wire, Request *request, const gchar *reply)
{
    finish(wire, request, (const guint8 *)reply, strlen(reply));
}

static LineResult send_now(Wire *wire)
{
    return reply_line_send(&wire->line, &wire->stream, &wire->sent);
}

static void assert_arrived(const Wire *wire, const gchar *expected)
{
    gchar bytes[256];
    const ssize_t got = recv(wire->theirs, bytes, sizeof bytes - 1, MSG_DONTWAIT);
    bytes[MAX(got, 0)] = '\0';
    ck_assert_str_eq(bytes, expected);
}

static void set_last_words(Wire *wire, const gchar *words)
{
    wire->line.last_words = (guint8 *)g_strdup(words);
    wire->line.last_words_bytes = strlen(words);
}

START_TEST(replies_leave_in_the_order_of_the_calls)
{
    Wire wire;
    wire_open(&wire);
    Request *first = add_call(&wire), *second = add_call(&wire), *third = add_call(&wire);
    finish_with(&wire, third, "three");
    ck_assert_int_eq(send_now(&wire), LINE_WAITS_FOR_CALLS);
    assert_arrived(&wire, "");
    finish_with(&wire, first, "one");
    ck_assert_int_eq(send_now(&wire), LINE_WAITS_FOR_CALLS);
    assert_arrived(&wire, "one");
    finish_with(&wire, second, "two");
    ck_assert_int_eq(send_now(&wire), LINE_WAITS_FOR_CALLS);
    assert_arrived(&wire, "twothree");
    ck_assert_int_eq(wire.sent, 11);
    wire_close(&wire);
}
END_TEST

START_TEST(a_call_without_a_reply_holds_up_nobody_once_it_has_ended)
{
    Wire wire;
    wire_open(&wire);
    Request *oneway = add_call(&wire), *call = add_call(&wire), *last = add_call(&wire);
    finish_with(&wire, call, "reply");
    ck_assert_int_eq(send_now(&wire), LINE_WAITS_FOR_CALLS);
    assert_arrived(&wire, "");
    finish_with(&wire, oneway, "");
    finish_with(&wire, last, "");
    ck_assert_int_eq(send_now(&wire), LINE_WAITS_FOR_CALLS);
    assert_arrived(&wire, "reply");
    wire_close(&wire);
}
END_TEST

START_TEST(last_words_come_after_every_reply)
{
    Wire wire;
    wire_open(&wire);
    Request *first = add_call(&wire), *second = add_call(&wire);
    set_last_words(&wire, "bye");
    finish_with(&wire, first, "one");
    ck_assert_int_eq(send_now(&wire), LINE_WAITS_FOR_CALLS);
    assert_arrived(&wire, "one");
    ck_assert(!reply_line_is_empty(&wire.line));
    finish_with(&wire, second, "two");
    ck_assert_int_eq(send_now(&wire), LINE_WAITS_FOR_CALLS);
    assert_arrived(&wire, "twobye");
    wire_close(&wire);
}
END_TEST

START_TEST(last_words_alone_are_sent)
{
    Wire wire;
    wire_open(&wire);
    set_last_words(&wire, "bye");
    ck_assert_int_eq(send_now(&wire), LINE_WAITS_FOR_CALLS);
    assert_arrived(&wire, "bye");
    wire_close(&wire);
}
END_TEST

/* --- a client that reads slowly ---------------------------------------------------------- */

/* Replies of all lengths, some calls without one, and at last the last words: more calls than
 * one system call takes, and more bytes than the socket does. */
static GByteArray *fill(Wire *wire, GRand *random)
{
    enum { CALLS = 300, LONGEST_BYTES = 9000 };
    GByteArray *expected = g_byte_array_new();
    for (guint i = 0; i < CALLS; i++) {
        const gsize bytes = i % 5 == 0 ? 0 : (gsize)g_rand_int_range(random, 1, LONGEST_BYTES);
        g_autofree guint8 *reply = g_malloc(bytes + 1);
        for (gsize at = 0; at < bytes; at++)
            reply[at] = (guint8)g_rand_int(random);
        finish(wire, add_call(wire), reply, bytes);
        g_byte_array_append(expected, reply, (guint)bytes);
    }
    wire->line.last_words_bytes = LONGEST_BYTES;
    wire->line.last_words = g_malloc0(LONGEST_BYTES);
    g_byte_array_set_size(expected, expected->len + LONGEST_BYTES);
    memset(expected->data + expected->len - LONGEST_BYTES, 0, LONGEST_BYTES);
    return expected;
}

START_TEST(a_slow_reader_gets_every_byte_in_order)
{
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i);
    Wire wire;
    wire_open(&wire);
    g_autoptr(GByteArray) expected = fill(&wire, random);
    g_autofree guint8 *arrived = g_malloc(expected->len);
    gsize got = 0;
    guint waits = 0;
    while (got < expected->len) {
        const LineResult result = send_now(&wire);
        ck_assert_int_ne(result, LINE_BROKEN);
        waits += result == LINE_WAITS_FOR_SOCKET;
        const gsize some = (gsize)g_rand_int_range(random, 1, 20000);
        const ssize_t n = recv(wire.theirs, arrived + got, MIN(some, expected->len - got), 0);
        ck_assert_int_gt(n, 0);
        got += (gsize)n;
    }
    ck_assert_int_eq(send_now(&wire), LINE_WAITS_FOR_CALLS);
    ck_assert(memcmp(arrived, expected->data, got) == 0);
    ck_assert_int_eq(wire.sent, (gint64)got);
    ck_assert_uint_ge(waits, 10);
    wire_close(&wire);
}
END_TEST

/* --- a client that has gone -------------------------------------------------------------- */

START_TEST(a_client_that_has_gone_breaks_the_line_and_every_call_is_told)
{
    Wire wire;
    wire_open(&wire);
    finish_with(&wire, add_call(&wire), "one");
    add_call(&wire);
    set_last_words(&wire, "bye");
    close(wire.theirs);
    ck_assert_int_eq(send_now(&wire), LINE_BROKEN);
    abandoning = &wire;
    reply_line_abandon(&wire.line, NULL);
    ck_assert_uint_eq(wire.abandoned, 2);
    wire.theirs = -1;
    wire_close(&wire);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("reply line");
    TCase *tcase = tcase_create("line");
    tcase_add_test(tcase, replies_leave_in_the_order_of_the_calls);
    tcase_add_test(tcase, a_call_without_a_reply_holds_up_nobody_once_it_has_ended);
    tcase_add_test(tcase, last_words_come_after_every_reply);
    tcase_add_test(tcase, last_words_alone_are_sent);
    tcase_add_loop_test(tcase, a_slow_reader_gets_every_byte_in_order, 0, 5);
    tcase_add_test(tcase, a_client_that_has_gone_breaks_the_line_and_every_call_is_told);
    suite_add_tcase(suite, tcase);
    return suite;
}
