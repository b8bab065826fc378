/* test_ring_death.c - a worker process may be killed at any instruction: each call is then
 * done, handed to `lost`, or still announced and done by another; once, and none is missing. */
#include "actor/ring/layout.h"
#include "tests/unit/runner.h"
#include "tests/unit/test_ring_fixture.h"

/* Where a lost call is counted. */
typedef struct {
    guint8 *ends; /* per call */
    guint calls;
} Lost;

static void count_lost(guint32 slot, gpointer job, const RingClaim *claim, gpointer user)
{
    Lost *lost = user;
    (void)slot;
    ck_assert(claim != NULL);
    lost->calls++;
    lost->ends[number_of_job(job)]++;
}

/* --- at moments that the test chooses ---------------------------------------------------- */

static void die_over_it(RingWorker *worker, const RingCall *call)
{
    (void)worker;
    (void)call;
    raise(SIGKILL);
}

START_TEST(a_worker_that_dies_over_a_call_loses_that_one_and_no_other)
{
    g_autoptr(RingFront) front = new_front(2, 4);
    guint8 ends[3] = { 0 };
    Lost lost = { ends, 0 };
    RingDone done;
    for (guint32 number = 0; number < G_N_ELEMENTS(ends); number++)
        announce_number(front, number);
    const pid_t doomed = fork_worker(front, 0, 1, die_over_it);
    ck_assert_int_eq(waitpid(doomed, NULL, 0), doomed);
    ck_assert(!ring_front_collect(front, &done));
    ring_front_worker_gone(front, 0, 1, count_lost, &lost);
    ck_assert_uint_eq(lost.calls, 1);
    ck_assert_uint_eq(ends[0], 1);
    ck_assert_uint_eq(ring_front_used_slots(front), 2);
    const pid_t heir = fork_worker(front, 1, 1, answer_number);
    for (guint i = 0; i < 2; i++) {
        await_reply(front, &done);
        ends[accept_answer(front, &done)]++;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
        ck_assert_uint_eq(ends[i], 1);
    stop_worker(front, 1, heir);
}
END_TEST

START_TEST(the_death_of_another_incarnation_loses_nothing)
{
    g_autoptr(RingFront) front = new_front(2, 2);
    g_autoptr(RingWorker) worker = new_worker(front, 0, 2);
    guint8 ends[1] = { 0 };
    Lost lost = { ends, 0 };
    RingCall call;
    RingDone done;
    announce_number(front, 0);
    ck_assert_int_eq(ring_worker_try_take(worker, &call), RING_TAKEN);
    ring_front_worker_gone(front, 0, 1, count_lost, &lost);
    ring_front_worker_gone(front, 1, 2, count_lost, &lost);
    ck_assert_uint_eq(lost.calls, 0);
    answer_number(worker, &call);
    ck_assert(ring_front_collect(front, &done));
    accept_answer(front, &done);
}
END_TEST

/* What new_front(2, 2) has. */
static const RingGeometry two_of_each = { 2, 2, MESSAGE_MAX_BYTES, MESSAGE_MAX_BYTES };

/* Makes the one step of a worker that comes before the instant of its death. */
static void step_and_die(RingFront *front, guint32 slot, SlotPhase from, SlotPhase to)
{
    RingLayout layout;
    ck_assert(ring_layout_map(&layout, &two_of_each, ring_front_segment_fd(front), NULL));
    const guint64 word = atomic_load(&layout.slots[slot].word);
    ck_assert_int_eq(slot_phase(word), from);
    atomic_store(&layout.slots[slot].word, slot_word(to, 0, 1, slot_sequence(word)));
    ring_layout_unmap(&layout);
}

START_TEST(a_worker_that_dies_right_after_its_claim_holds_up_nobody)
{
    g_autoptr(RingFront) front = new_front(2, 2);
    g_autoptr(RingWorker) other = new_worker(front, 1, 1);
    guint8 ends[2] = { 0 };
    Lost lost = { ends, 0 };
    RingCall call;
    RingDone done;
    step_and_die(front, announce_number(front, 0), SLOT_READY, SLOT_CLAIMED);
    announce_number(front, 1);
    ck_assert_int_eq(ring_worker_try_take(other, &call), RING_TAKEN);
    ck_assert_uint_eq(number_of_call(&call), 1);
    ring_front_worker_gone(front, 0, 1, count_lost, &lost);
    ck_assert_uint_eq(ends[0], 1);
    answer_number(other, &call);
    ck_assert(ring_front_collect(front, &done));
    ck_assert_uint_eq(accept_answer(front, &done), 1);
}
END_TEST

/* The word says done, the bit in the done map is not up yet, and never will be. */
START_TEST(a_worker_that_dies_right_after_its_reply_has_given_it)
{
    g_autoptr(RingFront) front = new_front(2, 2);
    g_autoptr(RingWorker) worker = new_worker(front, 0, 1);
    guint8 ends[1] = { 0 };
    Lost lost = { ends, 0 };
    RingCall call;
    RingDone done;
    const guint32 slot = announce_number(front, 0);
    ck_assert_int_eq(ring_worker_try_take(worker, &call), RING_TAKEN);
    step_and_die(front, slot, SLOT_CLAIMED, SLOT_DONE);
    ck_assert(!ring_front_collect(front, &done));
    ring_front_worker_gone(front, 0, 1, count_lost, &lost);
    ck_assert_uint_eq(lost.calls, 0);
    ck_assert(ring_front_collect(front, &done));
    ring_front_release(front, done.slot);
    ck_assert(!ring_front_collect(front, &done));
}
END_TEST

/* Both sleep; the call wakes the first, which dies of something else before it looks. */
START_TEST(the_wake_up_of_a_worker_that_died_goes_to_another)
{
    g_autoptr(RingFront) front = new_front(2, 2);
    Lost lost = { NULL, 0 };
    RingLayout layout;
    ck_assert(ring_layout_map(&layout, &two_of_each, ring_front_segment_fd(front), NULL));
    const guint32 ticket = atomic_load(&layout.seats[1].futex);
    atomic_store(&layout.shared->sleep_map[0], 3);
    const guint32 slot = announce_number(front, 0);
    ck_assert_uint_eq(atomic_load(&layout.seats[1].futex), ticket);
    ring_front_worker_gone(front, 0, 1, count_lost, &lost);
    ck_assert_uint_ne(atomic_load(&layout.seats[1].futex), ticket);
    ck_assert(ring_front_take_back(front, slot));
    ring_layout_unmap(&layout);
}
END_TEST

/* --- at moments that nobody chooses ------------------------------------------------------ */

#define WORKERS         2u
#define CALLS_PER_ROUND 64u

typedef struct {
    RingFront *front;
    GRand *random;
    guint8 ends[CALLS_PER_ROUND];
    guint n_announced;
    guint n_ended;
    pid_t pids[WORKERS];
    guint16 incarnations[WORKERS];
} Round;

static void collect_all(Round *round)
{
    RingDone done;
    while (ring_front_collect(round->front, &done)) {
        round->ends[accept_answer(round->front, &done)]++;
        round->n_ended++;
    }
    ck_assert(!ring_front_is_corrupt(round->front));
}

static void announce_all_there_is_room_for(Round *round)
{
    while (round->n_announced < CALLS_PER_ROUND && ring_front_has_room(round->front))
        announce_number(round->front, round->n_announced++);
}

/* What the kill falls upon depends on how far the workers came with this much of the work. */
static void work_for_a_while(Round *round)
{
    for (gint passes = g_rand_int_range(round->random, 0, 40); passes > 0; passes--) {
        announce_all_there_is_room_for(round);
        collect_all(round);
    }
}

static void replace_one_by_force(Round *round)
{
    const guint32 victim = (guint32)g_rand_int_range(round->random, 0, WORKERS);
    Lost lost = { round->ends, 0 };
    kill_worker(round->pids[victim]);
    collect_all(round);
    ring_front_worker_gone(round->front, victim, round->incarnations[victim], count_lost, &lost);
    ck_assert_uint_le(lost.calls, 1);
    round->n_ended += lost.calls;
    round->pids[victim] =
        fork_worker(round->front, victim, ++round->incarnations[victim], answer_number);
}

static void play(Round *round)
{
    RingDone done;
    memset(round->ends, 0, sizeof round->ends);
    round->n_announced = round->n_ended = 0;
    work_for_a_while(round);
    replace_one_by_force(round);
    while (round->n_ended < CALLS_PER_ROUND) {
        announce_all_there_is_room_for(round);
        collect_all(round);
        if (round->n_ended == round->n_announced)
            continue;
        await_reply(round->front, &done);
        round->ends[accept_answer(round->front, &done)]++;
        round->n_ended++;
    }
    for (guint32 number = 0; number < CALLS_PER_ROUND; number++)
        ck_assert_uint_eq(round->ends[number], 1);
    ck_assert_uint_eq(ring_front_used_slots(round->front), 0);
}

START_TEST(killed_workers_lose_one_call_each_at_most_and_none_is_missing_or_doubled)
{
    enum { ROUNDS = 600 };
    Round round = { .front = new_front(WORKERS, 8), .random = g_rand_new_with_seed(3) };
    for (guint32 i = 0; i < WORKERS; i++)
        round.pids[i] = fork_worker(round.front, i, round.incarnations[i], answer_number);
    for (guint i = 0; i < ROUNDS; i++)
        play(&round);
    for (guint32 i = 0; i < WORKERS; i++)
        stop_worker(round.front, i, round.pids[i]);
    ring_front_free(round.front);
    g_rand_free(round.random);
}
END_TEST

/* --- all of them ------------------------------------------------------------------------- */

typedef struct {
    guint claimed, unclaimed;
} Abandoned;

static void count_abandoned(guint32 slot, gpointer job, const RingClaim *claim, gpointer user)
{
    Abandoned *abandoned = user;
    (void)slot;
    (void)job;
    claim == NULL ? abandoned->unclaimed++ : abandoned->claimed++;
}

START_TEST(abandoning_tells_what_no_worker_had_started)
{
    g_autoptr(RingFront) front = new_front(1, 4);
    Abandoned abandoned = { 0, 0 };
    for (guint32 number = 0; number < 4; number++)
        announce_number(front, number);
    const pid_t doomed = fork_worker(front, 0, 1, die_over_it);
    ck_assert_int_eq(waitpid(doomed, NULL, 0), doomed);
    ring_front_abandon(front, count_abandoned, &abandoned);
    ck_assert_uint_eq(abandoned.claimed, 1);
    ck_assert_uint_eq(abandoned.unclaimed, 3);
    ck_assert_uint_eq(ring_front_used_slots(front), 0);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("ring death");
    TCase *tcase = tcase_create("death");
    tcase_set_timeout(tcase, TEST_TIMEOUT_SEC);
    tcase_add_test(tcase, a_worker_that_dies_over_a_call_loses_that_one_and_no_other);
    tcase_add_test(tcase, the_death_of_another_incarnation_loses_nothing);
    tcase_add_test(tcase, a_worker_that_dies_right_after_its_claim_holds_up_nobody);
    tcase_add_test(tcase, a_worker_that_dies_right_after_its_reply_has_given_it);
    tcase_add_test(tcase, the_wake_up_of_a_worker_that_died_goes_to_another);
    tcase_add_test(tcase, killed_workers_lose_one_call_each_at_most_and_none_is_missing_or_doubled);
    tcase_add_test(tcase, abandoning_tells_what_no_worker_had_started);
    suite_add_tcase(suite, tcase);
    return suite;
}
