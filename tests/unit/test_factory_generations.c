/* Generations of workers side by side: a reload, a share of the jobs, a fresh worker for a worn
 * one.  Each reload has numbers of workers of its own.                                       */
#include "tests/unit/runner.h"
#include "tests/unit/test_factory_fixture.h"

static Fix fix;

START_TEST(a_reload_hands_the_queue_over_in_order_and_lets_what_runs_end)
{
    fix_open(&fix, (FactoryRouting)_i, 2);
    for (guint i = 0; i < 20; i++)
        fix_submit_key(&fix, (guint8)(i % 4));
    const guint running = fix.order[0];
    const guint32 old = fix.jobs[running].worker;
    fix_reload(&fix, 2, 2);
    fix_swap(&fix, SECOND);
    ck_assert_uint_eq(fix.said[ACTION_SWAPPED], 1);
    ck_assert_uint_eq(factory_generation(fix.factory), 2);
    for (guint i = 0; i < fix.n_started; i++) {
        ck_assert(fix.order[i] == running || fix.jobs[fix.order[i]].worker >= FIX_WORKERS ||
                  fix.jobs[fix.order[i]].worker < 2);
        fix_finish(&fix, fix.order[i]);
    }
    ck_assert_uint_eq(fix_count(&fix, REASON_COMPLETED), 20);
    for (guint i = 1; i < fix.n_started; i++)
        for (guint k = 0; k < i; k++)
            ck_assert(fix.order[k] % 4 != fix.order[i] % 4 || fix.order[k] < fix.order[i]);
    fix_worker_ends(&fix, old, END_PLANNED);
    fix_worker_ends(&fix, 1 - old, END_PLANNED);
    ck_assert_uint_eq(fix.said[ACTION_GENERATION_ENDED], 1);
    ck_assert_int_eq(fix.last_value[ACTION_GENERATION_ENDED], 1);
    fix_close(&fix);
}
END_TEST

START_TEST(a_generation_that_does_not_come_up_changes_nothing)
{
    fix_open(&fix, ROUTING_QUEUER, 2);
    fix.no_start = TRUE;
    fix_reload(&fix, 2, 2);
    fix_swap(&fix, SECOND);
    ck_assert_uint_eq(fix.said[ACTION_SWAPPED], 0);
    fix_worker_ends(&fix, FIX_WORKERS, END_START_FAILED);
    ck_assert_uint_eq(fix.said[ACTION_RELOAD_FAILED], 1);
    ck_assert_uint_eq(factory_generation(fix.factory), 1);
    ck_assert_uint_eq(fix.jobs[fix_submit(&fix)].starts, 1);
    fix_worker_ends(&fix, FIX_WORKERS + 1, END_PLANNED);
    fix.no_start = FALSE;
    fix_reload(&fix, 3, 2);
    fix_swap(&fix, SECOND); /* and may be tried again */
    ck_assert_uint_eq(factory_generation(fix.factory), 3);
    fix_close(&fix);
}
END_TEST

START_TEST(the_next_generation_gets_no_job_before_it_is_told_to_take_over)
{
    fix_open(&fix, (FactoryRouting)_i, 2);
    fix_reload(&fix, 2, 5);
    ck_assert_uint_eq(fix.said[ACTION_NEXT_READY], 1);
    for (guint i = 0; i < 10; i++)
        ck_assert_uint_lt(fix.jobs[fix_submit_key(&fix, (guint8)i)].worker + 1, FIX_WORKERS + 1);
    ck_assert_uint_eq(factory_generation(fix.factory), 1);
    fix_swap(&fix, SECOND);
    ck_assert_uint_eq(factory_generation(fix.factory), 2);
    ck_assert_uint_eq(factory_ready_workers(fix.factory), 5);
    fix_close(&fix);
}
END_TEST

static guint n_out(const Fix *what)
{
    guint n = 0;
    for (guint i = 0; i < FIX_JOBS; i++)
        n += what->jobs[i].is_out;
    return n;
}

/* Its driver has made room for so many when it began: the settings follow after the swap. */
START_TEST(the_next_generation_never_has_more_jobs_than_was_agreed_for_it)
{
    fix_settings(&fix, ROUTING_QUEUER, 2);
    fix.settings.lookahead = 4;
    fix_begin(&fix);
    fix_step(&fix, &(FactoryEvent){ .kind = EVENT_RELOAD, .reload = { 2, 2, FIX_WORKERS, 1 } });
    for (guint i = 0; i < 12; i++)
        fix_submit(&fix);
    ck_assert_uint_eq(n_out(&fix), 2 + 4);
    fix_swap(&fix, SECOND);
    ck_assert_uint_eq(n_out(&fix), 2 + 2 + 1); /* two still run where they were */
    fix.settings.lookahead = 1;
    fix_apply(&fix);
    ck_assert_uint_eq(n_out(&fix), 2 + 2 + 1);
    fix_close(&fix);
}
END_TEST

