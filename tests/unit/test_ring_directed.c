/* test_ring_directed.c - calls for one particular worker, and what a worker says of its call. */
#include "actor/ring/front_state.h"
#include "tests/unit/runner.h"
#include "tests/unit/test_ring_fixture.h"

START_TEST(a_call_for_one_worker_reaches_no_other)
{
    g_autoptr(RingFront) front = new_front(2, 2);
    g_autoptr(RingWorker) first = new_worker(front, 0, 1);
    g_autoptr(RingWorker) second = new_worker(front, 1, 1);
    RingCall call;
    RingDone done;
    announce_number_to(front, 1, 4);
    ck_assert_int_eq(ring_worker_try_take(first, &call), RING_NOTHING);
    ck_assert_int_eq(ring_worker_try_take(second, &call), RING_TAKEN);
    ck_assert_uint_eq(number_of_call(&call), 4);
    ck_assert_int_eq(ring_worker_try_take(first, &call), RING_NOTHING);
    answer_number(second, &call);
    ck_assert(ring_front_collect(front, &done));
    ck_assert_uint_eq(done.worker, 1);
    ck_assert_uint_eq(accept_answer(front, &done), 4);
}
END_TEST

START_TEST(a_worker_takes_its_own_call_before_those_for_all)
{
    g_autoptr(RingFront) front = new_front(1, 2);
    g_autoptr(RingWorker) worker = new_worker(front, 0, 1);
    RingCall call;
    RingDone done;
    announce_number(front, 1);
    announce_number_to(front, 0, 2);
    for (guint32 number = 2; number > 0; number--) {
        ck_assert_int_eq(ring_worker_try_take(worker, &call), RING_TAKEN);
        ck_assert_uint_eq(number_of_call(&call), number);
        answer_number(worker, &call);
        ck_assert(ring_front_collect(front, &done));
        ck_assert_uint_eq(accept_answer(front, &done), number);
    }
}
END_TEST

START_TEST(a_call_for_one_worker_that_was_taken_back_makes_room_for_the_next)
{
    g_autoptr(RingFront) front = new_front(1, 2);
    g_autoptr(RingWorker) worker = new_worker(front, 0, 1);
    RingCall call;
    RingDone done;
    ck_assert(ring_front_take_back(front, announce_number_to(front, 0, 1)));
    ck_assert_int_eq(ring_worker_try_take(worker, &call), RING_NOTHING);
    ck_assert(ring_front_take_back(front, announce_number_to(front, 0, 2)));
    announce_number_to(front, 0, 3);
    ck_assert_int_eq(ring_worker_try_take(worker, &call), RING_TAKEN);
    ck_assert_uint_eq(number_of_call(&call), 3);
    answer_number(worker, &call);
    ck_assert(ring_front_collect(front, &done));
    accept_answer(front, &done);
}
END_TEST

/* Or the call would wait beside a worker that sleeps until the one that stops is dead. */
START_TEST(a_worker_that_stops_passes_on_the_wake_up_that_it_had_for_a_call)
{
    g_autoptr(RingFront) front = new_front(2, 2);
    const pid_t first = fork_worker(front, 0, 1, answer_number),
                second = fork_worker(front, 1, 1, answer_number);
    RingDone done;
    while (atomic_load(&front->ring.shared->sleep_map[0]) != 3)
        g_thread_yield();
    ck_assert_int_eq(kill(first, SIGSTOP), 0);
    ck_assert_int_eq(waitpid(first, NULL, WUNTRACED), first);
    announce_number(front, 7); /* wakes the first, which cannot hear it yet */
    ring_front_stop_worker(front, 0);
    ck_assert_int_eq(kill(first, SIGCONT), 0);
    await_reply(front, &done);
    ck_assert_uint_eq(done.worker, 1);
    ck_assert_uint_eq(accept_answer(front, &done), 7);
    assert_ended_well(first);
    stop_worker(front, 1, second);
}
END_TEST

typedef struct {
    guint started, unstarted;
} Taken;

static void count_taken(guint32 slot, gpointer job, const RingClaim *claim, gpointer user)
{
    Taken *taken = user;
    (void)slot;
    (void)job;
    claim == NULL ? taken->unstarted++ : taken->started++;
}

START_TEST(what_only_a_dead_worker_could_have_taken_comes_back_unstarted)
{
    g_autoptr(RingFront) front = new_front(2, 4);
    g_autoptr(RingWorker) worker = new_worker(front, 0, 1);
    Taken taken = { 0, 0 };
    RingCall call;
    announce_number_to(front, 0, 1);
    ck_assert_int_eq(ring_worker_try_take(worker, &call), RING_TAKEN);
    announce_number_to(front, 0, 2);
    announce_number_to(front, 1, 3); /* another's */
    announce_number(front, 4);       /* anybody's */
    ring_front_worker_gone(front, 0, 1, count_taken, &taken);
    ck_assert_uint_eq(taken.started, 1);
    ck_assert_uint_eq(taken.unstarted, 1);
    ring_front_abandon(front, count_taken, &taken);
    ck_assert_uint_eq(taken.unstarted, 3);
}
END_TEST

