/* test_stuck_watch.c - promises of daemon/hosts/stuck_watch.h, on a real ring.
 *
 * No time is waited for: what must not be reported is watched while the watch reports another
 * call, and each of those reports is a look at every slot. */
#include "daemon/hosts/stuck_watch.h"
#include "tests/unit/runner.h"
#include "tests/unit/test_ring_fixture.h"

#define LIMIT_USEC 1
#define WORKERS    2

/* Two workers on one ring; slots are given out from 0 up, and a look follows their order. */
typedef struct {
    Loop *loop;
    RingFront *front;
    RingWorker *workers[WORKERS];
    RingCall calls[WORKERS]; /* that they have */
    StuckWatch *watch;
    GString *reports; /* a digit each: the worker */
    gsize stop_at;    /* so many reports */
    gchar stop_after; /* or the first of this worker */
} Scene;

static const guint16 incarnations[WORKERS] = { 7, 65535 };

static void on_stuck(guint32 worker, guint16 incarnation, gpointer user)
{
    Scene *scene = user;
    ck_assert_uint_lt(worker, WORKERS);
    ck_assert_uint_eq(incarnation, incarnations[worker]);
    const gchar digit = (gchar)('0' + worker);
    g_string_append_c(scene->reports, digit);
    if (scene->reports->len == scene->stop_at || digit == scene->stop_after)
        loop_stop(scene->loop);
}

static void open_ring(Scene *scene)
{
    scene->front = new_front(WORKERS, 4);
    for (guint32 w = 0; w < WORKERS; w++)
        scene->workers[w] = new_worker(scene->front, w, incarnations[w]);
    stuck_watch_set_ring(scene->watch, scene->front);
}

static void forget_call(guint32 slot, gpointer job, gboolean unclaimed, gpointer user)
{
    (void)slot, (void)job, (void)unclaimed, (void)user;
}

static void close_ring(Scene *scene)
{
    stuck_watch_set_ring(scene->watch, NULL);
    for (guint32 w = 0; w < WORKERS; w++)
        ring_worker_free(scene->workers[w]);
    ring_front_abandon(scene->front, forget_call, NULL);
    ring_front_free(scene->front);
}

static void scene_open(Scene *scene, gint64 limit_usec)
{
    *scene = (Scene){ .loop = loop_new(), .reports = g_string_new("") };
    scene->watch = stuck_watch_new(scene->loop, limit_usec, on_stuck, scene);
    open_ring(scene);
}

static void scene_close(Scene *scene)
{
    close_ring(scene);
    stuck_watch_free(scene->watch);
    loop_free(scene->loop);
    g_string_free(scene->reports, TRUE);
}

static guint32 announce(Scene *scene)
{
    const guint32 slot = announce_number(scene->front, 1);
    stuck_watch_add(scene->watch, slot);
    return slot;
}

/* The oldest call that no worker has is now this one's. */
static void claim(Scene *scene, guint32 worker)
{
    ck_assert_int_eq(ring_worker_try_take(scene->workers[worker], &scene->calls[worker]),
                     RING_TAKEN);
}

static void run_until_reports(Scene *scene, gsize count)
{
    g_string_truncate(scene->reports, 0);
    scene->stop_at = count;
    scene->stop_after = '\0';
    loop_run(scene->loop);
}

static void run_until_report_of(Scene *scene, gchar worker)
{
    g_string_truncate(scene->reports, 0);
    scene->stop_at = 0;
    scene->stop_after = worker;
    loop_run(scene->loop);
}

/* --- what is reported -------------------------------------------------------------------- */

START_TEST(a_call_that_is_claimed_for_too_long_is_reported_with_its_worker_and_incarnation)
{
    Scene scene;
    scene_open(&scene, LIMIT_USEC);
    announce(&scene);
    claim(&scene, (guint32)_i); /* on_stuck() compares the incarnation */
    run_until_reports(&scene, 3);
    ck_assert_str_eq(scene.reports->str, _i == 0 ? "000" : "111");
    scene_close(&scene);
}
END_TEST

/* However slow the machine is, this holds: a delay makes the time only longer. */
START_TEST(no_call_is_reported_before_the_limit)
{
    const gint64 limit_usec = 40000; /* several looks */
    Scene scene;
    scene_open(&scene, limit_usec);
    announce(&scene);
    const gint64 before_usec = loop_now_usec();
    claim(&scene, 0);
    run_until_reports(&scene, 1);
    ck_assert_int_ge(loop_now_usec() - before_usec, limit_usec);
    scene_close(&scene);
}
END_TEST

START_TEST(a_waiting_call_is_not_reported)
{
    Scene scene;
    scene_open(&scene, LIMIT_USEC);
    announce(&scene);
    announce(&scene);
    claim(&scene, 1);
    run_until_reports(&scene, 3);
    ck_assert_str_eq(scene.reports->str, "111");
    scene_close(&scene);
}
END_TEST

START_TEST(the_time_a_call_has_waited_does_not_count)
{
    Scene scene;
    scene_open(&scene, LIMIT_USEC);
    announce(&scene);
    announce(&scene);
    claim(&scene, 0);
    run_until_reports(&scene, 3);
    claim(&scene, 1);
    run_until_report_of(&scene, '1');
    ck_assert_str_eq(scene.reports->str, "001"); /* first seen in one look, reported in the next */
    scene_close(&scene);
}
END_TEST

