/* test_loop.c - promises of daemon/base/loop.h: what happens around each wait, and when the
 * loop does not wait.  A loop that slept when it must not would sleep until the time limit.  */
#include "daemon/base/loop.h"
#include "tests/unit/runner.h"

/* What happened, a letter each: the order is the promise. */
typedef struct {
    Loop *loop;
    GString *trace;
    guint passes_left;
    gboolean has_work;
    LoopDeferred deferred;
    struct event *far_off; /* without any event a loop would not sleep even when it may */
} Trace;

#define FAR_OFF_USEC (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)

static void note(Trace *trace, gchar letter) { g_string_append_c(trace->trace, letter); }

static void on_poll(gpointer user)
{
    Trace *trace = user;
    note(trace, 'p');
    if (trace->passes_left-- == 0)
        loop_stop(trace->loop);
}

static gboolean on_arm(gpointer user)
{
    Trace *trace = user;
    note(trace, 'a');
    return trace->has_work;
}

static void on_disarm(gpointer user) { note(user, 'd'); }

static void on_timer(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    note(user, 't');
}

static void trace_open(Trace *trace)
{
    *trace = (Trace){ .loop = loop_new(), .trace = g_string_new("") };
    trace->far_off = loop_timer_new(trace->loop, on_timer, trace);
    loop_timer_arm(trace->far_off, FAR_OFF_USEC);
}

static void trace_close(Trace *trace)
{
    event_free(trace->far_off);
    loop_free(trace->loop);
    g_string_free(trace->trace, TRUE);
}

START_TEST(each_wait_is_between_arm_and_disarm_and_after_poll)
{
    Trace trace;
    trace_open(&trace);
    LoopWatcher watcher = { on_poll, on_arm, on_disarm, &trace, NULL };
    struct event *timer = loop_timer_new(trace.loop, on_timer, &trace);
    trace.passes_left = 1;
    loop_add_watcher(trace.loop, &watcher);
    loop_timer_arm(timer, 0);
    loop_run(trace.loop);
    ck_assert_str_eq(trace.trace->str, "patdp");
    loop_remove_watcher(trace.loop, &watcher);
    event_free(timer);
    trace_close(&trace);
}
END_TEST

START_TEST(a_watcher_with_work_keeps_the_loop_awake)
{
    Trace trace;
    trace_open(&trace);
    LoopWatcher watcher = { on_poll, on_arm, on_disarm, &trace, NULL };
    trace.passes_left = 2;
    trace.has_work = TRUE;
    loop_add_watcher(trace.loop, &watcher);
    loop_run(trace.loop);
    ck_assert_str_eq(trace.trace->str, "padpadp");
    loop_remove_watcher(trace.loop, &watcher);
    trace_close(&trace);
}
END_TEST

START_TEST(every_watcher_is_served_and_a_removed_one_no_more)
{
    Trace one, two;
    trace_open(&one);
    two = (Trace){ .loop = one.loop, .trace = g_string_new(""), .passes_left = 100 };
    LoopWatcher first = { on_poll, on_arm, on_disarm, &one, NULL };
    LoopWatcher second = { on_poll, on_arm, on_disarm, &two, NULL };
    one.passes_left = 1;
    two.has_work = TRUE; /* of either is enough */
    loop_add_watcher(one.loop, &first);
    loop_add_watcher(one.loop, &second);
    loop_run(one.loop);
    ck_assert_str_eq(one.trace->str, "padp");
    ck_assert_str_eq(two.trace->str, "padp");
    loop_remove_watcher(one.loop, &second);
    one.passes_left = 0;
    loop_run(one.loop);
    ck_assert_str_eq(one.trace->str, "padpp");
    ck_assert_str_eq(two.trace->str, "padp");
    loop_remove_watcher(one.loop, &first);
    g_string_free(two.trace, TRUE);
    trace_close(&one);
}
END_TEST

/* --- deferred work ----------------------------------------------------------------------- */

static void run_and_stop(gpointer user)
{
    Trace *trace = user;
    note(trace, 'r');
    loop_stop(trace->loop);
}