START_TEST(a_swap_without_a_generation_that_is_ready_does_nothing)
{
    fix_open(&fix, ROUTING_QUEUER, 2);
    fix_swap(&fix, SECOND);
    fix.no_start = TRUE;
    fix_reload(&fix, 2, 2);
    fix_swap(&fix, SECOND);
    ck_assert_uint_eq(fix.said[ACTION_SWAPPED], 0);
    ck_assert_uint_eq(fix_stats(&fix)->stale, 2);
    fix_close(&fix);
}
END_TEST

/* What the former generation still runs at its deadline is answered, and its workers go. */
START_TEST(a_former_generation_is_cut_off_at_its_deadline)
{
    fix_open(&fix, (FactoryRouting)_i, 2);
    fix.settings.retries = 3;
    fix_apply(&fix);
    fix_submit(&fix);
    const guint32 worker = fix.jobs[0].worker;
    fix_reload(&fix, 2, 2);
    fix_swap(&fix, SECOND);
    fix_time(&fix, SECOND - 1);
    ck_assert(!fix.jobs[0].ended);
    fix_time(&fix, 1);
    ck_assert(fix.jobs[0].ended);
    ck_assert_int_eq(fix.jobs[0].reason, REASON_CUT_OFF);
    ck_assert_uint_eq(fix.said[ACTION_KILL], 2);
    fix_worker_ends(&fix, worker, END_KILLED);
    fix_worker_ends(&fix, 1 - worker, END_KILLED);
    ck_assert_uint_eq(fix.said[ACTION_GENERATION_ENDED], 1);
    fix_close(&fix);
}
END_TEST

/* --- a share of the jobs ----------------------------------------------------------------- */

static void share(guint permille, guint errors, guint crashes)
{
    fix_reload(&fix, 2, 2);
    fix_step(&fix, &(FactoryEvent){ .kind = EVENT_CANARY,
                                    .canary = { permille, errors, crashes, 10 * SECOND } });
}

static guint of_next(guint from)
{
    guint n = 0;
    for (guint i = from; i < fix.n_jobs; i++)
        n += fix.jobs[i].generation == 2;
    return n;
}

START_TEST(a_canary_gets_its_share_and_a_key_stays_with_its_generation)
{
    fix_open(&fix, (FactoryRouting)_i, 2);
    share(300, 10, 0);
    guint32 generations[200];
    for (guint round = 0; round < 3; round++)
        for (guint key = 0; key < 200; key++) {
            const guint job = fix_submit_key(&fix, (guint8)key);
            if (round > 0)
                ck_assert_uint_eq(fix.jobs[job].generation, generations[key]);
            generations[key] = fix.jobs[job].generation;
            fix_finish(&fix, job);
        }
    ck_assert_uint_ge(of_next(0), 3 * 30);
    ck_assert_uint_le(of_next(0), 3 * 90);
    fix_time(&fix, 10 * SECOND);
    ck_assert_uint_eq(fix.said[ACTION_CANARY_PASSED], 1);
    fix_swap(&fix, SECOND);
    ck_assert_uint_eq(factory_generation(fix.factory), 2);
    fix_close(&fix);
}
END_TEST

START_TEST(a_canary_that_fails_too_many_calls_goes_and_the_present_one_serves_on)
{
    fix_open(&fix, ROUTING_QUEUER, 2);
    share(1000, 10, 0);
    guint failed = 0;
    while (fix.said[ACTION_CANARY_FAILED] == 0 && failed < 10) {
        fix_end_job(&fix, fix_submit(&fix), REASON_APP_ERROR);
        failed++;
    }
    ck_assert_uint_eq(failed, 2); /* over 1 % of 100 */
    ck_assert_uint_eq(fix.said[ACTION_RELOAD_FAILED], 1);
    const guint job = fix_submit(&fix);
    ck_assert_uint_eq(fix.jobs[job].generation, 1);
    ck_assert_uint_eq(factory_generation(fix.factory), 1);
    fix_close(&fix);
}
END_TEST

START_TEST(what_clients_do_wrong_does_not_speak_against_a_canary)
{
    fix_open(&fix, ROUTING_QUEUER, 2);
    share(1000, 10, 0);
    for (guint i = 0; i < 50; i++)
        fix_end_job(&fix, fix_submit(&fix),
                    i % 2 == 0 ? REASON_UNKNOWN_METHOD : REASON_BAD_ARGUMENTS);
    fix_time(&fix, 10 * SECOND);
    ck_assert_uint_eq(fix.said[ACTION_CANARY_PASSED], 1);
    fix_close(&fix);
}
END_TEST

START_TEST(a_canary_may_crash_as_often_as_is_allowed_and_then_goes)
{
    fix_open(&fix, ROUTING_QUEUER, 2);
    share(1000, 1000, 1);
    fix_submit(&fix);
    fix_worker_ends(&fix, fix.jobs[0].worker, END_CRASHED);
    ck_assert_uint_eq(fix.said[ACTION_CANARY_FAILED], 0);
    fix_time(&fix, SECOND); /* it comes back */
    const guint job = fix_submit(&fix);
    fix_worker_ends(&fix, fix.jobs[job].worker, END_CRASHED);
    ck_assert_uint_eq(fix.said[ACTION_CANARY_FAILED], 1);
    ck_assert_uint_eq(factory_generation(fix.factory), 1);
    fix_close(&fix);
}
END_TEST

