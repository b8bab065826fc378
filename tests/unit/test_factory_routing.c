/* test_factory_routing.c - which worker gets a job, and when: ractor's scenarios and hazards. */
#include "tests/unit/runner.h"
#include "tests/unit/test_factory_fixture.h"

static Fix fix; /* each test has its own process */

static void finish_all(void)
{
    for (guint i = 0; i < fix.n_jobs; i++)
        if (!fix.jobs[i].ended)
            fix_finish(&fix, i);
}

/* ractor: queuer runs a hundred jobs. */
START_TEST(queuer_runs_every_job)
{
    fix_open(&fix, ROUTING_QUEUER, 3);
    for (guint i = 0; i < 100; i++)
        fix_submit(&fix);
    finish_all();
    ck_assert_uint_eq(fix_count(&fix, REASON_COMPLETED), 100);
    fix_close(&fix);
}
END_TEST

/* ractor: 999 jobs over three workers are 333 for each. */
START_TEST(round_robin_gives_each_worker_its_share)
{
    guint counts[3] = { 0, 0, 0 };
    fix_open(&fix, ROUTING_ROUND_ROBIN, 3);
    for (guint i = 0; i < 999; i++) {
        fix_submit(&fix);
        counts[fix.jobs[i].worker]++;
        fix_finish(&fix, i);
    }
    for (guint w = 0; w < 3; w++)
        ck_assert_uint_eq(counts[w], 333);
    fix_close(&fix);
}
END_TEST

static guint32 always_two(guint64 hash, guint16 method, guint32 n)
{
    (void)hash, (void)method, (void)n;
    return 2;
}

/* ractor: a custom hash sends all to worker 2, and one out of range is folded. */
START_TEST(a_custom_route_is_followed_and_folded_into_the_pool)
{
    fix_settings(&fix, ROUTING_CUSTOM, 5);
    fix.settings.route = always_two;
    fix_begin(&fix);
    for (guint i = 0; i < 20; i++)
        fix_submit(&fix);
    ck_assert_uint_eq(fix.n_started, 1);
    for (guint i = 0; i < 20; i++) {
        ck_assert_uint_eq(fix.jobs[i].worker, 2);
        fix_finish(&fix, i);
    }
    fix_resize(&fix, 2); /* 2 is 0 of two workers */
    const guint folded = fix_submit(&fix);
    ck_assert_uint_eq(fix.jobs[folded].worker, 0);
    fix_close(&fix);
}
END_TEST

/* ractor: 999 jobs of one key run one after the other and in order. */
START_TEST(jobs_of_one_key_run_one_at_a_time_and_in_order)
{
    fix_open(&fix, (FactoryRouting)_i, 8);
    for (guint i = 0; i < 999; i++)
        fix_submit_key(&fix, 7);
    for (guint i = 0; i < 999; i++) {
        ck_assert_uint_eq(fix.n_started, i + 1);
        ck_assert_uint_eq(fix.order[i], i);
        fix_finish(&fix, i);
    }
    fix_close(&fix);
}
END_TEST

/* ractor: sticky keeps five jobs of a key on one worker, although others are idle. */
START_TEST(sticky_stays_with_the_worker_that_had_the_key)
{
    fix_open(&fix, ROUTING_STICKY, 4);
    for (guint i = 0; i < 5; i++)
        fix_submit_key(&fix, 1);
    const guint32 worker = fix.jobs[0].worker;
    for (guint i = 0; i < 5; i++) {
        ck_assert_uint_eq(fix.jobs[i].worker, worker);
        fix_finish(&fix, i);
    }
    fix_close(&fix);
}
END_TEST

