/* test_worker_end.c - how the end of a worker process is seen, told and waited for. */
#include "tests/unit/runner.h"
#include "tests/unit/test_worker_fixture.h"

static const struct {
    int signal;
    const gchar *how;
} deaths[] = {
    { SIGSEGV, "was killed by signal 11 (SIGSEGV)" },
    { SIGKILL, "was killed by signal 9 (SIGKILL)" },
    { SIGABRT, "was killed by signal 6 (SIGABRT)" },
};

START_TEST(a_death_is_told_with_its_status_in_words)
{
    Seat seat;
    seat_open(&seat);
    advance(&seat, WORKER_READY);
    kill(seat.child, deaths[_i].signal);
    loop_run(seat.loop);
    ck_assert_str_eq(seat.said->str, "dying gone ");
    ck_assert_str_eq(seat.how, deaths[_i].how);
    ck_assert_int_eq(seat.obituary.end, WORKER_DIED);
    ck_assert_int_eq(WTERMSIG(seat.obituary.status), deaths[_i].signal);
    ck_assert_int_eq(seat.obituary.pid, seat.child);
    ck_assert(seat.obituary.was_ready);
    seat_close(&seat);
}
END_TEST

START_TEST(the_hosts_word_of_a_death_is_enough)
{
    Seat seat;
    seat_open(&seat);
    advance(&seat, WORKER_READY);
    tell(&seat, LINK_EXITED, 3 << 8, "");
    ck_assert_str_eq(seat.said->str, "gone ");
    ck_assert_str_eq(seat.how, "exited with status 3");
    kill(seat.child, SIGKILL);
    seat_close(&seat);
}
END_TEST

START_TEST(a_death_that_the_host_is_silent_about_is_told_all_the_same)
{
    Seat seat;
    seat_open(&seat);
    seat.host_knows_the_status = FALSE;
    advance(&seat, WORKER_READY);
    kill(seat.child, SIGKILL);
    loop_run(seat.loop);
    ck_assert_str_eq(seat.said->str, "dying gone ");
    ck_assert_str_eq(seat.how, "ended");
    ck_assert_int_eq(seat.obituary.status, -1);
    seat_close(&seat);
}
END_TEST

START_TEST(a_worker_that_failed_to_start_is_told_with_its_reason)
{
    Seat seat;
    seat_open(&seat);
    advance(&seat, WORKER_STARTING);
    tell(&seat, LINK_FAILED, 0, "no database");
    tell(&seat, LINK_FAILED, 0, "a second reason");
    ck_assert_int_eq(worker_state(seat.worker), WORKER_STARTING);
    tell(&seat, LINK_EXITED, 1 << 8, "");
    ck_assert_str_eq(seat.said->str, "gone ");
    ck_assert_str_eq(seat.how, "did not start: no database");
    ck_assert(!seat.obituary.was_ready);
    kill(seat.child, SIGKILL);
    seat_close(&seat);
}
END_TEST

START_TEST(the_reason_is_told_also_when_it_is_read_after_the_end)
{
    Seat seat;
    seat_open(&seat);
    advance(&seat, WORKER_STARTING);
    tell(&seat, LINK_EXITED, 1 << 8, "");
    tell(&seat, LINK_FAILED, 0, "no database");
    loop_run(seat.loop);
    ck_assert_str_eq(seat.said->str, "gone ");
    ck_assert_str_eq(seat.how, "did not start: no database");
    kill(seat.child, SIGKILL);
    seat_close(&seat);
}
END_TEST

START_TEST(a_worker_that_does_not_start_in_time_is_killed)
{
    Seat seat;
    seat_open(&seat);
    worker_begin(seat.worker);
    seat.service.start_timeout_usec = 1;
    tell_forked(&seat, fork_child());
    loop_run(seat.loop);
    ck_assert_str_eq(seat.said->str, "forked dying gone ");
    ck_assert_int_eq(seat.obituary.end, WORKER_TIMEOUT);
    ck_assert_str_eq(seat.how, "was killed: worker_start() did not end within start-timeout");
    seat_close(&seat);
}
END_TEST

