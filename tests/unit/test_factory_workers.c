/* test_factory_workers.c - workers that die, hang, come back, are added and taken away. */
#include "tests/unit/runner.h"
#include "tests/unit/test_factory_fixture.h"

static Fix fix; /* each test has its own process */

/* --- death ------------------------------------------------------------------------------- */

/* ractor: Busy, Boom, five more: the replacement works off the queue without a new message. */
START_TEST(a_replacement_works_off_the_queue_by_itself)
{
    fix_open(&fix, (FactoryRouting)_i, 1);
    for (guint i = 0; i < 7; i++)
        fix_submit_key(&fix, 1);
    fix_finish(&fix, 0);
    fix_worker_ends(&fix, 0, END_CRASHED);
    assert_came_to(&fix, 1, REASON_WORKER_CRASHED);
    for (guint i = 2; i < 7; i++)
        fix_finish(&fix, i);
    ck_assert_uint_eq(fix_count(&fix, REASON_COMPLETED), 6);
    fix_close(&fix);
}
END_TEST

/* Hazard 5: what ran when its worker died has a reason and is counted. */
START_TEST(a_job_lost_with_its_worker_has_a_reason)
{
    static const struct {
        FactoryEnd end;
        FactoryReason reason;
    } ends[] = { { END_CRASHED, REASON_WORKER_CRASHED },
                 { END_KILLED, REASON_WORKER_KILLED },
                 { END_HOST_GONE, REASON_HOST_GONE } };
    fix_open(&fix, ROUTING_QUEUER, 1);
    fix_submit(&fix);
    fix_worker_ends(&fix, 0, ends[_i].end);
    assert_came_to(&fix, 0, ends[_i].reason);
    ck_assert_uint_eq(fix_stats(&fix)->ended[ends[_i].reason], 1);
    fix_close(&fix);
}
END_TEST

/* Hazard 7: a worker that was to go and dies instead is not replaced. */
START_TEST(a_retired_worker_that_crashes_is_not_replaced)
{
    fix_open(&fix, ROUTING_ROUND_ROBIN, 2);
    fix_submit(&fix);
    fix_submit(&fix);
    fix_resize(&fix, 1);
    const guint spawned = fix.said[ACTION_SPAWN];
    fix_worker_ends(&fix, 1, END_CRASHED);
    fix_time(&fix, 100 * SECOND);
    ck_assert_uint_eq(fix.said[ACTION_SPAWN], spawned);
    fix_close(&fix);
}
END_TEST

/* Hazard 9: a worker that does not start is waited for longer each time, and the factory lives. */
START_TEST(a_failed_start_is_no_hot_loop_and_does_not_end_the_factory)
{
    fix_settings(&fix, ROUTING_QUEUER, 1);
    fix.settings.backoff_jitter_permille = 0;
    fix.settings.restarts_per_worker = 0;
    fix.no_start = TRUE;
    fix_begin(&fix);
    gint64 last = 0;
    for (guint i = 0; i < 6; i++) {
        const guint spawned = fix.said[ACTION_SPAWN];
        const gint64 from = fix.now_usec;
        fix_worker_ends(&fix, 0, END_START_FAILED);
        while (fix.said[ACTION_SPAWN] == spawned)
            fix_time(&fix, factory_next_usec(fix.factory) - fix.now_usec);
        const gint64 wait = fix.now_usec - from;
        ck_assert(i == 0 ? wait == 0 : wait >= MAX(100 * MSEC, last * 2 - MSEC));
        last = wait;
    }
    ck_assert_uint_eq(fix_stats(&fix)->start_failures, 6);
    ck_assert(!fix.jobs[fix_submit(&fix)].ended);
    fix_close(&fix);
}
END_TEST

