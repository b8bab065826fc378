/* test_ring_processes.c - calls and replies between processes: nothing is changed on the way,
 * nothing is lost or doubled, and nobody sleeps while there is work.                       */
#include "tests/unit/runner.h"
#include "tests/unit/test_ring_fixture.h"
#include <sys/mman.h>

/* --- contents ---------------------------------------------------------------------------- */

/* A reply's body as this test's worker writes it: all that it saw of the call, then a copy of
 * the arguments.  The reply's headers are those of the call. */
typedef struct {
    RingProtocol protocol;
    gboolean oneway;
    gint32 seqid;
    gint64 received_usec;
    gint64 deadline_usec;
    gchar method[64];
    gchar peer[64];
} Seen;

static void report_what_was_seen(RingWorker *worker, const RingCall *call)
{
    Seen seen = { call->protocol,      call->oneway, call->seqid, call->received_usec,
                  call->deadline_usec, "",           "" };
    gsize capacity;
    guint8 *body = ring_worker_reply_area(worker, &capacity);
    g_strlcpy(seen.method, call->method, sizeof seen.method);
    g_strlcpy(seen.peer, call->peer, sizeof seen.peer);
    g_assert(sizeof seen + call->args_bytes <= capacity);
    memcpy(body, &seen, sizeof seen);
    memcpy(body + sizeof seen, call->args, call->args_bytes);
    const RingReply reply = { RING_APP_ERROR, body, (guint32)sizeof seen + call->args_bytes,
                              call->headers, call->headers_bytes };
    ring_worker_finish(worker, &reply);
}

#define HEADERS_MAX_BYTES  16384u
#define CALL_MAX_BYTES     1000000u
#define REPLY_MAX_BYTES    (CALL_MAX_BYTES + (guint32)sizeof(Seen))
#define LONGEST_ARGS_BYTES (CALL_MAX_BYTES - HEADERS_MAX_BYTES - 2)

static const struct {
    RingCall call; /* but for the bytes of headers and args */
} contents[] = {
    { { .protocol = RING_BINARY, .method = "", .peer = "" } },
    { { .protocol = RING_COMPACT, .method = "", .peer = "" } },
    { { RING_BINARY, TRUE, -1, 1, G_MAXINT64, "add", "10.0.0.1:1", NULL, 0, NULL, 1, 0 } },
    { { RING_COMPACT, TRUE, G_MININT32, G_MAXINT64, 0, "größer", "unix", NULL, 1, NULL, 0, 0 } },
    { { RING_BINARY, FALSE, G_MAXINT32, 2, 3, "a b", "", NULL, 300, NULL, 131073, 0 } },
    { { RING_BINARY, FALSE, 7, 8, 9, "", "", NULL, HEADERS_MAX_BYTES, NULL, LONGEST_ARGS_BYTES,
        0 } },
    { { RING_COMPACT, FALSE, 7, 8, 9, "", "", NULL, HEADERS_MAX_BYTES, NULL, LONGEST_ARGS_BYTES,
        0 } },
};

static void assert_seen(const RingReply *reply, const RingCall *call)
{
    Seen seen;
    ck_assert_int_eq(reply->outcome, RING_APP_ERROR);
    ck_assert_uint_eq(reply->body_bytes, sizeof seen + call->args_bytes);
    memcpy(&seen, reply->body, sizeof seen);
    ck_assert_int_eq(seen.protocol, call->protocol);
    ck_assert_int_eq(seen.oneway, call->oneway);
    ck_assert_int_eq(seen.seqid, call->seqid);
    ck_assert_int_eq(seen.received_usec, call->received_usec);
    ck_assert_int_eq(seen.deadline_usec, call->deadline_usec);
    ck_assert_str_eq(seen.method, call->method);
    ck_assert_str_eq(seen.peer, call->peer);
    ck_assert(memcmp(reply->body + sizeof seen, call->args, call->args_bytes) == 0);
    ck_assert_uint_eq(reply->headers_bytes, call->headers_bytes);
    ck_assert(memcmp(reply->headers, call->headers, call->headers_bytes) == 0);
}

