/* test_factory_capacity.c - the pool's size moves by itself: up when that pays, down when the
 * machine is full or the workers are idle, and never without bounds.                         */
#include "tests/unit/runner.h"
#include "tests/unit/test_factory_fixture.h"

static Fix fix; /* each test has its own process */

static void open_capacity(FactoryCapacity capacity, guint min, guint max)
{
    fix_settings(&fix, ROUTING_QUEUER, min);
    fix.settings.workers_max = max;
    fix.settings.capacity = capacity;
    fix.settings.capacity_target_permille = 800;
    fix.settings.capacity_hysteresis_permille = 100;
    fix.settings.capacity_cooldown_usec = 300 * MSEC;
    fix_begin(&fix);
}

static void set_load(guint16 cpu)
{
    fix_step(&fix, &(FactoryEvent){ .kind = EVENT_LOAD, .load = { .cpu = cpu } });
}

/* For a time: every 100 ms each busy worker finishes `each` jobs, and the queue stays full. */
static void work(guint ticks, guint each)
{
    for (guint i = 0; i < ticks; i++) {
        for (guint k = 0; k < each * 8; k++) {
            guint job = 0;
            while (job < fix.n_jobs && fix.jobs[job].worker == FIX_NOBODY)
                job++;
            if (k / each < factory_ready_workers(fix.factory) && job < fix.n_jobs)
                fix_finish(&fix, job);
        }
        fix_time(&fix, 100 * MSEC);
    }
}

static void fill_queue(void)
{
    for (guint i = 0; i < 700; i++)
        fix_submit(&fix);
}

/* ractor: the controller takes the pool from 4 to 10. */
START_TEST(a_pool_grows_while_jobs_wait_and_more_workers_do_more)
{
    open_capacity((FactoryCapacity)_i, 2, 6);
    fill_queue();
    set_load(300);
    work(60, 1);
    ck_assert_uint_gt(factory_worker_count(fix.factory), 3);
    ck_assert_uint_le(factory_worker_count(fix.factory), 6);
    ck_assert_uint_eq(fix.last_value[ACTION_RESIZED], factory_worker_count(fix.factory));
    fix_close(&fix);
}
END_TEST

/* Blocked on the same thing, more workers do no more: the growth is taken back, and tried
 * less and less often. */
START_TEST(growth_that_does_not_pay_is_taken_back)
{
    open_capacity(CAPACITY_UTILISATION, 2, 6);
    fill_queue();
    set_load(100);
    for (guint i = 0; i < 200; i++) { /* one job a tick, however many workers there are */
        guint job = 0;
        while (fix.jobs[job].worker == FIX_NOBODY)
            job++;
        fix_finish(&fix, job);
        fix_time(&fix, 100 * MSEC);
    }
    ck_assert_uint_le(factory_worker_count(fix.factory), 3);
    ck_assert_uint_lt(fix_stats(&fix)->resizes, 20);
    ck_assert_uint_gt(fix_stats(&fix)->resizes, 1);
    fix_close(&fix);
}
END_TEST

START_TEST(a_full_machine_takes_workers_away_down_to_the_least)
{
    open_capacity(CAPACITY_UTILISATION, 2, 6);
    fix_resize(&fix, 6);
    fill_queue();
    set_load(950);
    work(60, 1);
    ck_assert_uint_eq(factory_worker_count(fix.factory), 2);
    fix_close(&fix);
}
END_TEST

START_TEST(between_the_bounds_of_its_hysteresis_nothing_moves)
{
    open_capacity(CAPACITY_UTILISATION, 2, 6);
    fix_resize(&fix, 4);
    fill_queue();
    for (guint16 cpu = 730; cpu <= 870; cpu = (guint16)(cpu + 20)) {
        set_load(cpu);
        work(10, 1);
        ck_assert_uint_eq(factory_worker_count(fix.factory), 4);
    }
    fix_close(&fix);
}
END_TEST

/* Calls that take twice their best time: what they wait for is overloaded, by us among others. */
START_TEST(aimd_gives_way_when_calls_take_longer)
{
    open_capacity(CAPACITY_AIMD, 1, 8);
    fix_resize(&fix, 8);
    fill_queue();
    work(20, 2);
    for (guint i = 0; i < 6; i++) {
        fix_time(&fix, 2 * SECOND); /* those that run have taken so long */
        work(5, 1);
    }
    ck_assert_uint_lt(factory_worker_count(fix.factory), 8);
    fix_close(&fix);
}
END_TEST

START_TEST(idle_workers_go_one_at_a_time)
{
    open_capacity(CAPACITY_UTILISATION, 2, 6);
    fix_resize(&fix, 6);
    for (guint second = 0; second < 60; second++) {
        const guint before = factory_worker_count(fix.factory);
        for (guint i = 0; i < 10; i++)
            fix_time(&fix, 100 * MSEC);
        ck_assert_uint_ge(factory_worker_count(fix.factory) + 1, before);
    }
    ck_assert_uint_eq(factory_worker_count(fix.factory), 2);
    fix_close(&fix);
}
END_TEST

START_TEST(a_dry_run_only_says_what_it_would_do)
{
    fix_settings(&fix, ROUTING_QUEUER, 2);
    fix.settings.workers_max = 6;
    fix.settings.capacity = CAPACITY_UTILISATION;
    fix.settings.capacity_dry_run = TRUE;
    fix_begin(&fix);
    fill_queue();
    set_load(100);
    work(30, 1);
    ck_assert_uint_eq(factory_worker_count(fix.factory), 2);
    ck_assert_uint_gt(fix.said[ACTION_CAPACITY], 0);
    ck_assert_int_eq(fix.last_value[ACTION_CAPACITY], 3);
    fix_close(&fix);
}
END_TEST

/* Hazard 13: controllers run on ticks of their own; an idle factory wants none. */
START_TEST(an_idle_pool_at_its_least_wants_no_ticks)
{
    open_capacity(CAPACITY_UTILISATION, 2, 6);
    fix_time(&fix, SECOND);
    ck_assert_int_eq(factory_next_usec(fix.factory), G_MAXINT64);
    fix_submit(&fix);
    ck_assert_int_le(factory_next_usec(fix.factory), fix.now_usec + 100 * MSEC);
    fix_close(&fix);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("factory capacity");
    TCase *tcase = tcase_create("capacity");
    tcase_add_loop_test(tcase, a_pool_grows_while_jobs_wait_and_more_workers_do_more,
                        CAPACITY_UTILISATION, CAPACITY_AIMD + 1);
    tcase_add_test(tcase, growth_that_does_not_pay_is_taken_back);
    tcase_add_test(tcase, a_full_machine_takes_workers_away_down_to_the_least);
    tcase_add_test(tcase, between_the_bounds_of_its_hysteresis_nothing_moves);
    tcase_add_test(tcase, aimd_gives_way_when_calls_take_longer);
    tcase_add_test(tcase, idle_workers_go_one_at_a_time);
    tcase_add_test(tcase, a_dry_run_only_says_what_it_would_do);
    tcase_add_test(tcase, an_idle_pool_at_its_least_wants_no_ticks);
    suite_add_tcase(suite, tcase);
    return suite;
}