START_TEST(consistent_hash_keeps_a_key_on_its_worker_and_moves_few_when_the_pool_grows)
{
    guint32 before[200];
    guint moved = 0;
    fix_open(&fix, ROUTING_CONSISTENT_HASH, 8);
    for (guint round = 0; round < 2; round++) {
        for (guint key = 0; key < 200; key++) {
            const guint job = fix_submit_key(&fix, (guint8)key);
            ck_assert(round == 0 || fix.jobs[job].worker == before[key]);
            before[key] = fix.jobs[job].worker;
            fix_finish(&fix, job);
        }
    }
    fix_resize(&fix, 9);
    for (guint key = 0; key < 200; key++) {
        const guint job = fix_submit_key(&fix, (guint8)key);
        moved += fix.jobs[job].worker != before[key];
        ck_assert(fix.jobs[job].worker == before[key] || fix.jobs[job].worker == 8);
        fix_finish(&fix, job);
    }
    ck_assert_uint_gt(moved, 0);
    ck_assert_uint_lt(moved, 60); /* a ninth of them, and not all */
    fix_close(&fix);
}
END_TEST

START_TEST(least_loaded_prefers_the_worker_that_has_worked_less)
{
    fix_open(&fix, ROUTING_LEAST_LOADED, 2);
    const guint first = fix_submit(&fix);
    const guint32 tired = fix.jobs[first].worker;
    fix_time(&fix, 1000 * SECOND);
    fix_finish(&fix, first);
    guint rested = 0;
    for (guint i = 0; i < 100; i++) {
        const guint job = fix_submit(&fix);
        rested += fix.jobs[job].worker != tired;
        fix_finish(&fix, job);
    }
    ck_assert_uint_gt(rested, 60); /* both draws fall on the tired one in a quarter of all */
    fix_close(&fix);
}
END_TEST

/* --- hazards of ractor's factory --------------------------------------------------------- */

/* Hazard 1: [C, C', D] and W0 runs C; when W1 finishes, C' waits for its key and D must run. */
START_TEST(a_key_that_waits_does_not_keep_other_work_from_an_idle_worker)
{
    fix_open(&fix, (FactoryRouting)_i, 2);
    fix_submit_key(&fix, 3); /* C */
    const guint other = fix_submit(&fix);
    const guint same_key = fix_submit_key(&fix, 3), waiting = fix_submit_key(&fix, 4);
    fix_finish(&fix, other);
    ck_assert_uint_ne(fix.jobs[waiting].worker, FIX_NOBODY);
    ck_assert_uint_eq(fix.jobs[same_key].worker, FIX_NOBODY);
    fix_close(&fix);
}
END_TEST

/* Hazard 2: a thousand jobs of one hot key count against the limit like any others. */
START_TEST(a_hot_key_does_not_bypass_the_limit)
{
    fix_settings(&fix, ROUTING_STICKY, 2);
    fix.settings.queue_limit = fix.settings.queue_hard_limit = 10;
    fix_begin(&fix);
    for (guint i = 0; i < 1000; i++)
        fix_submit_key(&fix, 9);
    ck_assert_uint_eq(fix_stats(&fix)->queued, 10);
    ck_assert_uint_eq(fix_count(&fix, REASON_REFUSED_NEWEST), 989);
    fix_close(&fix);
}
END_TEST

/* Hazard 6: a worker that shall go does so, whatever is still coming for its keys. */
START_TEST(a_retired_worker_gets_nothing_more_although_its_key_goes_on)
{
    fix_open(&fix, ROUTING_STICKY, 2);
    guint jobs[2] = { fix_submit_key(&fix, 1), fix_submit_key(&fix, 2) };
    const guint on_last = fix.jobs[jobs[0]].worker == 1 ? jobs[0] : jobs[1];
    fix_resize(&fix, 1);
    const guint next = fix_submit_key(&fix, on_last == jobs[0] ? 1 : 2);
    fix_finish(&fix, on_last);
    fix_finish(&fix, on_last == jobs[0] ? jobs[1] : jobs[0]);
    ck_assert_uint_eq(fix.jobs[next].worker, 0);
    fix_close(&fix);
}
END_TEST