START_TEST(every_field_crosses_unchanged_in_both_directions)
{
    const RingGeometry geometry = { 1, 1, CALL_MAX_BYTES, REPLY_MAX_BYTES };
    g_autoptr(RingFront) front = ring_front_new(&geometry, NULL);
    g_autofree guint8 *noise = g_malloc(CALL_MAX_BYTES);
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    for (gsize i = 0; i < CALL_MAX_BYTES; i++)
        noise[i] = (guint8)g_rand_int(random);
    const pid_t pid = fork_worker(front, 0, 1, report_what_was_seen);
    for (gsize i = 0; i < G_N_ELEMENTS(contents); i++) {
        RingCall call = contents[i].call;
        RingDone done;
        call.headers = noise;
        call.args = noise + call.headers_bytes;
        ring_front_announce(front, &call, front);
        await_reply(front, &done);
        assert_seen(&done.reply, &call);
        ring_front_release(front, done.slot);
    }
    stop_worker(front, 0, pid);
}
END_TEST

/* --- exactly once ------------------------------------------------------------------------ */

#define CALLS 50000u

static const guint32 worker_counts[] = { 1, 2, 4 };

START_TEST(every_call_is_answered_exactly_once)
{
    const guint32 workers = worker_counts[_i];
    g_autoptr(RingFront) front = new_front(workers, workers + 16);
    g_autofree guint8 *ends = g_malloc0(CALLS);
    pid_t pids[4];
    RingDone done;
    for (guint32 i = 0; i < workers; i++)
        pids[i] = fork_worker(front, i, 1, answer_number);
    for (guint32 announced = 0, answered = 0; answered < CALLS; answered++) {
        while (announced < CALLS && ring_front_has_room(front))
            announce_number(front, announced++);
        await_reply(front, &done);
        ck_assert_uint_lt(done.worker, workers);
        ends[accept_answer(front, &done)]++;
    }
    for (guint32 number = 0; number < CALLS; number++)
        ck_assert_uint_eq(ends[number], 1);
    for (guint32 i = 0; i < workers; i++)
        stop_worker(front, i, pids[i]);
    ck_assert(!ring_front_collect(front, &done));
}
END_TEST

/* Looks without pause, so that a claim can come at any instruction of the front. */
static pid_t fork_restless_worker(const RingFront *front)
{
    const pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    RingWorker *worker = new_worker(front, 0, 1);
    RingCall call;
    RingTake taken;
    while ((taken = ring_worker_try_take(worker, &call)) != RING_STOP)
        if (taken == RING_TAKEN)
            answer_number(worker, &call);
    _exit(0);
}

START_TEST(a_call_is_either_taken_back_or_answered)
{
    enum { ROUNDS = 20000 };
    g_autoptr(RingFront) front = new_front(1, 2);
    g_autoptr(GRand) random = g_rand_new_with_seed(2);
    const pid_t pid = fork_restless_worker(front);
    RingDone done;
    for (guint32 number = 0; number < ROUNDS; number++) {
        const guint32 slot = announce_number(front, number);
        for (gint looks = g_rand_int_range(random, 0, 50); looks > 0; looks--)
            ring_front_has_room(front);
        if (!ring_front_take_back(front, slot)) {
            await_reply(front, &done);
            ck_assert_uint_eq(accept_answer(front, &done), number);
        }
        ck_assert(!ring_front_collect(front, &done));
    }
    stop_worker(front, 0, pid);
}
END_TEST

/* --- sleep and waking -------------------------------------------------------------------- */

/* One call at a time, so that worker and front fall asleep each time, and every wake-up that
 * is missing ends the test. */
