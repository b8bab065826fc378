/* test_ring_steps.c - what others do between two steps of one side, at every place in turn.
 *
 * A race that needs somebody to be interrupted at one instruction is met once in a million
 * runs, or here, each time: this program compiles the ring with a call of step() before each
 * of its sequentially consistent operations, and others act from there.                      */
#include "actor/ring/layout.h"

static void step(void);
#undef atomic_load
#undef atomic_store
#undef atomic_exchange
#undef atomic_fetch_and
#undef atomic_fetch_or
#undef atomic_compare_exchange_strong
#define atomic_load(at)         (step(), atomic_load_explicit(at, memory_order_seq_cst))
#define atomic_store(at, value) (step(), atomic_store_explicit(at, value, memory_order_seq_cst))
#define atomic_exchange(at, value) \
    (step(), atomic_exchange_explicit(at, value, memory_order_seq_cst))
#define atomic_fetch_and(at, bits) \
    (step(), atomic_fetch_and_explicit(at, bits, memory_order_seq_cst))
#define atomic_fetch_or(at, bits) (step(), atomic_fetch_or_explicit(at, bits, memory_order_seq_cst))
#define atomic_compare_exchange_strong(at, expected, value)                                     \
    (step(), atomic_compare_exchange_strong_explicit(at, expected, value, memory_order_seq_cst, \
                                                     memory_order_seq_cst))
#include "actor/ring/futex.h"
static void sleep_instead(_Atomic guint32 *word, guint32 seen);
#define futex_wait(word, seen, usec) ((void)(usec), sleep_instead(word, seen))
#include "actor/ring/layout.c"
#include "actor/ring/ring_front.c"
#include "actor/ring/ring_worker.c"

#include "tests/unit/runner.h"
#include "tests/unit/test_ring_fixture.h"

#define STEPS_MAX 24u /* more than a worker makes in one ring_worker_take() */

/* Counts the steps of one side; `at_step` acts for the others, whose own steps do not count. */
static struct {
    void (*at_step)(guint n);
    guint n;
} watch;

static void step(void)
{
    void (*act)(guint n) = watch.at_step;
    if (act == NULL)
        return;
    watch.at_step = NULL;
    act(watch.n++);
    watch.at_step = act;
}

static void watch_with(void (*act)(guint n))
{
    watch.at_step = act;
    watch.n = 0;
}

static RingTake take_watched(RingWorker *worker, RingCall *call, void (*act)(guint n))
{
    watch_with(act);
    const RingTake taken = ring_worker_take(worker, call, 0);
    watch_with(NULL);
    return taken;
}

/* Who acts in between, and at which steps. */
static struct {
    RingFront *front;
    RingWorker *worker;
    guint looks, announces;
} other;

static void ignore_abandoned(guint32 slot, gpointer job, const RingClaim *claim, gpointer user)
{
    (void)slot;
    (void)job;
    (void)claim;
    (void)user;
}

/* --- the head of the ready ring ---------------------------------------------------------- */

static void look_and_announce(guint n)
{
    RingCall call;
    if (n == other.looks)
        ck_assert_int_eq(ring_worker_try_take(other.worker, &call), RING_NOTHING);
    if (n == other.announces)
        announce_number(other.front, 100);
}

/* So many take-backs that the tail has come round past the head, where it was left. */
static void overtake_the_head(RingFront *front)
{
    for (guint32 number = 0; number < 20; number++)
        ck_assert(ring_front_take_back(front, announce_number(front, number)));
}

/* Both workers find the head overtaken; the call comes while one of them repairs that. */
static void play_overtaken(void)
{
    g_autoptr(RingFront) front = new_front(2, 2);
    g_autoptr(RingWorker) worker = new_worker(front, 0, 1);
    RingCall call;
    other.front = front;
    other.worker = new_worker(front, 1, 1);
    overtake_the_head(front);
    RingTake taken = take_watched(worker, &call, look_and_announce);
    if (taken == RING_NOTHING && ring_front_used_slots(front) == 1)
        taken = ring_worker_try_take(other.worker, &call);
    ck_assert_msg(taken == RING_TAKEN || ring_front_used_slots(front) == 0,
                  "no worker finds the call: steps %u, %u", other.looks, other.announces);
    ring_front_abandon(front, ignore_abandoned, NULL);
    ring_worker_free(other.worker);
}

START_TEST(workers_that_repair_an_overtaken_head_at_once_miss_no_call)
{
    for (other.looks = 0; other.looks < STEPS_MAX; other.looks++)
        for (other.announces = other.looks; other.announces < STEPS_MAX; other.announces++)
            play_overtaken();
}
END_TEST

/* --- falling asleep ---------------------------------------------------------------------- */

static gboolean has_come, has_slept_over_it;

/* Where a worker would sleep, if the futex still lets it. */
static void sleep_instead(_Atomic guint32 *word, guint32 seen)
{
    has_slept_over_it = has_come && atomic_load_explicit(word, memory_order_seq_cst) == seen;
}

static void announce_one(guint n)
{
    if (n != other.announces)
        return;
    announce_number(other.front, 1);
    has_come = TRUE;
}

static void stop_the_worker(guint n)
{
    if (n != other.announces)
        return;
    ring_front_stop_worker(other.front, 0);
    has_come = TRUE;
}

