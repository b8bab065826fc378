/* test_runtime_actors.c - mailboxes, timers and monitors of actors. */
#include "tests/unit/runner.h"
#include "tests/unit/test_runtime_fixture.h"

static Stage stage; /* each test has its own process */
static Player a, b;

START_TEST(urgent_lanes_come_first_and_each_keeps_its_order)
{
    stage_open(&stage);
    const ActorId id = player_spawn(&stage, &a, 0, "a");
    for (gint i = 0; i < 2; i++)
        for (ActorLane lane = ACTOR_LANES; lane-- > LANE_SUPERVISION;)
            note(&stage, id, lane, (gint64)lane * 10 + i);
    stage_run(&stage);
    assert_said(&stage, "a starts; a hears 20; a hears 21; a hears 30; a hears 31; a hears 40; "
                        "a hears 41; ");
    stage_close(&stage);
}
END_TEST

START_TEST(a_stop_overtakes_what_waits_and_a_kill_overtakes_a_stop)
{
    stage_open(&stage);
    const ActorId stopped = player_spawn(&stage, &a, 0, "a"),
                  killed = player_spawn(&stage, &b, 0, "b");
    note(&stage, stopped, LANE_USER, 1);
    note(&stage, stopped, LANE_CONTROL, 2);
    actor_stop(stage.system, stopped, G_MAXINT64);
    actor_stop(stage.system, killed, G_MAXINT64);
    actor_kill(stage.system, killed);
    stage_run(&stage);
    /* What an actor needs to end well still reaches it. */
    assert_said(&stage, "a starts; b starts; a is asked to stop; b is killed; ");
    ck_assert_uint_eq(a.freed, 1);
    ck_assert_uint_eq(b.freed, 1);
    ck_assert_uint_eq(actor_stats(stage.system)->dead_letters, 3);
    stage_close(&stage);
}
END_TEST

static guint n_freed;
static void count_freed(gpointer data)
{
    (void)data;
    n_freed++;
}

static gboolean cast_payload(ActorId to, ActorLane lane)
{
    return actor_cast(stage.system, to, lane,
                      &(ActorMessage){ .tag = TAG_FLOOD, .free_data = count_freed });
}

/* Also: an overflow hurts neither the sender nor a message of another lane. */
START_TEST(a_full_mailbox_refuses_users_messages_only_and_every_payload_is_freed_once)
{
    stage_open(&stage);
    const ActorId id = player_spawn(&stage, &a, 0, "a");
    for (guint i = 0; i < 10; i++)
        ck_assert_int_eq(cast_payload(id, LANE_USER), i < 4);
    for (guint i = 0; i < 10; i++)
        ck_assert(cast_payload(id, LANE_CONTROL));
    ck_assert_uint_eq(n_freed, 6);
    ck_assert_uint_eq(actor_stats(stage.system)->refused, 6);
    stage_run(&stage);
    ck_assert_uint_eq(n_freed, 20);
    cast_payload(id, LANE_USER);
    stage_close(&stage); /* what was never handled too */
    ck_assert_uint_eq(n_freed, 21);
}
END_TEST

START_TEST(sending_to_the_dead_is_safe_and_counted)
{
    stage_open(&stage);
    const ActorId id = player_spawn(&stage, &a, 0, "a");
    actor_kill(stage.system, id);
    stage_run(&stage);
    ck_assert(!actor_is_alive(stage.system, id));
    ck_assert_str_eq(actor_state_name(stage.system, id), "dead");
    ck_assert(!cast_payload(id, LANE_USER) && !cast_payload(0, LANE_KILL) &&
              !cast_payload(99, LANE_STOP));
    ck_assert_uint_eq(n_freed, 3);
    ck_assert_uint_eq(actor_stats(stage.system)->dead_letters, 3);
    ck_assert_uint_ne(player_spawn(&stage, &b, 0, "b"), id);
    stage_close(&stage);
}
END_TEST

/* Each run handles a bounded number, and others have their turn between. */
START_TEST(an_actor_that_is_flooded_does_not_starve_another)
{
    stage_open(&stage);
    const ActorId flooded = player_spawn(&stage, &a, 0, "a"),
                  other = player_spawn(&stage, &b, 0, "b");
    stage_run(&stage);
    g_string_truncate(stage.said, 0);
    for (guint i = 0; i < 5000; i++)
        actor_cast(stage.system, flooded, LANE_CONTROL, &(ActorMessage){ .tag = TAG_FLOOD });
    note(&stage, other, LANE_USER, 1);
    const guint64 before = actor_stats(stage.system)->handled;
    actor_system_run(stage.system);
    assert_said(&stage, "b hears 1; ");
    ck_assert_uint_lt(actor_stats(stage.system)->handled - before, 2000);
    stage_run(&stage);
    ck_assert_uint_eq(actor_stats(stage.system)->handled - before, 5001);
    stage_close(&stage);
}
END_TEST

/* --- timers ------------------------------------------------------------------------------ */

