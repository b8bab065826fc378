/* test_factory_life.c - drain, reload, settings, hooks, numbers, and what was recorded. */
#include "tests/unit/runner.h"
#include "tests/unit/test_factory_fixture.h"

static Fix fix; /* each test has its own process */

/* --- drain ------------------------------------------------------------------------------- */

/* ractor: 999 queued, then drain: later ones are rejected, all 999 are done. */
START_TEST(a_drain_finishes_the_queue_and_refuses_what_comes_later)
{
    fix_open(&fix, (FactoryRouting)_i, 4);
    for (guint i = 0; i < 999; i++)
        fix_submit_key(&fix, (guint8)i);
    fix_drain(&fix, DRAIN_QUEUE, 3600 * SECOND);
    ck_assert_uint_eq(fix.said[ACTION_DRAIN_BEGUN], 1);
    assert_came_to(&fix, fix_submit(&fix), REASON_REFUSED_DRAINING);
    for (guint i = 0; i < fix.n_started; i++)
        fix_finish(&fix, fix.order[i]);
    ck_assert_uint_eq(fix_count(&fix, REASON_COMPLETED), 999);
    ck_assert_uint_eq(fix.said[ACTION_DRAINED], 1);
    ck_assert_int_eq(factory_drain_state(fix.factory), FACTORY_DRAINED);
    fix_close(&fix);
}
END_TEST

/* Hazard 15: at its deadline what is left gets a reply with the reason, stuck workers or not. */
START_TEST(a_drain_ends_at_its_deadline_with_a_reason_for_each)
{
    fix_open(&fix, (FactoryRouting)_i, 2);
    for (guint i = 0; i < 10; i++)
        fix_submit_key(&fix, (guint8)i);
    fix_drain(&fix, DRAIN_QUEUE, SECOND);
    ck_assert_int_le(factory_next_usec(fix.factory), fix.now_usec + SECOND);
    fix_time(&fix, SECOND);
    ck_assert_uint_eq(fix_count(&fix, REASON_CUT_OFF) + fix_count(&fix, REASON_DRAINING), 10);
    ck_assert_uint_ge(fix_count(&fix, REASON_CUT_OFF), 1);
    ck_assert_uint_eq(fix.said[ACTION_DRAINED], 1);
    ck_assert_int_eq(fix.last_value[ACTION_DRAINED], fix_count(&fix, REASON_CUT_OFF));
    fix_close(&fix);
}
END_TEST

START_TEST(a_drain_of_what_runs_tells_the_queue_at_once)
{
    fix_open(&fix, ROUTING_QUEUER, 1);
    for (guint i = 0; i < 5; i++)
        fix_submit(&fix);
    fix_drain(&fix, DRAIN_RUNNING, SECOND);
    ck_assert_uint_eq(fix_count(&fix, REASON_DRAINING), 4);
    ck_assert_int_eq(factory_drain_state(fix.factory), FACTORY_DRAINING);
    fix_finish(&fix, 0);
    ck_assert_int_eq(factory_drain_state(fix.factory), FACTORY_DRAINED);
    fix_close(&fix);
}
END_TEST

START_TEST(a_drain_can_be_called_off)
{
    fix_open(&fix, ROUTING_QUEUER, 1);
    fix_submit(&fix);
    fix_drain(&fix, DRAIN_QUEUE, SECOND);
    fix_tell(&fix, EVENT_ABORT_DRAIN);
    fix_time(&fix, 2 * SECOND);
    ck_assert(!fix.jobs[0].ended);
    ck_assert(!fix.jobs[fix_submit(&fix)].ended);
    fix_close(&fix);
}
END_TEST

/* --- settings ---------------------------------------------------------------------------- */