/* --- recycling --------------------------------------------------------------------------- */

START_TEST(a_worn_worker_is_replaced_between_two_jobs_and_capacity_never_falls)
{
    fix_open(&fix, (FactoryRouting)_i, 2);
    const guint job = fix_submit(&fix);
    const guint32 worn = fix.jobs[job].worker;
    fix.no_start = TRUE;
    fix_tell_worker(&fix, EVENT_RECYCLE, worn, 0);
    ck_assert_uint_eq(factory_ready_workers(fix.factory), 2); /* the substitute starts */
    ck_assert(!fix.workers[worn].stopping);
    fix_tell_worker(&fix, EVENT_WORKER_READY, 2, 0);
    ck_assert_uint_eq(factory_ready_workers(fix.factory), 2);
    ck_assert(fix.workers[worn].stopping);
    ck_assert(!fix.jobs[job].ended);
    fix_finish(&fix, job);
    ck_assert_int_eq(fix.jobs[job].reason, REASON_COMPLETED);
    fix_worker_ends(&fix, worn, END_PLANNED);
    ck_assert_uint_eq(fix_stats(&fix)->recycled, 1);
    ck_assert_uint_eq(factory_ready_workers(fix.factory), 2);
    fix_close(&fix);
}
END_TEST

START_TEST(all_workers_that_are_worn_are_replaced_one_after_the_other)
{
    fix_open(&fix, (FactoryRouting)_i, 5);
    for (guint32 w = 0; w < 5; w++)
        fix_tell_worker(&fix, EVENT_RECYCLE, w, 0);
    for (guint32 w = 0; w < 5; w++) {
        ck_assert_uint_eq(factory_ready_workers(fix.factory), 5);
        if (fix.workers[w].stopping)
            fix_worker_ends(&fix, w, END_PLANNED);
    }
    ck_assert_uint_eq(fix_stats(&fix)->recycled, 5);
    fix_close(&fix);
}
END_TEST

START_TEST(a_worn_worker_that_dies_needs_no_substitute)
{
    fix_open(&fix, ROUTING_QUEUER, 2);
    fix.no_start = TRUE;
    fix_tell_worker(&fix, EVENT_RECYCLE, 0, 0);
    fix.no_start = FALSE;
    fix_worker_ends(&fix, 0, END_PLANNED);
    fix_tell_worker(&fix, EVENT_WORKER_READY, 2, 0);
    ck_assert(fix.workers[2].stopping);
    ck_assert(!fix.workers[0].stopping);
    ck_assert_uint_eq(factory_ready_workers(fix.factory), 2);
    fix_close(&fix);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("factory generations");
    TCase *tcase = tcase_create("generations");
    tcase_add_loop_test(tcase, a_reload_hands_the_queue_over_in_order_and_lets_what_runs_end,
                        ROUTING_KEY_PERSISTENT, ROUTING_CUSTOM);
    tcase_add_test(tcase, a_generation_that_does_not_come_up_changes_nothing);
    tcase_add_loop_test(tcase, the_next_generation_gets_no_job_before_it_is_told_to_take_over,
                        ROUTING_QUEUER, ROUTING_CUSTOM);
    tcase_add_test(tcase, the_next_generation_never_has_more_jobs_than_was_agreed_for_it);
    tcase_add_test(tcase, a_swap_without_a_generation_that_is_ready_does_nothing);
    tcase_add_loop_test(tcase, a_former_generation_is_cut_off_at_its_deadline, ROUTING_QUEUER,
                        ROUTING_CUSTOM);
    tcase_add_loop_test(tcase, a_canary_gets_its_share_and_a_key_stays_with_its_generation,
                        ROUTING_KEY_PERSISTENT, ROUTING_CUSTOM);
    tcase_add_test(tcase, a_canary_that_fails_too_many_calls_goes_and_the_present_one_serves_on);
    tcase_add_test(tcase, what_clients_do_wrong_does_not_speak_against_a_canary);
    tcase_add_test(tcase, a_canary_may_crash_as_often_as_is_allowed_and_then_goes);
    tcase_add_loop_test(tcase, a_worn_worker_is_replaced_between_two_jobs_and_capacity_never_falls,
                        ROUTING_QUEUER, ROUTING_CUSTOM);
    tcase_add_loop_test(tcase, all_workers_that_are_worn_are_replaced_one_after_the_other,
                        ROUTING_QUEUER, ROUTING_CUSTOM);
    tcase_add_test(tcase, a_worn_worker_that_dies_needs_no_substitute);
    suite_add_tcase(suite, tcase);
    return suite;
}