START_TEST(timers_fire_in_their_order_once_and_not_when_cancelled)
{
    stage_open(&stage);
    player_spawn(&stage, &a, 0, "a");
    stage_run(&stage);
    actor_send_after(a.self, 30 * MSEC, TAG_ALARM, 3);
    const guint64 cancelled = actor_send_after(a.self, 20 * MSEC, TAG_ALARM, 2);
    actor_send_after(a.self, 10 * MSEC, TAG_ALARM, 1);
    actor_send_after(a.self, 30 * MSEC, TAG_ALARM, 4);
    actor_cancel_timer(a.self, cancelled);
    actor_cancel_timer(a.self, 4711);
    ck_assert_int_eq(stage.wake_usec, stage.now_usec + 10 * MSEC);
    stage_time(&stage, 9 * MSEC);
    assert_said(&stage, "a starts; ");
    stage_time(&stage, 100 * MSEC);
    assert_said(&stage, "a hears 1; a hears 3; a hears 4; ");
    ck_assert_int_eq(stage.wake_usec, G_MAXINT64); /* idle costs nothing */
    stage_close(&stage);
}
END_TEST

START_TEST(timers_end_with_the_life_that_started_them)
{
    stage_open(&stage);
    const ActorId parent = player_spawn(&stage, &a, 0, "a"),
                  child = player_spawn(&stage, &b, parent, "b");
    stage_run(&stage);
    actor_send_after(b.self, 50 * MSEC, TAG_ALARM, 1);
    tell(&stage, child, TAG_FAIL);
    stage_time(&stage, SECOND);
    assert_said(&stage, "a starts; b starts; b starts; ");
    stage_close(&stage);
}
END_TEST

/* Its message may be in the mailbox already: behind the failure, or before the one that cancels. */
START_TEST(a_timer_that_has_fired_ends_with_its_life_too)
{
    stage_open(&stage);
    const ActorId parent = player_spawn(&stage, &a, 0, "a"),
                  child = player_spawn(&stage, &b, parent, "b");
    stage_run(&stage);
    actor_send_after(b.self, 50 * MSEC, TAG_ALARM, 1);
    stage.now_usec += 50 * MSEC;
    tell(&stage, child, TAG_FAIL); /* handled first, in the pass in which the timer fires */
    stage_time(&stage, SECOND);
    assert_said(&stage, "a starts; b starts; b starts; ");
    stage_close(&stage);
}
END_TEST

START_TEST(a_timer_that_has_fired_can_still_be_cancelled)
{
    stage_open(&stage);
    const ActorId id = player_spawn(&stage, &a, 0, "a");
    stage_run(&stage);
    a.cancels = actor_send_after(a.self, 50 * MSEC, TAG_ALARM, 1);
    stage.now_usec += 50 * MSEC;
    tell(&stage, id, TAG_CANCEL);
    stage_time(&stage, SECOND);
    assert_said(&stage, "a starts; ");
    stage_close(&stage);
}
END_TEST

/* --- monitors ---------------------------------------------------------------------------- */

START_TEST(whoever_monitors_an_actor_hears_of_its_end_and_why)
{
    static const struct {
        guint tag;
        const gchar *seen;
    } ends[] = { { TAG_FAIL, "a sees one failed (told to); " },
                 { TAG_STOP_SELF, "b is asked to stop; a sees one stopped (stopped); " },
                 { 0, "b is killed; a sees one killed (killed); " } };
    stage_open(&stage);
    const ActorId watcher = player_spawn(&stage, &a, 0, "a"),
                  watched = player_spawn(&stage, &b, 0, "b");
    actor_monitor(stage.system, watcher, watched);
    stage_run(&stage);
    g_string_truncate(stage.said, 0);
    if (ends[_i].tag != 0)
        tell(&stage, watched, ends[_i].tag);
    else
        actor_kill(stage.system, watched);
    stage_run(&stage);
    assert_said(&stage, ends[_i].seen);
    actor_monitor(stage.system, watcher, watched);
    stage_run(&stage);
    assert_said(&stage, "a sees one stopped (it was dead before); ");
    stage_close(&stage);
}
END_TEST

START_TEST(a_monitor_ends_with_its_watcher)
{
    stage_open(&stage);
    const ActorId watched = player_spawn(&stage, &a, 0, "a");
    for (guint i = 0; i < 1000; i++) {
        const ActorId watcher = player_spawn(&stage, &b, 0, "b");
        actor_monitor(stage.system, watcher, watched);
        actor_kill(stage.system, watcher);
        stage_run(&stage);
    }
    const guint64 before = actor_stats(stage.system)->dead_letters;
    actor_kill(stage.system, watched);
    stage_run(&stage);
    ck_assert_uint_eq(actor_stats(stage.system)->dead_letters, before);
    stage_close(&stage);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("runtime actors");
    TCase *tcase = tcase_create("actors");
    tcase_add_test(tcase, urgent_lanes_come_first_and_each_keeps_its_order);
    tcase_add_test(tcase, a_stop_overtakes_what_waits_and_a_kill_overtakes_a_stop);
    tcase_add_test(tcase,
                   a_full_mailbox_refuses_users_messages_only_and_every_payload_is_freed_once);
    tcase_add_test(tcase, sending_to_the_dead_is_safe_and_counted);
    tcase_add_test(tcase, an_actor_that_is_flooded_does_not_starve_another);
    tcase_add_test(tcase, timers_fire_in_their_order_once_and_not_when_cancelled);
    tcase_add_test(tcase, timers_end_with_the_life_that_started_them);
    tcase_add_test(tcase, a_timer_that_has_fired_ends_with_its_life_too);
    tcase_add_test(tcase, a_timer_that_has_fired_can_still_be_cancelled);
    tcase_add_test(tcase, a_monitor_ends_with_its_watcher);
    tcase_add_loop_test(tcase, whoever_monitors_an_actor_hears_of_its_end_and_why, 0, 3);
    suite_add_tcase(suite, tcase);
    return suite;
}
