/* test_worker.c - a seat is taken step by step, and what does not fit changes nothing. */
#include "tests/unit/runner.h"
#include "tests/unit/test_worker_fixture.h"

/* --- starting ---------------------------------------------------------------------------- */

START_TEST(a_seat_is_taken_step_by_step)
{
    Seat seat;
    seat_open(&seat);
    ck_assert_str_eq(worker_state_name(seat.worker), "vacant");
    const guint16 incarnation = worker_begin(seat.worker);
    ck_assert_str_eq(worker_state_name(seat.worker), "forking");
    ck_assert_uint_eq(incarnation, worker_incarnation(seat.worker));
    tell_forked(&seat, fork_child());
    ck_assert_str_eq(worker_state_name(seat.worker), "starting");
    ck_assert_int_eq(worker_pid(seat.worker), seat.child);
    ck_assert_str_eq(seat.said->str, "forked ");
    tell(&seat, LINK_READY, 0, "");
    ck_assert_str_eq(worker_state_name(seat.worker), "ready");
    ck_assert_str_eq(seat.said->str, "forked ready ");
    seat_close(&seat);
}
END_TEST

/* The host tells of the fork by one socket, the worker of itself by another: what the worker says
 * may be read first. */
START_TEST(what_a_worker_says_before_its_fork_is_told_counts)
{
    Seat seat;
    seat_open(&seat);
    worker_begin(seat.worker);
    tell(&seat, LINK_READY, 0, "");
    ck_assert_str_eq(worker_state_name(seat.worker), "forking");
    tell_forked(&seat, fork_child());
    ck_assert_str_eq(worker_state_name(seat.worker), "ready");
    ck_assert_str_eq(seat.said->str, "forked ready ");
    seat_close(&seat);
    seat_open(&seat);
    worker_begin(seat.worker);
    tell(&seat, LINK_FAILED, 0, "no more disk");
    tell_forked(&seat, fork_child());
    tell(&seat, LINK_EXITED, 1 << 8, "");
    ck_assert_str_eq(seat.how, "did not start: no more disk");
    seat_close(&seat);
}
END_TEST

/* A message is ignored in every state that has no use for it, and of every other incarnation
 * in every state. */
static const struct {
    WorkerState state;
    LinkKind kind;
} useless[] = {
    { WORKER_VACANT, LINK_FORKED },     { WORKER_VACANT, LINK_READY },
    { WORKER_VACANT, LINK_EXITED },     { WORKER_VACANT, LINK_FAILED },
    { WORKER_FORKING, LINK_EXITED },    { WORKER_VACANT, LINK_UNFORKED },
    { WORKER_STARTING, LINK_UNFORKED }, { WORKER_READY, LINK_UNFORKED },
    { WORKER_STARTING, LINK_FORKED },   { WORKER_READY, LINK_FORKED },
    { WORKER_READY, LINK_READY },       { WORKER_READY, LINK_FAILED },
    { WORKER_READY, LINK_HELLO },       { WORKER_READY, LINK_LOG },
};

START_TEST(a_message_that_does_not_fit_the_state_changes_nothing)
{
    Seat seat;
    seat_open(&seat);
    advance(&seat, useless[_i].state);
    tell(&seat, useless[_i].kind, 1, "");
    ck_assert_int_eq(worker_state(seat.worker), useless[_i].state);
    ck_assert_str_eq(seat.said->str, "");
    seat_close(&seat);
}
END_TEST

START_TEST(a_message_of_another_incarnation_changes_nothing)
{
    static const LinkKind kinds[] = { LINK_FORKED, LINK_UNFORKED, LINK_READY, LINK_FAILED,
                                      LINK_EXITED };
    const WorkerState state = (WorkerState)_i;
    Seat seat;
    seat_open(&seat);
    advance(&seat, state);
    const guint32 incarnation = worker_incarnation(seat.worker);
    const guint32 others[] = { incarnation - 1, incarnation + 1, incarnation + 0x10000 };
    for (gsize i = 0; i < G_N_ELEMENTS(kinds) * G_N_ELEMENTS(others); i++) {
        const LinkMessage message = {
            kinds[i % G_N_ELEMENTS(kinds)], 3, others[i / G_N_ELEMENTS(kinds)], 1, "", STDIN_FILENO
        };
        worker_take_message(seat.worker, &message);
        ck_assert_int_eq(worker_state(seat.worker), state);
    }
    ck_assert_str_eq(seat.said->str, "");
    seat_close(&seat);
}
END_TEST

START_TEST(a_host_that_forks_nothing_in_time_is_called_silent)
{
    Seat seat;
    seat_open(&seat);
    seat.service.start_timeout_usec = 1;
    worker_begin(seat.worker);
    loop_run(seat.loop);
    ck_assert_str_eq(seat.said->str, "silent ");
    seat_close(&seat);
}
END_TEST

/* A process that nobody can watch must not be: its host goes, and it with that. */
START_TEST(a_process_without_a_pidfd_counts_as_none)
{
    Seat seat;
    seat_open(&seat);
    advance(&seat, WORKER_FORKING);
    tell(&seat, LINK_FORKED, 4711, "");
    ck_assert_str_eq(seat.said->str, "silent ");
    ck_assert_int_eq(worker_pid(seat.worker), 0);
    seat_close(&seat);
}
END_TEST

START_TEST(a_process_that_could_not_be_forked_is_told_with_its_reason)
{
    Seat seat;
    seat_open(&seat);
    advance(&seat, WORKER_FORKING);
    tell(&seat, LINK_UNFORKED, 0, "no more processes");
    ck_assert_str_eq(seat.said->str, "gone forked ");
    ck_assert_str_eq(seat.how, "did not start: no more processes");
    ck_assert(!seat.obituary.was_ready);
    seat_close(&seat);
}
END_TEST

/* --- coming back ------------------------------------------------------------------------- */

START_TEST(beginning_twice_stops_the_process)
{
    Seat seat;
    seat_open(&seat);
    worker_begin(seat.worker);
    worker_begin(seat.worker);
}
END_TEST

START_TEST(beginning_on_a_taken_seat_stops_the_process)
{
    Seat seat;
    seat_open(&seat);
    advance(&seat, WORKER_READY);
    worker_begin(seat.worker);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("worker");
    TCase *tcase = tcase_create("seat");
    tcase_set_timeout(tcase, TEST_TIMEOUT_SEC);
    tcase_add_test(tcase, a_seat_is_taken_step_by_step);
    tcase_add_test(tcase, what_a_worker_says_before_its_fork_is_told_counts);
    tcase_add_loop_test(tcase, a_message_that_does_not_fit_the_state_changes_nothing, 0,
                        G_N_ELEMENTS(useless));
    tcase_add_loop_test(tcase, a_message_of_another_incarnation_changes_nothing, WORKER_VACANT,
                        WORKER_DYING);
    tcase_add_test(tcase, a_host_that_forks_nothing_in_time_is_called_silent);
    tcase_add_test(tcase, a_process_without_a_pidfd_counts_as_none);
    tcase_add_test(tcase, a_process_that_could_not_be_forked_is_told_with_its_reason);
    /* g_error() ends a process by a breakpoint. */
    tcase_add_test_raise_signal(tcase, beginning_twice_stops_the_process, SIGTRAP);
    tcase_add_test_raise_signal(tcase, beginning_on_a_taken_seat_stops_the_process, SIGTRAP);
    suite_add_tcase(suite, tcase);
    return suite;
}