START_TEST(a_stuck_worker_is_killed_and_called_so)
{
    Seat seat;
    seat_open(&seat);
    advance(&seat, WORKER_READY);
    worker_kill_for(seat.worker, WORKER_STUCK);
    loop_run(seat.loop);
    ck_assert_str_eq(seat.said->str, "dying gone ");
    ck_assert_int_eq(seat.obituary.end, WORKER_STUCK);
    ck_assert_str_eq(seat.how, "was killed: its call ran longer than stuck-after");
    ck_assert_int_eq(WTERMSIG(seat.obituary.status), SIGKILL);
    seat_close(&seat);
}
END_TEST

START_TEST(what_befell_one_incarnation_is_not_said_of_the_next)
{
    Seat seat;
    seat_open(&seat);
    advance(&seat, WORKER_READY);
    const guint16 first = worker_incarnation(seat.worker);
    worker_kill_for(seat.worker, WORKER_STUCK);
    loop_run(seat.loop);
    advance(&seat, WORKER_STARTING);
    ck_assert_uint_ne(worker_incarnation(seat.worker), first);
    seat.host_knows_the_status = FALSE;
    kill(seat.child, SIGKILL);
    loop_run(seat.loop);
    ck_assert_int_eq(seat.obituary.end, WORKER_DIED);
    ck_assert_str_eq(seat.how, "ended");
    ck_assert_int_eq(seat.obituary.status, -1);
    ck_assert(!seat.obituary.was_ready);
    seat_close(&seat);
}
END_TEST

/* In DYING, too: the seat's owner is told nothing, for the host's end is told instead. */
START_TEST(a_seat_whose_host_has_gone_is_vacant_and_its_process_dead)
{
    const WorkerState state = (WorkerState)_i;
    Seat seat;
    int status;
    seat_open(&seat);
    advance(&seat, state);
    worker_host_gone(seat.worker);
    ck_assert_int_eq(worker_state(seat.worker), WORKER_VACANT);
    ck_assert_int_eq(worker_pid(seat.worker), 0);
    ck_assert_str_eq(seat.said->str, "");
    if (state >= WORKER_STARTING) {
        ck_assert_int_eq(waitpid(seat.child, &status, 0), seat.child);
        ck_assert_int_eq(WTERMSIG(status), SIGKILL);
    }
    advance(&seat, WORKER_READY);
    seat_close(&seat);
}
END_TEST

START_TEST(freeing_a_seat_kills_its_process)
{
    Seat seat;
    int status;
    seat_open(&seat);
    advance(&seat, WORKER_READY);
    const pid_t child = seat.child;
    seat_close(&seat);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(WTERMSIG(status), SIGKILL);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("worker end");
    TCase *tcase = tcase_create("seat");
    tcase_set_timeout(tcase, TEST_TIMEOUT_SEC);
    tcase_add_loop_test(tcase, a_death_is_told_with_its_status_in_words, 0, G_N_ELEMENTS(deaths));
    tcase_add_test(tcase, the_hosts_word_of_a_death_is_enough);
    tcase_add_test(tcase, a_death_that_the_host_is_silent_about_is_told_all_the_same);
    tcase_add_test(tcase, a_worker_that_failed_to_start_is_told_with_its_reason);
    tcase_add_test(tcase, the_reason_is_told_also_when_it_is_read_after_the_end);
    tcase_add_test(tcase, a_worker_that_does_not_start_in_time_is_killed);
    tcase_add_test(tcase, a_stuck_worker_is_killed_and_called_so);
    tcase_add_test(tcase, what_befell_one_incarnation_is_not_said_of_the_next);
    tcase_add_loop_test(tcase, a_seat_whose_host_has_gone_is_vacant_and_its_process_dead,
                        WORKER_VACANT, WORKER_DYING);
    tcase_add_test(tcase, freeing_a_seat_kills_its_process);
    suite_add_tcase(suite, tcase);
    return suite;
}