static void run_and_defer_again(gpointer user)
{
    Trace *trace = user;
    note(trace, 'r');
    if (trace->passes_left-- > 0)
        loop_defer(trace->loop, &trace->deferred);
    else
        loop_stop(trace->loop);
}

START_TEST(work_deferred_twice_runs_once)
{
    Trace trace;
    trace_open(&trace);
    trace.deferred = (LoopDeferred){ .run = run_and_stop, .user = &trace };
    loop_defer(trace.loop, &trace.deferred);
    loop_defer(trace.loop, &trace.deferred);
    loop_run(trace.loop);
    ck_assert_str_eq(trace.trace->str, "r");
    trace_close(&trace);
}
END_TEST

START_TEST(work_deferred_by_deferred_work_belongs_to_the_next_pass_which_does_not_sleep)
{
    Trace trace;
    trace_open(&trace);
    LoopWatcher watcher = { on_poll, on_arm, on_disarm, &trace, NULL };
    trace.deferred = (LoopDeferred){ .run = run_and_defer_again, .user = &trace };
    trace.passes_left = 5;
    loop_add_watcher(trace.loop, &watcher);
    loop_defer(trace.loop, &trace.deferred);
    loop_run(trace.loop);
    ck_assert_str_eq(trace.trace->str, "pradpradpr");
    loop_remove_watcher(trace.loop, &watcher);
    trace_close(&trace);
}
END_TEST

static void defer_it(evutil_socket_t fd, short what, void *user)
{
    Trace *trace = user;
    (void)fd;
    (void)what;
    note(trace, 't');
    loop_defer(trace->loop, &trace->deferred);
}

START_TEST(what_an_event_defers_is_done_before_the_next_wait)
{
    Trace trace;
    trace_open(&trace);
    struct event *timer = loop_timer_new(trace.loop, defer_it, &trace);
    trace.deferred = (LoopDeferred){ .run = run_and_stop, .user = &trace };
    loop_timer_arm(timer, 0);
    loop_run(trace.loop);
    ck_assert_str_eq(trace.trace->str, "tr");
    event_free(timer);
    trace_close(&trace);
}
END_TEST

START_TEST(arming_a_timer_again_replaces_what_was_armed)
{
    Trace trace;
    trace_open(&trace);
    struct event *timer = loop_timer_new(trace.loop, defer_it, &trace);
    trace.deferred = (LoopDeferred){ .run = run_and_stop, .user = &trace };
    loop_timer_arm(timer, FAR_OFF_USEC);
    loop_timer_arm(timer, 1);
    loop_run(trace.loop);
    ck_assert_str_eq(trace.trace->str, "tr");
    ck_assert(!evtimer_pending(timer, NULL));
    event_free(timer);
    trace_close(&trace);
}
END_TEST

START_TEST(freeing_a_loop_that_is_watched_stops_the_process)
{
    Loop *loop = loop_new();
    LoopWatcher watcher = { on_poll, on_arm, on_disarm, NULL, NULL };
    loop_add_watcher(loop, &watcher);
    loop_free(loop);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("loop");
    TCase *tcase = tcase_create("passes");
    tcase_add_test(tcase, each_wait_is_between_arm_and_disarm_and_after_poll);
    tcase_add_test(tcase, a_watcher_with_work_keeps_the_loop_awake);
    tcase_add_test(tcase, every_watcher_is_served_and_a_removed_one_no_more);
    tcase_add_test(tcase, work_deferred_twice_runs_once);
    tcase_add_test(tcase,
                   work_deferred_by_deferred_work_belongs_to_the_next_pass_which_does_not_sleep);
    tcase_add_test(tcase, what_an_event_defers_is_done_before_the_next_wait);
    tcase_add_test(tcase, arming_a_timer_again_replaces_what_was_armed);
    tcase_add_test_raise_signal(tcase, freeing_a_loop_that_is_watched_stops_the_process, 6);
    suite_add_tcase(suite, tcase);
    return suite;
}