START_TEST(settings_that_cannot_be_are_refused_with_what_could)
{
    static const struct {
        gsize offset;
        guint value;
        const gchar *message;
    } cases[] = {
        { G_STRUCT_OFFSET(FactorySettings, routing), 99, "routing is 99; allowed: 0 to 6" },
        { G_STRUCT_OFFSET(FactorySettings, workers_max), 33,
          "workers_max is 33; allowed: 0 to 32" },
        { G_STRUCT_OFFSET(FactorySettings, n_methods), 0, "n_methods is 0; allowed: 1 to 256" },
        { G_STRUCT_OFFSET(FactorySettings, capacity_target_permille), 0,
          "capacity_target_permille is 0; allowed: 1 to 1000" },
        { G_STRUCT_OFFSET(FactorySettings, queue_limit), 5000000,
          "queue_limit is 5000000; allowed: 0 to 4000000" },
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        fix_settings(&fix, ROUTING_QUEUER, 1);
        *(guint *)((gchar *)&fix.settings + cases[i].offset) = cases[i].value;
        ck_assert(!factory_settings_check(&fix.settings, FIX_WORKERS, &error));
        ck_assert_str_eq(error->message, cases[i].message);
    }
}
END_TEST

/* ractor: everything can be changed while jobs wait and run, also what it cannot: the router
 * and the queue.  No job is lost, and the version says which settings are in force. */
START_TEST(every_setting_can_change_under_load)
{
    fix_open(&fix, ROUTING_QUEUER, 3);
    for (guint i = 0; i < 100; i++) {
        fix_submit_priority(&fix, (guint8)(i % FACTORY_PRIORITIES));
        fix.settings.routing = (FactoryRouting)(i % ROUTING_CUSTOM);
        fix.settings.queue = (FactoryQueueKind)(i % FACTORY_QUEUES);
        fix.settings.lookahead = i % 3;
        fix.settings.stuck = (FactoryStuck)(i % FACTORY_STUCKS);
        fix.settings.workers_min = 1 + i % 4;
        fix_apply(&fix);
        fix_claim(&fix);
    }
    ck_assert_uint_eq(factory_settings_version(fix.factory), 101);
    ck_assert_int_eq(fix.last_value[ACTION_APPLIED], 101);
    for (guint i = 0; i < fix.n_started; i++)
        if (fix.jobs[fix.order[i]].worker != FIX_NOBODY)
            fix_finish(&fix, fix.order[i]);
    ck_assert_uint_eq(fix_count(&fix, REASON_COMPLETED), 100);
    fix_close(&fix);
}
END_TEST

START_TEST(a_number_that_gets_another_method_is_measured_anew)
{
    fix_settings(&fix, ROUTING_QUEUER, 1);
    fix.settings.n_methods = 2;
    fix_begin(&fix);
    FactoryEvent event = fix_submit_event(&fix);
    event.submit.method = 1;
    fix_step(&fix, &event);
    fix_finish(&fix, 0);
    fix_apply(&fix);
    ck_assert_uint_eq(factory_service_time(fix.factory, 1)->count, 1);
    fix.settings.methods[1].identity = 7;
    fix_apply(&fix);
    ck_assert_uint_eq(factory_service_time(fix.factory, 1)->count, 0);
    fix_close(&fix);
}
END_TEST

/* --- hooks and numbers ------------------------------------------------------------------- */

/* ractor: started, draining, stopped, in that order, however slowly workers start. */
START_TEST(ready_draining_and_drained_come_in_this_order)
{
    fix_settings(&fix, ROUTING_QUEUER, 2);
    fix.no_start = TRUE;
    fix_begin(&fix);
    ck_assert_uint_eq(fix.said[ACTION_READY], 0);
    fix_tell_worker(&fix, EVENT_WORKER_READY, 1, 0);
    fix_time(&fix, 100 * SECOND);
    ck_assert_uint_eq(fix.said[ACTION_READY], 0);
    fix_tell_worker(&fix, EVENT_WORKER_READY, 0, 0);
    ck_assert_uint_eq(fix.said[ACTION_READY], 1);
    ck_assert_uint_eq(fix.said[ACTION_DRAIN_BEGUN], 0);
    fix_drain(&fix, DRAIN_QUEUE, SECOND);
    ck_assert_uint_eq(fix.said[ACTION_DRAIN_BEGUN], 1);
    ck_assert_uint_eq(fix.said[ACTION_DRAINED], 1);
    fix_close(&fix);
}
END_TEST

