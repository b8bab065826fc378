/* test_factory_queue.c - who may wait, who is told no, and at what rate jobs are taken. */
#include "tests/unit/runner.h"
#include "tests/unit/test_factory_fixture.h"

static Fix fix; /* each test has its own process */

static void open_limited(FactoryDiscard discard, guint32 workers, guint limit)
{
    fix_settings(&fix, ROUTING_QUEUER, workers);
    fix.settings.discard = discard;
    fix.settings.queue_limit = limit;
    fix.settings.queue_hard_limit = 2 * limit;
    fix_begin(&fix);
}

/* --- discarding -------------------------------------------------------------------------- */

/* ractor: limit 0 keeps the direct slot in both modes. */
START_TEST(limit_0_still_gives_a_job_to_an_idle_worker)
{
    open_limited(_i == 0 ? DISCARD_NEWEST : DISCARD_OLDEST, 1, 0);
    fix_submit(&fix);
    fix_submit(&fix);
    ck_assert_uint_eq(fix.jobs[0].starts, 1);
    ck_assert(fix.jobs[1].ended);
    ck_assert_uint_eq(fix.jobs[1].starts, 0);
    fix_finish(&fix, 0);
    fix_submit(&fix);
    ck_assert_uint_eq(fix.jobs[2].starts, 1);
    fix_close(&fix);
}
END_TEST

/* ractor: oldest, limit 5, three stuck workers, 108 jobs: 3 run, 5 wait, 100 are discarded. */
START_TEST(oldest_keeps_the_latest_jobs)
{
    open_limited(DISCARD_OLDEST, 3, 5);
    for (guint i = 0; i < 108; i++)
        fix_submit(&fix);
    ck_assert_uint_eq(fix_stats(&fix)->running, 3);
    ck_assert_uint_eq(fix_stats(&fix)->queued, 5);
    ck_assert_uint_eq(fix_count(&fix, REASON_OLDEST), 100);
    for (guint i = 3; i < 103; i++)
        assert_came_to(&fix, i, REASON_OLDEST);
    fix_close(&fix);
}
END_TEST

/* ractor: newest, limit 5, one worker, jobs 0 to 9: those from 6 on are refused. */
START_TEST(newest_refuses_what_comes_last)
{
    open_limited(DISCARD_NEWEST, 1, 5);
    for (guint i = 0; i < 10; i++)
        fix_submit(&fix);
    for (guint i = 0; i < 10; i++)
        ck_assert_int_eq(fix.jobs[i].ended, i >= 6);
    ck_assert_uint_eq(fix_count(&fix, REASON_REFUSED_NEWEST), 4);
    fix_close(&fix);
}
END_TEST

/* Hazard 11: the limit holds at the door, so a flood neither grows the queue nor stands before
 * the completions; each of them counts at once and hands the next job over.                  */
START_TEST(a_flood_is_refused_as_it_comes_and_delays_no_completion)
{
    open_limited(DISCARD_NEWEST, 1, 5);
    for (guint done = 0; done < 10; done++) {
        for (guint i = 0; i < 20; i++)
            fix_submit(&fix);
        ck_assert_uint_eq(fix_stats(&fix)->queued, 5);
        fix_finish(&fix, fix.order[done]);
        ck_assert_uint_eq(fix_count(&fix, REASON_COMPLETED), done + 1);
        ck_assert_uint_eq(fix.n_started, done + 2);
        ck_assert_uint_eq(fix_stats(&fix)->queued, 4);
    }
    fix_close(&fix);
}
END_TEST

