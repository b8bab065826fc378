/* test_ring_fixture.h - a ring, numbered calls to put into it, and workers to empty it.
 *
 * The arguments of a numbered call are its number; the right answer is every bit of it
 * turned over, so an answer that went to another call is seen.                            */
#pragma once
#include "actor/ring/ring_front.h"
#include "actor/ring/ring_worker.h"
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Nothing waits so long unless a wake-up was lost.  The only limit of time in these tests. */
#define PATIENCE_MSEC    30000
#define PATIENCE_USEC    ((gint64)PATIENCE_MSEC * 1000)
#define TEST_TIMEOUT_SEC 120

#define MESSAGE_MAX_BYTES 4096u

static inline RingFront *new_front(guint32 workers, guint32 slots)
{
    const RingGeometry geometry = { workers, slots, MESSAGE_MAX_BYTES, MESSAGE_MAX_BYTES };
    RingFront *front = ring_front_new(&geometry, NULL);
    ck_assert_ptr_nonnull(front);
    return front;
}

/* As sluice-host does it: all that a worker knows of the ring is in the segment. */
static inline RingWorker *new_worker(const RingFront *front, guint32 index, guint16 incarnation)
{
    RingGeometry geometry;
    const int segment = ring_front_segment_fd(front);
    g_assert(ring_geometry_read(segment, &geometry));
    RingWorker *worker =
        ring_worker_new(segment, ring_front_event_fd(front), &geometry, index, incarnation, NULL);
    g_assert(worker != NULL);
    return worker;
}

/* --- numbered calls ---------------------------------------------------------------------- */

/* The number must stay where it is until the call is announced. */
static inline RingCall call_of_number(const guint32 *number)
{
    return (RingCall){ .method = "turn",
                       .peer = "127.0.0.1:4711",
                       .deadline_usec = G_MAXINT64,
                       .args = (const guint8 *)number,
                       .args_bytes = sizeof *number };
}

static inline guint32 announce_number(RingFront *front, guint32 number)
{
    const RingCall call = call_of_number(&number);
    return ring_front_announce(front, &call, GUINT_TO_POINTER(number + 1));
}

/* For that worker alone. */
static inline guint32 announce_number_to(RingFront *front, guint32 worker, guint32 number)
{
    const RingCall call = call_of_number(&number);
    return ring_front_announce_to(front, worker, &call, GUINT_TO_POINTER(number + 1));
}

static inline guint32 number_of_job(gpointer job) { return GPOINTER_TO_UINT(job) - 1; }

static inline guint32 number_of_call(const RingCall *call)
{
    guint32 number;
    g_assert(call->args_bytes == sizeof number);
    memcpy(&number, call->args, sizeof number);
    return number;
}

static inline void answer_number(RingWorker *worker, const RingCall *call)
{
    const guint32 answer = ~number_of_call(call);
    gsize capacity;
    guint8 *body = ring_worker_reply_area(worker, &capacity);
    memcpy(body, &answer, sizeof answer);
    const RingReply reply = { .outcome = RING_REPLY, .body = body, .body_bytes = sizeof answer };
    ring_worker_finish(worker, &reply);
}

/* Checks the answer and lets go of it; returns the call's number. */
static inline guint32 accept_answer(RingFront *front, const RingDone *done)
{
    const guint32 number = number_of_job(done->job);
    guint32 answer;
    ck_assert_int_eq(done->reply.outcome, RING_REPLY);
    ck_assert_uint_eq(done->reply.body_bytes, sizeof answer);
    memcpy(&answer, done->reply.body, sizeof answer);
    ck_assert_uint_eq(answer, ~number);
    ring_front_release(front, done->slot);
    return number;
}

/* --- worker processes -------------------------------------------------------------------- */

typedef void (*AnswerFunc)(RingWorker *worker, const RingCall *call);

/* A process that answers calls until it is stopped, and then exits with 0. */
static inline pid_t fork_worker(const RingFront *front, guint32 index, guint16 incarnation,
                                AnswerFunc answer)
{
    const pid_t parent = getpid();
    const pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    RingWorker *worker = new_worker(front, index, incarnation);
    RingCall call;
    RingTake taken;
    while ((taken = ring_worker_take(worker, &call, PATIENCE_USEC)) != RING_STOP)
        if (taken == RING_TAKEN)
            answer(worker, &call);
    _exit(0);
}

static inline void assert_ended_well(pid_t pid)
{
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "wait status 0x%x", status);
}

static inline void stop_worker(RingFront *front, guint32 index, pid_t pid)
{
    ring_front_stop_worker(front, index);
    assert_ended_well(pid);
}

static inline void kill_worker(pid_t pid)
{
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* --- the front's waiting ----------------------------------------------------------------- */

/* As the daemon's loop does it: poll only when arming says that nothing is there. */
static inline void sleep_until_signalled(RingFront *front)
{
    struct pollfd event = { .fd = ring_front_event_fd(front), .events = POLLIN };
    if (!ring_front_arm(front)) {
        ck_assert_msg(poll(&event, 1, PATIENCE_MSEC) == 1, "a wake-up was lost");
        ring_front_clear_event(front);
    }
    ring_front_disarm(front);
}

static inline void await_reply(RingFront *front, RingDone *done)
{
    while (!ring_front_collect(front, done)) {
        ck_assert(!ring_front_is_corrupt(front));
        sleep_until_signalled(front);
    }
}