/* ractor #428: what is being processed is never more than the workers, and 0 at the end. */
START_TEST(the_numbers_of_ractor_are_right_at_every_moment)
{
    fix_open(&fix, ROUTING_QUEUER, 3);
    for (guint i = 0; i < 10; i++)
        fix_submit(&fix);
    for (guint i = 0; i <= 10; i++) {
        const FactoryRactorStats stats = factory_ractor_stats(fix.factory);
        ck_assert_uint_eq(stats.new_job, 10);
        ck_assert_uint_eq(stats.job_completed, i);
        ck_assert_uint_eq(stats.processing_messages_count, MIN(10 - i, 3));
        ck_assert_uint_eq(stats.queue_depth, i > 7 ? 0 : 7 - i);
        ck_assert_uint_eq(stats.in_flight_messages_count, 10 - i);
        ck_assert_uint_eq(stats.worker_count, 3);
        ck_assert_uint_eq(stats.queue_limit, FIX_JOBS);
        ck_assert_uint_eq(stats.worker_ping_received, MIN(i + 3, 10));
        if (i < 10)
            fix_finish(&fix, i);
    }
    fix_close(&fix);
}
END_TEST

/* Hazard 16: times are measured on one clock and end up in the right histogram. */
START_TEST(queue_and_service_times_are_measured_by_method_and_priority)
{
    fix_settings(&fix, ROUTING_QUEUER, 1);
    fix.settings.n_methods = 2;
    fix_begin(&fix);
    for (guint i = 0; i < 2; i++) {
        FactoryEvent event = fix_submit_event(&fix);
        event.submit.method = 1;
        event.submit.priority = PRIORITY_HIGH;
        fix_step(&fix, &event);
    }
    fix_time(&fix, SECOND);
    fix_finish(&fix, 0);
    fix_time(&fix, 3 * SECOND);
    fix_finish(&fix, 1);
    const Histogram *queue = factory_queue_time(fix.factory, 1);
    const Histogram *service = factory_priority_service_time(fix.factory, PRIORITY_HIGH);
    ck_assert_uint_eq(queue->count, 2);
    ck_assert_uint_eq(queue->sum_usec, 1 * SECOND);
    ck_assert_uint_eq(service->sum_usec, 4 * SECOND);
    ck_assert_uint_eq(factory_service_time(fix.factory, 0)->count, 0);
    fix_close(&fix);
}
END_TEST

/* Hazard 18: what is counted goes on through new settings, a new size and a new generation, for
 * jobs that were out meanwhile too.                                                          */
START_TEST(numbers_go_on_over_settings_sizes_and_generations)
{
    fix_open(&fix, ROUTING_QUEUER, 2);
    fix_submit(&fix);
    fix_submit(&fix);
    fix_finish(&fix, 0);
    fix.settings.routing = ROUTING_KEY_PERSISTENT;
    fix_apply(&fix);
    fix_resize(&fix, 3);
    fix_reload(&fix, 2, 2);
    fix_swap(&fix, 10 * SECOND);
    ck_assert_uint_eq(factory_generation(fix.factory), 2);
    fix_time(&fix, SECOND);
    fix_finish(&fix, 1);
    ck_assert_uint_eq(fix_count(&fix, REASON_COMPLETED), 2);
    ck_assert_uint_eq(factory_service_time(fix.factory, 0)->count, 2);
    ck_assert_uint_eq(factory_service_time(fix.factory, 0)->sum_usec, SECOND);
    fix_close(&fix);
}
END_TEST

/* --- recording --------------------------------------------------------------------------- */

/* So that a new stretch begins, in the memory of an older one. */
static void fill_the_recording(void)
{
    for (guint i = 0; i < FACTORY_RECORD_EVENTS; i++)
        fix_tell(&fix, EVENT_TICK);
}