START_TEST(a_removed_call_is_not_reported_any_more)
{
    Scene scene;
    scene_open(&scene, LIMIT_USEC);
    const guint32 removed = announce(&scene);
    announce(&scene);
    claim(&scene, 0);
    claim(&scene, 1);
    if (_i == 1) /* reported before, or not even seen */
        run_until_report_of(&scene, '0');
    stuck_watch_remove(scene.watch, removed);
    run_until_reports(&scene, 3);
    ck_assert_str_eq(scene.reports->str, "111");
    scene_close(&scene);
}
END_TEST

START_TEST(the_next_call_in_a_slot_has_a_clock_of_its_own)
{
    Scene scene;
    scene_open(&scene, LIMIT_USEC);
    announce(&scene);
    const guint32 slot = announce(&scene);
    claim(&scene, 0);
    claim(&scene, 1);
    run_until_report_of(&scene, '1');

    RingDone done;
    answer_number(scene.workers[1], &scene.calls[1]);
    ck_assert(ring_front_collect(scene.front, &done));
    stuck_watch_remove(scene.watch, slot);
    accept_answer(scene.front, &done);
    ck_assert_uint_eq(announce(&scene), slot);
    claim(&scene, 1);
    run_until_report_of(&scene, '1');
    ck_assert_str_eq(scene.reports->str, "001");
    scene_close(&scene);
}
END_TEST

START_TEST(another_ring_begins_with_no_call_in_it)
{
    Scene scene;
    scene_open(&scene, LIMIT_USEC);
    announce(&scene);
    announce(&scene);
    claim(&scene, 0);
    claim(&scene, 1);
    run_until_report_of(&scene, '1');
    close_ring(&scene);
    open_ring(&scene);
    announce(&scene);
    claim(&scene, 1);
    run_until_reports(&scene, 3);
    ck_assert_str_eq(scene.reports->str, "111");
    scene_close(&scene);
}
END_TEST

/* --- the timer --------------------------------------------------------------------------- */

static int armed_timers(const Scene *scene)
{
    return event_base_get_num_events(loop_base(scene->loop), EVENT_BASE_COUNT_ADDED);
}

static void stop_without_timers(gpointer user)
{
    Scene *scene = user;
    if (armed_timers(scene) == 0)
        loop_stop(scene->loop);
}

static gboolean may_sleep(gpointer user)
{
    (void)user;
    return FALSE;
}

static void do_nothing(gpointer user) { (void)user; }

START_TEST(no_timer_runs_while_no_call_is_out)
{
    Scene scene;
    scene_open(&scene, LIMIT_USEC);
    LoopWatcher watcher = { stop_without_timers, may_sleep, do_nothing, &scene, NULL };
    loop_add_watcher(scene.loop, &watcher);
    ck_assert_int_eq(armed_timers(&scene), 0);
    for (guint round = 0; round < 2; round++) {
        const guint32 slot = announce(&scene);
        claim(&scene, round);
        ck_assert_int_eq(armed_timers(&scene), 1);
        stuck_watch_remove(scene.watch, slot);
        loop_run(scene.loop); /* for ever, if the timer went on */
        ck_assert_int_eq(armed_timers(&scene), 0);
        ck_assert_str_eq(scene.reports->str, "");
    }
    loop_remove_watcher(scene.loop, &watcher);
    scene_close(&scene);
}
END_TEST

START_TEST(without_a_ring_the_timer_ends_at_once)
{
    Scene scene;
    scene_open(&scene, LIMIT_USEC);
    announce(&scene);
    claim(&scene, 0);
    ck_assert_int_eq(armed_timers(&scene), 1);
    stuck_watch_set_ring(scene.watch, NULL);
    ck_assert_int_eq(armed_timers(&scene), 0);
    scene_close(&scene);
}
END_TEST

START_TEST(watching_a_call_twice_stops_the_process)
{
    Scene scene;
    scene_open(&scene, LIMIT_USEC);
    stuck_watch_add(scene.watch, announce(&scene));
}
END_TEST

START_TEST(removing_what_is_not_watched_stops_the_process)
{
    Scene scene;
    scene_open(&scene, LIMIT_USEC);
    stuck_watch_remove(scene.watch, 0);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("stuck_watch");
    TCase *reports = tcase_create("reports");
    tcase_set_timeout(reports, 30);
    tcase_add_loop_test(
        reports, a_call_that_is_claimed_for_too_long_is_reported_with_its_worker_and_incarnation, 0,
        WORKERS);
    tcase_add_test(reports, no_call_is_reported_before_the_limit);
    tcase_add_test(reports, a_waiting_call_is_not_reported);
    tcase_add_test(reports, the_time_a_call_has_waited_does_not_count);
    tcase_add_loop_test(reports, a_removed_call_is_not_reported_any_more, 0, 2);
    tcase_add_test(reports, the_next_call_in_a_slot_has_a_clock_of_its_own);
    tcase_add_test(reports, another_ring_begins_with_no_call_in_it);
    suite_add_tcase(suite, reports);
    TCase *timer = tcase_create("timer");
    tcase_set_timeout(timer, 30);
    tcase_add_test(timer, no_timer_runs_while_no_call_is_out);
    tcase_add_test(timer, without_a_ring_the_timer_ends_at_once);
    tcase_add_test_raise_signal(timer, watching_a_call_twice_stops_the_process, SIGABRT);
    tcase_add_test_raise_signal(timer, removing_what_is_not_watched_stops_the_process, SIGABRT);
    suite_add_tcase(suite, timer);
    return suite;
}