START_TEST(a_worker_that_follows_a_dead_one_finds_nothing_in_its_inbox)
{
    g_autoptr(RingFront) front = new_front(1, 2);
    Taken taken = { 0, 0 };
    RingCall call;
    announce_number_to(front, 0, 1);
    ring_front_worker_gone(front, 0, 1, count_taken, &taken);
    g_autoptr(RingWorker) next = new_worker(front, 0, 2);
    ck_assert_int_eq(ring_worker_try_take(next, &call), RING_NOTHING);
    ck_assert_uint_eq(taken.unstarted, 1);
}
END_TEST

START_TEST(a_sleeping_worker_wakes_for_its_own_call)
{
    g_autoptr(RingFront) front = new_front(2, 2);
    pid_t pids[2];
    RingDone done;
    for (guint32 i = 0; i < 2; i++)
        pids[i] = fork_worker(front, i, 1, answer_number);
    for (guint32 number = 0; number < 2000; number++) {
        announce_number_to(front, number % 2, number);
        await_reply(front, &done);
        ck_assert_uint_eq(done.worker, number % 2);
        ck_assert_uint_eq(accept_answer(front, &done), number);
    }
    for (guint32 i = 0; i < 2; i++)
        stop_worker(front, i, pids[i]);
}
END_TEST

START_TEST(a_reply_from_another_worker_than_the_one_asked_is_no_reply)
{
    g_autoptr(RingFront) front = new_front(2, 2);
    RingLayout layout;
    RingGeometry geometry;
    RingDone done;
    Taken taken = { 0, 0 };
    ck_assert(ring_geometry_read(ring_front_segment_fd(front), &geometry));
    ck_assert(ring_layout_map(&layout, &geometry, ring_front_segment_fd(front), NULL));
    const guint32 slot = announce_number_to(front, 1, 1);
    const guint32 sequence = slot_sequence(layout.slots[slot].word);
    layout.slots[slot].word = slot_word(SLOT_DONE, 0, 1, sequence);
    layout.shared->done_map[0] = 1;
    ck_assert(!ring_front_collect(front, &done));
    ck_assert(ring_front_is_corrupt(front));
    ring_front_abandon(front, count_taken, &taken);
    ring_layout_unmap(&layout);
}
END_TEST

/* --- what a worker says of its call ------------------------------------------------------ */

START_TEST(times_that_a_worker_tells_are_believed_within_what_is_possible)
{
    static const struct {
        gint64 told, now, believed;
    } cases[] = { { 0, 100, 0 },           { 50, 100, 50 },        { 100, 100, 100 },
                  { -1, 100, 0 },          { G_MININT64, 100, 0 }, { 101, 100, 100 },
                  { G_MAXINT64, 100, 100 } };
    g_autoptr(RingFront) front = new_front(1, 1);
    g_autoptr(RingWorker) worker = new_worker(front, 0, 1);
    Taken taken = { 0, 0 };
    RingCall call;
    RingClaim claim;
    const guint32 slot = announce_number(front, 1);
    ck_assert_int_eq(ring_worker_try_take(worker, &call), RING_TAKEN);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        ring_worker_signals(worker)->claimed_usec = cases[i].told;
        ring_worker_signals(worker)->progress_usec = cases[i].told;
        ring_worker_signals(worker)->protect_usec = cases[i].told;
        ck_assert(ring_front_claim(front, slot, cases[i].now, &claim));
        ck_assert_int_eq(claim.claimed_usec, cases[i].believed);
        ck_assert_int_eq(claim.progress_usec, cases[i].believed);
        ck_assert_int_eq(claim.protect_usec, MAX(cases[i].told, 0));
    }
    ring_front_abandon(front, count_taken, &taken);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("ring directed");
    TCase *tcase = tcase_create("directed");
    tcase_add_test(tcase, a_call_for_one_worker_reaches_no_other);
    tcase_add_test(tcase, a_worker_takes_its_own_call_before_those_for_all);
    tcase_add_test(tcase, a_call_for_one_worker_that_was_taken_back_makes_room_for_the_next);
    tcase_add_test(tcase, a_worker_that_stops_passes_on_the_wake_up_that_it_had_for_a_call);
    tcase_add_test(tcase, what_only_a_dead_worker_could_have_taken_comes_back_unstarted);
    tcase_add_test(tcase, a_worker_that_follows_a_dead_one_finds_nothing_in_its_inbox);
    tcase_add_test(tcase, a_sleeping_worker_wakes_for_its_own_call);
    tcase_add_test(tcase, a_reply_from_another_worker_than_the_one_asked_is_no_reply);
    tcase_add_test(tcase, times_that_a_worker_tells_are_believed_within_what_is_possible);
    suite_add_tcase(suite, tcase);
    return suite;
}