START_TEST(a_recording_played_again_ends_bit_for_bit_alike)
{
    FactoryReplay replay, live;
    fix_open(&fix, (FactoryRouting)_i, 4);
    for (guint i = 0; i < 1000; i++) {
        if (i % 300 == 0) /* the tables have grown since */
            fill_the_recording();
        fix_submit_key(&fix, (guint8)(i % 7));
        fix_time(&fix, 100);
        if (i % 3 == 0 && fix.jobs[fix.order[i / 3]].worker != FIX_NOBODY)
            fix_finish(&fix, fix.order[i / 3]);
    }
    ck_assert(factory_replay(fix.factory, &replay, &live));
    ck_assert_uint_gt(replay.events, 0);
    ck_assert_uint_eq(replay.state_digest, live.state_digest);
    ck_assert_uint_eq(replay.actions_digest, live.actions_digest);
    fix_submit(&fix); /* another state is told apart */
    FactoryReplay later;
    ck_assert(factory_replay(fix.factory, &later, NULL));
    ck_assert_uint_ne(later.state_digest, replay.state_digest);
    fix_close(&fix);
}
END_TEST

START_TEST(explain_says_why_a_job_waited_moved_and_ended)
{
    g_autoptr(GString) text = g_string_new(NULL);
    fix_settings(&fix, ROUTING_KEY_PERSISTENT, 2);
    fix.settings.queue_limit = 3;
    fix_begin(&fix);
    fix_submit_key(&fix, 1);
    const guint second = fix_submit_key(&fix, 1);
    fix_finish(&fix, 0);
    fix_worker_ends(&fix, fix.jobs[second].worker, END_CRASHED);
    ck_assert(factory_explain(fix.factory, fix.jobs[second].id, text));
    static const gchar *const words[] = {
        "came in",           "another job of its key is before it",
        "its turn has come", "is handed over",
        "runs on worker",    "ended: worker_crashed"
    };
    const gchar *at = text->str;
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        at = strstr(at, words[i]);
        ck_assert_msg(at != NULL, "no \"%s\" in:\n%s", words[i], text->str);
    }
    ck_assert(!factory_explain(fix.factory, 4711, text));
    fill_the_recording();
    ck_assert(factory_explain(fix.factory, fix.jobs[second].id, text));
    fill_the_recording(); /* two stretches are kept */
    ck_assert(!factory_explain(fix.factory, fix.jobs[second].id, text));
    factory_set_recording(fix.factory, FALSE);
    ck_assert(!factory_explain(fix.factory, fix.jobs[second].id, text));
    fix_close(&fix);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("factory life");
    TCase *tcase = tcase_create("life");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_drain_finishes_the_queue_and_refuses_what_comes_later,
                        ROUTING_QUEUER, ROUTING_CUSTOM);
    tcase_add_loop_test(tcase, a_drain_ends_at_its_deadline_with_a_reason_for_each, ROUTING_QUEUER,
                        ROUTING_CUSTOM);
    tcase_add_test(tcase, a_drain_of_what_runs_tells_the_queue_at_once);
    tcase_add_test(tcase, a_drain_can_be_called_off);
    tcase_add_test(tcase, settings_that_cannot_be_are_refused_with_what_could);
    tcase_add_test(tcase, every_setting_can_change_under_load);
    tcase_add_test(tcase, a_number_that_gets_another_method_is_measured_anew);
    tcase_add_test(tcase, ready_draining_and_drained_come_in_this_order);
    tcase_add_test(tcase, the_numbers_of_ractor_are_right_at_every_moment);
    tcase_add_test(tcase, numbers_go_on_over_settings_sizes_and_generations);
    tcase_add_test(tcase, queue_and_service_times_are_measured_by_method_and_priority);
    tcase_add_loop_test(tcase, a_recording_played_again_ends_bit_for_bit_alike, ROUTING_QUEUER,
                        ROUTING_CUSTOM);
    tcase_add_test(tcase, explain_says_why_a_job_waited_moved_and_ended);
    suite_add_tcase(suite, tcase);
    return suite;
}