/* Hazard 10: a late word about a former worker's job does not end the one of its successor. */
START_TEST(a_late_completion_of_a_dead_worker_is_not_taken_for_the_next_ones)
{
    fix_open(&fix, ROUTING_KEY_PERSISTENT, 1);
    fix_submit_key(&fix, 5);
    fix_submit_key(&fix, 5);
    const guint32 former = fix.workers[0].incarnation;
    fix_worker_ends(&fix, 0, END_KILLED);
    ck_assert_uint_eq(fix.jobs[1].starts, 1);
    for (guint i = 0; i < 2; i++)
        fix_step(&fix, &(FactoryEvent){ .kind = EVENT_FINISHED,
                                        .worker = 0,
                                        .incarnation = former,
                                        .job = fix.jobs[i].id,
                                        .reason = REASON_COMPLETED });
    ck_assert(!fix.jobs[1].ended);
    ck_assert_uint_eq(fix_stats(&fix)->stale, 2);
    fix_close(&fix);
}
END_TEST

START_TEST(a_pool_that_dies_too_often_is_degraded_says_so_and_recovers)
{
    fix_settings(&fix, ROUTING_QUEUER, 2);
    fix.settings.restarts_per_worker = 2;
    fix.settings.restart_window_usec = 10 * SECOND;
    fix.settings.backoff_min_usec = fix.settings.backoff_max_usec = 1;
    fix_begin(&fix);
    for (guint i = 0; fix.said[ACTION_DEGRADED] == 0; i++) {
        ck_assert_uint_lt(i, 10);
        fix_worker_ends(&fix, 0, END_CRASHED);
        fix_time(&fix, 2 * MSEC);
    }
    ck_assert_int_eq(fix.last_value[ACTION_DEGRADED], 1); /* one is left, and serves */
    ck_assert(!fix.jobs[fix_submit(&fix)].ended);
    const guint waiting = fix_submit(&fix);
    fix_worker_ends(&fix, 1, END_CRASHED);
    assert_came_to(&fix, waiting, REASON_DEGRADED);
    assert_came_to(&fix, fix_submit(&fix), REASON_REFUSED_DEGRADED);
    fix_time(&fix, 20 * SECOND);
    fix_time(&fix, 20 * SECOND);
    ck_assert_uint_eq(fix.said[ACTION_RECOVERED], 1);
    ck_assert(!fix.jobs[fix_submit(&fix)].ended);
    fix_close(&fix);
}
END_TEST

/* --- stuck ------------------------------------------------------------------------------- */

/* ractor: stuck workers are killed and started again.  Hazard 8: nothing waits for the death. */
START_TEST(a_stuck_worker_is_killed_its_caller_answered_and_nothing_waits_for_it)
{
    fix_open(&fix, (FactoryRouting)_i, 2);
    const guint32 stuck = fix.jobs[fix_submit(&fix)].worker;
    fix_time(&fix, 60 * SECOND);
    ck_assert_uint_eq(fix.said[ACTION_KILL], 1);
    assert_came_to(&fix, 0, REASON_WORKER_KILLED);
    for (guint i = 0; i < 10; i++) { /* the other one goes on */
        const guint job = fix_submit(&fix);
        fix_finish(&fix, job);
    }
    fix_worker_ends(&fix, stuck, END_KILLED);
    ck_assert_uint_eq(factory_ready_workers(fix.factory), 2);
    fix_close(&fix);
}
END_TEST

START_TEST(warnings_come_at_1_2_4_and_8_times_the_expected)
{
    fix_settings(&fix, ROUTING_QUEUER, 1);
    fix.settings.stuck = STUCK_DETECT;
    fix.settings.stuck_warn_usec = SECOND;
    fix.settings.stuck_after_usec = 20 * SECOND;
    fix_begin(&fix);
    fix_submit(&fix);
    for (guint second = 1; second <= 30; second++) {
        static const guint warned[] = { 0, 1, 2, 2, 3, 3, 3, 3, 4 };
        fix_time(&fix, SECOND);
        ck_assert_uint_eq(fix.said[ACTION_WARN], warned[MIN(second, 8)]);
        ck_assert_uint_eq(fix.said[ACTION_STUCK], second >= 20);
    }
    ck_assert_uint_eq(fix.said[ACTION_KILL], 0);
    fix_close(&fix);
}
END_TEST