/* Hazard 4: what may not be discarded is not, in either mode; up to the hard limit. */
START_TEST(what_may_not_be_discarded_stays_up_to_the_hard_limit)
{
    open_limited(_i == 0 ? DISCARD_NEWEST : DISCARD_OLDEST, 1, 3);
    fix_submit(&fix);
    for (guint i = 0; i < 8; i++) {
        FactoryEvent event = fix_submit_event(&fix);
        event.submit.no_discard = TRUE;
        fix_step(&fix, &event);
    }
    for (guint i = 0; i < 4; i++)
        fix_submit(&fix);
    ck_assert_uint_eq(fix_stats(&fix)->queued, 6);
    for (guint i = 1; i <= 6; i++)
        ck_assert(!fix.jobs[i].ended);
    for (guint i = 7; i < fix.n_jobs; i++)
        ck_assert_int_eq(factory_reason_kind(fix.jobs[i].reason), REASON_REFUSED);
    fix_close(&fix);
}
END_TEST

START_TEST(the_least_important_make_room_first)
{
    open_limited(DISCARD_NEWEST, 1, 2);
    fix_submit(&fix);
    const guint low = fix_submit_priority(&fix, PRIORITY_BEST_EFFORT);
    const guint normal = fix_submit_priority(&fix, PRIORITY_NORMAL);
    const guint high = fix_submit_priority(&fix, PRIORITY_HIGH);
    assert_came_to(&fix, low, REASON_NEWEST);
    const guint lower = fix_submit_priority(&fix, PRIORITY_BEST_EFFORT);
    assert_came_to(&fix, lower, REASON_REFUSED_NEWEST);
    ck_assert(!fix.jobs[normal].ended && !fix.jobs[high].ended);
    fix_close(&fix);
}
END_TEST

START_TEST(bytes_are_bounded_like_jobs_and_one_that_never_fits_is_told_so)
{
    fix_settings(&fix, ROUTING_QUEUER, 1);
    fix.settings.queue_bytes = 100;
    fix_begin(&fix);
    fix_submit(&fix);
    const guint32 sizes[] = { 60, 50, 40, 101 };
    static const FactoryReason reasons[] = { REASON_COMPLETED, REASON_QUEUE_FULL, REASON_COMPLETED,
                                             REASON_TOO_LARGE };
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        FactoryEvent event = fix_submit_event(&fix);
        event.submit.bytes = sizes[i];
        fix_step(&fix, &event);
        ck_assert_int_eq(fix.jobs[i + 1].ended, reasons[i] != REASON_COMPLETED);
        if (fix.jobs[i + 1].ended)
            assert_came_to(&fix, i + 1, reasons[i]);
    }
    ck_assert_uint_eq(fix_stats(&fix)->queued_bytes, 100);
    fix_close(&fix);
}
END_TEST

/* ractor: the controller moves the limit.  Here it follows what is worked off in the target. */
START_TEST(a_dynamic_limit_follows_the_speed_of_the_workers)
{
    fix_settings(&fix, ROUTING_QUEUER, 1);
    fix.settings.discard = DISCARD_DYNAMIC_NEWEST;
    fix.settings.queue_limit = 1000;
    fix.settings.queue_hard_limit = 1100;
    fix.settings.queue_target_usec = 100 * MSEC;
    fix_begin(&fix);
    for (guint i = 0; i < 500; i++)
        fix_submit(&fix);
    for (guint i = 0; i < 300; i++) { /* a hundred a second: ten in the target */
        fix_time(&fix, 10 * MSEC);
        fix_finish(&fix, i);
    }
    ck_assert_uint_ge(factory_ractor_stats(fix.factory).queue_limit, 8);
    ck_assert_uint_le(factory_ractor_stats(fix.factory).queue_limit, 12);
    const guint late = fix_submit(&fix);
    assert_came_to(&fix, late, REASON_REFUSED_NEWEST);
    fix_close(&fix);
}
END_TEST

/* ractor: available capacity; free workers and room, and never below 0. */
START_TEST(available_capacity_is_free_workers_and_room)
{
    open_limited(DISCARD_NEWEST, 2, 6);
    ck_assert_uint_eq(factory_available_capacity(fix.factory), 8);
    for (guint i = 0; i < 5; i++)
        fix_submit(&fix);
    ck_assert_uint_eq(factory_available_capacity(fix.factory), 3);
    fix.settings.queue_limit = fix.settings.queue_hard_limit = 1; /* below what waits */
    fix_apply(&fix);
    ck_assert_uint_eq(factory_available_capacity(fix.factory), 0);
    ck_assert_uint_eq(fix_stats(&fix)->queued, 3);
    fix_close(&fix);
}
END_TEST