START_TEST(no_wake_up_is_lost_in_either_direction)
{
    enum { ROUNDS = 20000 };
    g_autoptr(RingFront) front = new_front(1, 1);
    const pid_t pid = fork_worker(front, 0, 1, answer_number);
    RingDone done;
    for (guint32 number = 0; number < ROUNDS; number++) {
        announce_number(front, number);
        await_reply(front, &done);
        accept_answer(front, &done);
    }
    stop_worker(front, 0, pid);
}
END_TEST

START_TEST(stop_ends_a_worker_whether_it_sleeps_or_not)
{
    enum { ROUNDS = 200 };
    g_autoptr(RingFront) front = new_front(1, 1);
    RingDone done;
    for (guint32 round = 0; round < ROUNDS; round++) {
        const pid_t pid = fork_worker(front, 0, (guint16)round, answer_number);
        if (round % 2 == 0) { /* then it has begun, and sleeps soon */
            announce_number(front, round);
            await_reply(front, &done);
            accept_answer(front, &done);
        }
        stop_worker(front, 0, pid);
        ring_front_reset_seat(front, 0);
    }
}
END_TEST

/* The first of each pair of calls ends when the second has: both must run at the same time. */
static int second_has_run[2];

static void answer_in_pairs(RingWorker *worker, const RingCall *call)
{
    gchar byte = 0;
    if (number_of_call(call) % 2 == 1)
        g_assert(write(second_has_run[1], &byte, 1) == 1);
    else
        g_assert(read(second_has_run[0], &byte, 1) == 1);
    answer_number(worker, call);
}

START_TEST(no_call_waits_while_a_worker_is_idle)
{
    enum { WORKERS = 2, PAIRS = 20000 };
    g_autoptr(RingFront) front = new_front(WORKERS, 2 * WORKERS);
    pid_t pids[WORKERS];
    RingDone done;
    ck_assert_int_eq(pipe(second_has_run), 0);
    for (guint32 i = 0; i < WORKERS; i++)
        pids[i] = fork_worker(front, i, 1, answer_in_pairs);
    for (guint32 pair = 0; pair < PAIRS; pair++) {
        announce_number(front, 2 * pair);
        announce_number(front, 2 * pair + 1);
        for (guint i = 0; i < 2; i++) {
            await_reply(front, &done);
            accept_answer(front, &done);
        }
    }
    for (guint32 i = 0; i < WORKERS; i++)
        stop_worker(front, i, pids[i]);
}
END_TEST

/* A handler that runs until nobody waits for it any more. */
static void answer_once_cancelled(RingWorker *worker, const RingCall *call)
{
    const _Atomic guint32 *cancelled = &ring_worker_signals(worker)->cancelled;
    while (atomic_load(cancelled) == 0) {
    }
    answer_number(worker, call);
}

START_TEST(a_running_handler_sees_that_its_call_is_cancelled)
{
    g_autoptr(RingFront) front = new_front(1, 1);
    const pid_t pid = fork_worker(front, 0, 1, answer_once_cancelled);
    RingDone done;
    ring_front_cancel(front, announce_number(front, 1));
    await_reply(front, &done);
    accept_answer(front, &done);
    stop_worker(front, 0, pid);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("ring processes");
    TCase *tcase = tcase_create("two processes");
    tcase_set_timeout(tcase, TEST_TIMEOUT_SEC);
    tcase_add_test(tcase, every_field_crosses_unchanged_in_both_directions);
    tcase_add_loop_test(tcase, every_call_is_answered_exactly_once, 0, G_N_ELEMENTS(worker_counts));
    tcase_add_test(tcase, a_call_is_either_taken_back_or_answered);
    tcase_add_test(tcase, no_wake_up_is_lost_in_either_direction);
    tcase_add_test(tcase, stop_ends_a_worker_whether_it_sleeps_or_not);
    tcase_add_test(tcase, no_call_waits_while_a_worker_is_idle);
    tcase_add_test(tcase, a_running_handler_sees_that_its_call_is_cancelled);
    suite_add_tcase(suite, tcase);
    return suite;
}