START_TEST(progress_and_protection_keep_a_job_from_being_stuck)
{
    fix_open(&fix, ROUTING_QUEUER, 1);
    fix_submit(&fix);
    for (guint i = 0; i < 10; i++) {
        fix_time(&fix, 50 * SECOND);
        fix_step(&fix, &(FactoryEvent){ .kind = EVENT_PROGRESS,
                                        .job = fix.jobs[0].id,
                                        .at_usec = fix.now_usec });
    }
    ck_assert_uint_eq(fix.said[ACTION_STUCK], 0);
    fix_step(&fix, &(FactoryEvent){ .kind = EVENT_PROTECT,
                                    .job = fix.jobs[0].id,
                                    .at_usec = fix.now_usec + 1000 * SECOND });
    fix_time(&fix, 999 * SECOND);
    ck_assert_uint_eq(fix.said[ACTION_STUCK], 0);
    fix_time(&fix, 2 * SECOND);
    ck_assert_uint_eq(fix.said[ACTION_KILL], 1);
    fix_close(&fix);
}
END_TEST

/* ractor: an idle worker is never stuck; a shorter limit counts at once. */
START_TEST(an_idle_worker_is_never_stuck_and_a_shorter_limit_counts_at_once)
{
    fix_open(&fix, ROUTING_ROUND_ROBIN, 3);
    fix_time(&fix, 10000 * SECOND);
    ck_assert_uint_eq(fix.said[ACTION_KILL], 0);
    fix_submit(&fix);
    fix_time(&fix, 10 * SECOND);
    fix.settings.stuck_after_usec = 5 * SECOND;
    fix_apply(&fix);
    fix_time(&fix, MSEC);
    ck_assert_uint_eq(fix.said[ACTION_KILL], 1);
    fix_close(&fix);
}
END_TEST

/* --- size -------------------------------------------------------------------------------- */

/* ractor: no workers, jobs wait until there are some. */
START_TEST(jobs_wait_while_there_are_no_workers)
{
    fix_open(&fix, (FactoryRouting)_i, 0);
    for (guint i = 0; i < 10; i++)
        fix_submit_key(&fix, (guint8)i);
    ck_assert_uint_eq(fix.n_started, 0);
    fix_resize(&fix, 4);
    ck_assert_uint_ge(fix.n_started, 2);
    for (guint i = 0; i < 10; i++)
        fix_finish(&fix, i);
    fix_close(&fix);
}
END_TEST

/* ractor: 4 to 25, and all of them are used. */
START_TEST(every_worker_of_a_grown_pool_is_used)
{
    gboolean used[FIX_WORKERS] = { FALSE };
    fix_open(&fix, (FactoryRouting)_i, 4);
    fix_resize(&fix, 25);
    for (guint i = 0; i < 25; i++)
        used[fix.jobs[fix_submit(&fix)].worker] = TRUE;
    for (guint w = 0; w < 25; w++)
        ck_assert(used[w]);
    fix_close(&fix);
}
END_TEST

/* ractor: growing and shrinking keep the order of a key that waits. */
START_TEST(a_key_keeps_its_order_while_the_pool_changes)
{
    fix_open(&fix, (FactoryRouting)_i, 3);
    for (guint i = 0; i < 60; i++)
        fix_submit_key(&fix, (guint8)(i % 3));
    for (guint i = 0; i < 60; i++) {
        fix_resize(&fix, 1 + i % 5);
        for (guint32 w = 0; w < 2 * FIX_WORKERS; w++)
            if (fix.workers[w].stopping && fix.workers[w].ready && fix.workers[w].job == FIX_NOBODY)
                fix_worker_ends(&fix, w, END_PLANNED);
        for (guint k = 0; k < 60; k++)
            if (fix.jobs[k].worker != FIX_NOBODY) {
                fix_finish(&fix, k);
                break;
            }
    }
    guint last[3] = { 0, 0, 0 };
    for (guint i = 0; i < fix.n_started; i++) {
        ck_assert_uint_ge(fix.order[i], last[fix.order[i] % 3]);
        last[fix.order[i] % 3] = fix.order[i];
    }
    fix_close(&fix);
}
END_TEST