/* --- time -------------------------------------------------------------------------------- */

START_TEST(a_deadline_and_a_time_to_live_end_what_waits_by_a_timer)
{
    fix_open(&fix, ROUTING_QUEUER, 1);
    fix_submit(&fix);
    FactoryEvent event = fix_submit_event(&fix);
    event.submit.deadline_usec = fix.now_usec + 50 * MSEC;
    fix_step(&fix, &event);
    event = fix_submit_event(&fix);
    event.submit.ttl_usec = 20 * MSEC;
    fix_step(&fix, &event);
    ck_assert_int_le(factory_next_usec(fix.factory), fix.now_usec + 20 * MSEC);
    fix_time(&fix, 21 * MSEC);
    assert_came_to(&fix, 2, REASON_TTL_EXPIRED);
    ck_assert(!fix.jobs[1].ended);
    fix_time(&fix, 30 * MSEC);
    assert_came_to(&fix, 1, REASON_DEADLINE);
    ck_assert(!fix.jobs[0].ended);
    fix_close(&fix);
}
END_TEST

START_TEST(a_job_that_comes_when_its_time_has_passed_is_refused)
{
    fix_open(&fix, ROUTING_QUEUER, 1);
    FactoryEvent event = fix_submit_event(&fix);
    event.submit.received_usec = fix.now_usec - SECOND;
    event.submit.ttl_usec = SECOND;
    fix_step(&fix, &event);
    assert_came_to(&fix, 0, REASON_REFUSED_EXPIRED);
    event = fix_submit_event(&fix); /* a clock that is ahead gives no more than the deadline */
    event.submit.received_usec = fix.now_usec + 1000 * SECOND;
    event.submit.deadline_usec = fix.now_usec;
    event.submit.ttl_usec = SECOND;
    fix_step(&fix, &event);
    assert_came_to(&fix, 1, REASON_REFUSED_EXPIRED);
    fix_close(&fix);
}
END_TEST

/* --- rate -------------------------------------------------------------------------------- */

static void open_rate(FactoryRouting routing, gboolean shape)
{
    fix_settings(&fix, routing, 1);
    fix.settings.rate = (FactoryRate){ 10, SECOND, 5 };
    fix.settings.shape = shape;
    fix_begin(&fix);
}

/* ractor, for each router: a cap of five, ten jobs: five run and five are rate limited, and a
 * drain ends.  Hazard 3: what was accepted is never dropped for its rate later. */
START_TEST(a_rate_is_decided_once_at_admission)
{
    open_rate((FactoryRouting)_i, FALSE);
    for (guint i = 0; i < 10; i++)
        fix_submit_key(&fix, (guint8)i);
    ck_assert_uint_eq(fix_count(&fix, REASON_REFUSED_RATE), 5);
    for (guint i = 5; i < 10; i++)
        assert_came_to(&fix, i, REASON_REFUSED_RATE);
    fix_drain(&fix, DRAIN_QUEUE, SECOND);
    for (guint i = 0; i < 5; i++)
        fix_finish(&fix, i);
    ck_assert_uint_eq(fix_count(&fix, REASON_COMPLETED), 5);
    ck_assert_int_eq(factory_drain_state(fix.factory), FACTORY_DRAINED);
    fix_close(&fix);
}
END_TEST

START_TEST(a_refusal_says_when_a_token_will_be_there)
{
    open_rate(ROUTING_QUEUER, FALSE);
    for (guint i = 0; i < 6; i++)
        fix_submit(&fix);
    ck_assert_int_eq(fix.jobs[5].value, 100 * MSEC);
    fix_time(&fix, 100 * MSEC);
    ck_assert(!fix.jobs[fix_submit(&fix)].ended);
    ck_assert(fix.jobs[fix_submit(&fix)].ended);
    fix_close(&fix);
}
END_TEST