/* `act` comes at each step in turn. */
static void take_while(void (*act)(guint n))
{
    for (other.announces = 0; other.announces < STEPS_MAX; other.announces++) {
        g_autoptr(RingFront) front = new_front(1, 1);
        g_autoptr(RingWorker) worker = new_worker(front, 0, 1);
        RingCall call;
        other.front = front;
        has_come = has_slept_over_it = FALSE;
        take_watched(worker, &call, act);
        ck_assert_msg(!has_slept_over_it, "at step %u", other.announces);
        ring_front_abandon(front, ignore_abandoned, NULL);
    }
}

START_TEST(no_worker_falls_asleep_over_a_call) { take_while(announce_one); }
END_TEST

START_TEST(no_worker_that_is_stopped_falls_asleep) { take_while(stop_the_worker); }
END_TEST

/* --- sleep and waking -------------------------------------------------------------------- */

/* Three things that happen while a worker takes a call, in this order, at these of its steps. */
static struct {
    guint first_call, falls_asleep, second_call;
} plan;

static gboolean other_sleeps;
static guint32 other_ticket;

/* As ring_worker_take() does, but for the wait itself. */
static void fall_asleep(void)
{
    RingLayout *ring = &other.worker->ring;
    const guint64 bit = G_GUINT64_CONSTANT(1) << other.worker->index;
    RingCall call;
    other_ticket = atomic_load(&ring->seats[other.worker->index].futex);
    atomic_fetch_or(&ring->shared->sleep_map[0], bit);
    other_sleeps = ring_worker_try_take(other.worker, &call) == RING_NOTHING;
    if (!other_sleeps)
        atomic_fetch_and(&ring->shared->sleep_map[0], ~bit);
}

static gboolean other_is_woken(void)
{
    return atomic_load(&other.worker->ring.seats[other.worker->index].futex) != other_ticket;
}

static void follow_the_plan(guint n)
{
    if (n == plan.first_call)
        announce_number(other.front, 1);
    if (n == plan.falls_asleep)
        fall_asleep();
    if (n == plan.second_call)
        announce_number(other.front, 2);
}

/* The worker that took a call is busy with it; one that took none looks again.  The other
 * sleeps, or was woken and looks, or is busy. */
static void play_the_plan(guint32 index)
{
    g_autoptr(RingFront) front = new_front(2, 2);
    g_autoptr(RingWorker) worker = new_worker(front, index, 1);
    RingCall call;
    other.front = front;
    other.worker = new_worker(front, 1 - index, 1);
    other_sleeps = FALSE;
    const gboolean is_busy = take_watched(worker, &call, follow_the_plan) == RING_TAKEN;
    if (is_busy && other_sleeps && !other_is_woken())
        ck_assert_msg(ring_worker_try_take(other.worker, &call) == RING_NOTHING,
                      "a call waits beside a sleeping worker: steps %u, %u, %u", plan.first_call,
                      plan.falls_asleep, plan.second_call);
    ring_front_abandon(front, ignore_abandoned, NULL);
    ring_worker_free(other.worker);
}

START_TEST(no_call_waits_beside_a_sleeping_worker)
{
    for (plan.first_call = 0; plan.first_call < STEPS_MAX; plan.first_call++)
        for (plan.falls_asleep = plan.first_call; plan.falls_asleep < STEPS_MAX;
             plan.falls_asleep++)
            for (plan.second_call = plan.falls_asleep; plan.second_call < STEPS_MAX;
                 plan.second_call++)
                play_the_plan((guint32)_i);
}
END_TEST

/* --- taking back ------------------------------------------------------------------------- */

static gboolean other_has_it;

static void look_for_it(guint n)
{
    RingCall call;
    if (n == other.looks)
        other_has_it = ring_worker_try_take(other.worker, &call) == RING_TAKEN;
}

START_TEST(a_call_claimed_while_it_is_taken_back_is_the_workers_alone)
{
    for (other.looks = 0; other.looks < STEPS_MAX; other.looks++) {
        g_autoptr(RingFront) front = new_front(1, 1);
        const guint32 slot = announce_number(front, 1);
        other.worker = new_worker(front, 0, 1);
        other_has_it = FALSE;
        watch_with(look_for_it);
        const gboolean is_back = ring_front_take_back(front, slot);
        watch_with(NULL);
        ck_assert_int_ne(is_back, other_has_it);
        ring_front_abandon(front, ignore_abandoned, NULL);
        ring_worker_free(other.worker);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("ring steps");
    TCase *tcase = tcase_create("steps");
    tcase_set_timeout(tcase, TEST_TIMEOUT_SEC);
    tcase_add_test(tcase, workers_that_repair_an_overtaken_head_at_once_miss_no_call);
    tcase_add_test(tcase, no_worker_falls_asleep_over_a_call);
    tcase_add_test(tcase, no_worker_that_is_stopped_falls_asleep);
    tcase_add_loop_test(tcase, no_call_waits_beside_a_sleeping_worker, 0, 2);
    tcase_add_test(tcase, a_call_claimed_while_it_is_taken_back_is_the_workers_alone);
    suite_add_tcase(suite, tcase);
    return suite;
}