/* Hazard 14: no index of a priority is out of range. */
START_TEST(a_priority_that_is_no_class_is_the_last_one_and_counted)
{
    fix_open(&fix, ROUTING_QUEUER, 1);
    fix_submit(&fix);
    const guint odd = fix_submit_priority(&fix, 255), last = fix_submit_priority(&fix, 4);
    fix_finish(&fix, 0);
    ck_assert_uint_eq(fix.order[1], odd);
    fix_finish(&fix, odd);
    ck_assert_uint_eq(fix.order[2], last);
    ck_assert_uint_eq(fix_stats(&fix)->priority_clamped, 1);
    fix_close(&fix);
}
END_TEST

/* Hazard 14: strict priority starves, weighted with ageing does not. */
START_TEST(weighted_classes_and_age_let_nobody_starve)
{
    fix_settings(&fix, ROUTING_QUEUER, 1);
    fix.settings.queue = QUEUE_WEIGHTED;
    fix.settings.ageing_usec = SECOND;
    fix_begin(&fix);
    fix_submit(&fix);
    for (guint i = 0; i < 170; i++)
        fix_submit_priority(&fix, PRIORITY_HIGHEST);
    const guint low = fix_submit_priority(&fix, PRIORITY_BEST_EFFORT);
    guint position = 0;
    for (guint done = 0; fix.jobs[low].starts == 0; done = fix.order[++position])
        fix_finish(&fix, done);
    ck_assert_uint_le(position, 18); /* its weight is one of seventeen */
    const guint aged = fix_submit_priority(&fix, PRIORITY_BEST_EFFORT);
    fix_time(&fix, 2 * SECOND);
    for (guint i = 0; i < 100; i++)
        fix_submit_priority(&fix, PRIORITY_HIGHEST);
    for (guint n = 0; fix.jobs[aged].starts == 0; n++) {
        ck_assert_uint_lt(n, 200);
        fix_finish(&fix, fix.order[fix.n_started - 1]);
    }
    fix_close(&fix);
}
END_TEST

/* ractor: five low ones, then five high ones, on one worker: the high ones go first. */
START_TEST(more_important_jobs_go_first)
{
    fix_open(&fix, ROUTING_QUEUER, 1);
    fix_submit(&fix);
    for (guint i = 0; i < 5; i++)
        fix_submit_priority(&fix, PRIORITY_BEST_EFFORT);
    for (guint i = 0; i < 5; i++)
        fix_submit_priority(&fix, PRIORITY_HIGHEST);
    for (guint i = 0; i < 10; i++)
        fix_finish(&fix, fix.order[i]);
    for (guint i = 1; i <= 10; i++)
        ck_assert_uint_eq(fix.order[i], i <= 5 ? i + 5 : i - 5);
    fix_close(&fix);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("factory routing");
    TCase *tcase = tcase_create("routing");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, queuer_runs_every_job);
    tcase_add_test(tcase, round_robin_gives_each_worker_its_share);
    tcase_add_test(tcase, a_custom_route_is_followed_and_folded_into_the_pool);
    tcase_add_loop_test(tcase, jobs_of_one_key_run_one_at_a_time_and_in_order,
                        ROUTING_KEY_PERSISTENT, ROUTING_CUSTOM);
    tcase_add_test(tcase, sticky_stays_with_the_worker_that_had_the_key);
    tcase_add_test(tcase,
                   consistent_hash_keeps_a_key_on_its_worker_and_moves_few_when_the_pool_grows);
    tcase_add_test(tcase, least_loaded_prefers_the_worker_that_has_worked_less);
    tcase_add_loop_test(tcase, a_key_that_waits_does_not_keep_other_work_from_an_idle_worker,
                        ROUTING_KEY_PERSISTENT, ROUTING_CONSISTENT_HASH);
    tcase_add_test(tcase, a_hot_key_does_not_bypass_the_limit);
    tcase_add_test(tcase, a_retired_worker_gets_nothing_more_although_its_key_goes_on);
    tcase_add_test(tcase, a_priority_that_is_no_class_is_the_last_one_and_counted);
    tcase_add_test(tcase, weighted_classes_and_age_let_nobody_starve);
    tcase_add_test(tcase, more_important_jobs_go_first);
    suite_add_tcase(suite, tcase);
    return suite;
}