/* --- retries ----------------------------------------------------------------------------- */

static guint submit_idempotent(void)
{
    FactoryEvent event = fix_submit_event(&fix);
    event.submit.idempotent = TRUE;
    fix_step(&fix, &event);
    return fix.n_jobs - 1;
}

/* ractor: dropped once, retried once.  Hazard 17: only what lost its worker, never what was shed.
 */
START_TEST(an_idempotent_job_is_tried_again_as_often_as_allowed)
{
    fix_settings(&fix, ROUTING_QUEUER, 2);
    fix.settings.retries = 2;
    fix.settings.queue_limit = 0;
    fix_begin(&fix);
    const guint job = submit_idempotent();
    submit_idempotent();
    assert_came_to(&fix, submit_idempotent(), REASON_REFUSED_NEWEST);
    for (guint i = 0; i < 3; i++) {
        ck_assert(!fix.jobs[job].ended);
        fix_worker_ends(&fix, fix.jobs[job].worker, END_CRASHED);
        fix_time(&fix, 10 * SECOND);
    }
    assert_came_to(&fix, job, REASON_RETRY_EXHAUSTED);
    ck_assert_uint_eq(fix.jobs[job].retries, 2);
    fix_close(&fix);
}
END_TEST

START_TEST(retries_have_a_budget_and_a_deadline)
{
    fix_settings(&fix, ROUTING_QUEUER, 1);
    fix.settings.retries = 100;
    fix.settings.restarts_per_worker = 0;
    fix.settings.retry_budget_permille = 0;
    fix_begin(&fix);
    const guint job = submit_idempotent();
    for (guint i = 0; !fix.jobs[job].ended; i++) {
        ck_assert_uint_lt(i, 20);
        fix_worker_ends(&fix, 0, END_CRASHED);
        fix_time(&fix, 10 * SECOND);
    }
    assert_came_to(&fix, job, REASON_RETRY_EXHAUSTED);
    ck_assert_uint_eq(fix.jobs[job].retries, 10); /* what a new factory has to spend */
    fix_close(&fix);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("factory workers");
    TCase *tcase = tcase_create("workers");
    tcase_add_loop_test(tcase, a_replacement_works_off_the_queue_by_itself, ROUTING_QUEUER,
                        ROUTING_CUSTOM);
    tcase_add_loop_test(tcase, a_job_lost_with_its_worker_has_a_reason, 0, 3);
    tcase_add_test(tcase, a_retired_worker_that_crashes_is_not_replaced);
    tcase_add_test(tcase, a_failed_start_is_no_hot_loop_and_does_not_end_the_factory);
    tcase_add_test(tcase, a_late_completion_of_a_dead_worker_is_not_taken_for_the_next_ones);
    tcase_add_test(tcase, a_pool_that_dies_too_often_is_degraded_says_so_and_recovers);
    tcase_add_loop_test(tcase,
                        a_stuck_worker_is_killed_its_caller_answered_and_nothing_waits_for_it,
                        ROUTING_QUEUER, ROUTING_CUSTOM);
    tcase_add_test(tcase, warnings_come_at_1_2_4_and_8_times_the_expected);
    tcase_add_test(tcase, progress_and_protection_keep_a_job_from_being_stuck);
    tcase_add_test(tcase, an_idle_worker_is_never_stuck_and_a_shorter_limit_counts_at_once);
    tcase_add_loop_test(tcase, jobs_wait_while_there_are_no_workers, ROUTING_QUEUER,
                        ROUTING_CUSTOM);
    tcase_add_loop_test(tcase, every_worker_of_a_grown_pool_is_used, ROUTING_QUEUER,
                        ROUTING_CUSTOM);
    tcase_add_loop_test(tcase, a_key_keeps_its_order_while_the_pool_changes, ROUTING_KEY_PERSISTENT,
                        ROUTING_CUSTOM);
    tcase_add_test(tcase, an_idempotent_job_is_tried_again_as_often_as_allowed);
    tcase_add_test(tcase, retries_have_a_budget_and_a_deadline);
    suite_add_tcase(suite, tcase);
    return suite;
}