START_TEST(a_shaped_rate_holds_jobs_until_their_turn_and_no_longer_than_their_deadline)
{
    open_rate(ROUTING_QUEUER, TRUE);
    fix_resize(&fix, 20);
    for (guint i = 0; i < 8; i++)
        fix_submit(&fix);
    ck_assert_uint_eq(fix.n_started, 5);
    FactoryEvent hasty = fix_submit_event(&fix);
    hasty.submit.deadline_usec = fix.now_usec + 350 * MSEC;
    fix_step(&fix, &hasty);
    assert_came_to(&fix, 8, REASON_REFUSED_RATE);
    for (guint i = 6; i <= 8; i++) {
        fix_time(&fix, 100 * MSEC);
        ck_assert_uint_eq(fix.n_started, i);
    }
    fix_close(&fix);
}
END_TEST

START_TEST(methods_and_clients_have_rates_of_their_own)
{
    fix_settings(&fix, ROUTING_QUEUER, 20);
    fix.settings.n_methods = 2;
    fix.settings.methods[1].rate = (FactoryRate){ 1, SECOND, 1 };
    fix.settings.client_rate = (FactoryRate){ 1, SECOND, 2 };
    fix_begin(&fix);
    static const struct {
        guint16 method;
        guint64 client;
        gboolean in;
    } jobs[] = { { 1, 1, TRUE }, { 1, 1, FALSE }, { 0, 1, TRUE }, { 0, 1, FALSE },
                 { 0, 2, TRUE }, { 9, 2, TRUE },  { 0, 2, FALSE } };
    for (guint i = 0; i < G_N_ELEMENTS(jobs); i++) {
        FactoryEvent event = fix_submit_event(&fix);
        event.submit.method = jobs[i].method;
        event.submit.client = jobs[i].client;
        fix_step(&fix, &event);
        ck_assert_msg(fix.jobs[i].ended == !jobs[i].in, "job %u", i);
    }
    ck_assert_uint_eq(fix_stats(&fix)->method_unknown, 1);
    fix_close(&fix);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("factory queue");
    TCase *tcase = tcase_create("queue");
    tcase_add_loop_test(tcase, limit_0_still_gives_a_job_to_an_idle_worker, 0, 2);
    tcase_add_test(tcase, oldest_keeps_the_latest_jobs);
    tcase_add_test(tcase, newest_refuses_what_comes_last);
    tcase_add_test(tcase, a_flood_is_refused_as_it_comes_and_delays_no_completion);
    tcase_add_loop_test(tcase, what_may_not_be_discarded_stays_up_to_the_hard_limit, 0, 2);
    tcase_add_test(tcase, the_least_important_make_room_first);
    tcase_add_test(tcase, bytes_are_bounded_like_jobs_and_one_that_never_fits_is_told_so);
    tcase_add_test(tcase, a_dynamic_limit_follows_the_speed_of_the_workers);
    tcase_add_test(tcase, available_capacity_is_free_workers_and_room);
    tcase_add_test(tcase, a_deadline_and_a_time_to_live_end_what_waits_by_a_timer);
    tcase_add_test(tcase, a_job_that_comes_when_its_time_has_passed_is_refused);
    tcase_add_loop_test(tcase, a_rate_is_decided_once_at_admission, ROUTING_QUEUER, ROUTING_CUSTOM);
    tcase_add_test(tcase, a_refusal_says_when_a_token_will_be_there);
    tcase_add_test(tcase,
                   a_shaped_rate_holds_jobs_until_their_turn_and_no_longer_than_their_deadline);
    tcase_add_test(tcase, methods_and_clients_have_rates_of_their_own);
    suite_add_tcase(suite, tcase);
    return suite;
}
