/* test_runtime_lives.c - supervision: failure, restart, escalation, and the stop of a tree. */
#include "tests/unit/runner.h"
#include "tests/unit/test_runtime_fixture.h"

static Stage stage; /* each test has its own process */
static Player a, b, c, d;

START_TEST(a_child_that_fails_is_started_again_and_its_sisters_are_not_touched)
{
    stage_open(&stage);
    const ActorId parent = player_spawn(&stage, &a, 0, "a"),
                  child = player_spawn(&stage, &b, parent, "b");
    player_spawn(&stage, &c, parent, "c");
    stage_run(&stage);
    g_string_truncate(stage.said, 0);
    tell(&stage, child, TAG_FAIL);
    note(&stage, child, LANE_USER, 7); /* waits for the next life */
    stage_time(&stage, SECOND);
    assert_said(&stage, "b starts; b hears 7; ");
    ck_assert(actor_is_alive(stage.system, child)); /* by the same id */
    ck_assert_uint_eq(b.freed, 0);
    stage_close(&stage);
}
END_TEST

/* The first time at once, then after waits that double; a failed start is a failure like others. */
START_TEST(starts_that_fail_wait_longer_each_time)
{
    stage_open(&stage);
    const ActorId parent = player_spawn(&stage, &a, 0, "a");
    stage_run(&stage);
    stage.failing_starts = 4;
    player_spawn(&stage, &b, parent, "b");
    stage_time(&stage, 1); /* at once, but in the next pass */
    assert_said(&stage, "a starts; b fails to start; b fails to start; ");
    static const gint64 waits[] = { 100 * MSEC, 200 * MSEC, 400 * MSEC };
    for (guint i = 0; i < G_N_ELEMENTS(waits); i++) {
        stage_time(&stage, waits[i] - 1);
        ck_assert_str_eq(stage.said->str, "");
        stage_time(&stage, 1);
        assert_said(&stage, i < 2 ? "b fails to start; " : "b starts; ");
    }
    stage_close(&stage);
}
END_TEST

START_TEST(one_that_fails_too_often_fails_its_supervisor_with_the_reason)
{
    stage_open(&stage);
    const ActorId top = player_spawn(&stage, &a, 0, "a"),
                  middle = player_spawn(&stage, &b, top, "b");
    const ActorId child = player_spawn(&stage, &c, middle, "c");
    stage_run(&stage);
    for (guint i = 0; i < 5; i++) {
        tell(&stage, child, TAG_FAIL);
        stage_time(&stage, 2 * SECOND);
    }
    g_string_truncate(stage.said, 0);
    actor_monitor(stage.system, top, middle);
    tell(&stage, child, TAG_FAIL);
    stage_time(&stage, SECOND);
    ck_assert(!actor_is_alive(stage.system, child));
    ck_assert_uint_eq(c.freed, 1);
    /* The middle one failed, and is started again itself. */
    assert_said(&stage, "b starts; b lost a child: told to; ");
    ck_assert_uint_eq(actor_stats(stage.system)->failures, 7);
    stage_close(&stage);
}
END_TEST

START_TEST(without_a_supervisor_a_failure_is_the_end)
{
    stage_open(&stage);
    const ActorId id = player_spawn(&stage, &a, 0, "a");
    tell(&stage, id, TAG_FAIL);
    stage_time(&stage, 100 * SECOND);
    assert_said(&stage, "a starts; ");
    ck_assert_uint_eq(a.freed, 1);
    stage_close(&stage);
}
END_TEST

static ActorId spawn_family(void)
{
    const ActorId root = player_spawn(&stage, &a, 0, "a"),
                  first = player_spawn(&stage, &b, root, "b");
    player_spawn(&stage, &c, first, "c");
    player_spawn(&stage, &d, root, "d");
    stage_run(&stage);
    assert_said(&stage, "a starts; b starts; c starts; d starts; ");
    return root;
}

START_TEST(a_tree_stops_children_first_and_in_reverse_order)
{
    stage_open(&stage);
    actor_stop(stage.system, spawn_family(), stage.now_usec + SECOND);
    stage_run(&stage);
    assert_said(&stage, "d is asked to stop; c is asked to stop; a lost a child: stopped; "
                        "b is asked to stop; a is asked to stop; ");
    ck_assert_uint_eq(actor_stats(stage.system)->alive, 0);
    ck_assert_uint_eq(a.freed + b.freed + c.freed + d.freed, 4);
    stage_close(&stage);
}
END_TEST

START_TEST(what_has_not_stopped_by_the_one_deadline_is_killed)
{
    stage_open(&stage);
    stage.slow_stop = TRUE;
    actor_stop(stage.system, spawn_family(), stage.now_usec + SECOND);
    stage_time(&stage, SECOND - 1);
    assert_said(&stage, "d is asked to stop; ");
    stage_time(&stage, 1);
    ck_assert_uint_eq(actor_stats(stage.system)->alive, 0);
    ck_assert_uint_eq(a.freed + b.freed + c.freed + d.freed, 4);
    ck_assert(strstr(stage.said->str, "d is killed; ") != NULL);
    stage_close(&stage);
}
END_TEST

/* No actor is without a supervisor because its own was on its way out. */
START_TEST(who_is_spawned_under_an_ending_or_dead_parent_ends_without_having_started)
{
    stage_open(&stage);
    stage.slow_stop = TRUE;
    const ActorId parent = player_spawn(&stage, &a, 0, "a");
    stage_run(&stage);
    actor_stop(stage.system, parent, G_MAXINT64);
    stage_run(&stage);
    ck_assert_str_eq(actor_state_name(stage.system, parent), "ending");
    player_spawn(&stage, &b, parent, "b");
    stage_run(&stage);
    actor_stopped(a.self);
    stage_run(&stage);
    player_spawn(&stage, &c, parent, "c");
    stage_run(&stage);
    assert_said(&stage, "a starts; a is asked to stop; a lost a child: killed; ");
    ck_assert_uint_eq(a.freed + b.freed + c.freed, 3);
    ck_assert_uint_eq(actor_stats(stage.system)->alive, 0);
    stage_close(&stage);
}
END_TEST

/* With no back-off at all, too: others have their turn in between. */
START_TEST(a_start_that_always_fails_is_tried_once_in_a_pass)
{
    static const ActorOptions options = { .name = "c", .restart = RESTART_ON_FAILURE };
    stage_open(&stage);
    const ActorId parent = player_spawn(&stage, &a, 0, "a");
    stage_run(&stage);
    stage.failing_starts = 1000;
    c = (Player){ .stage = &stage, .name = "c" };
    actor_spawn(stage.system, parent, &player_class, &options, &c);
    stage.now_usec += 1;
    actor_system_run(stage.system);
    ck_assert_uint_eq(stage.failing_starts, 999);
    stage_close(&stage);
}
END_TEST

/* It has a process to wait for, say. */
START_TEST(an_actor_may_take_its_time_to_stop)
{
    stage_open(&stage);
    stage.slow_stop = TRUE;
    const ActorId id = player_spawn(&stage, &a, 0, "a");
    stage_run(&stage);
    actor_stop(stage.system, id, stage.now_usec + SECOND);
    stage_time(&stage, 500 * MSEC);
    ck_assert_str_eq(actor_state_name(stage.system, id), "ending");
    ck_assert(!note(&stage, id, LANE_USER, 1));
    ck_assert(note(&stage, id, LANE_CONTROL, 2)); /* what it needs to end */
    stage_run(&stage);
    actor_stopped(a.self);
    stage_run(&stage);
    assert_said(&stage, "a starts; a is asked to stop; a hears 2; ");
    ck_assert(!actor_is_alive(stage.system, id));
    ck_assert_uint_eq(actor_stats(stage.system)->kills, 0);
    stage_close(&stage);
}
END_TEST

START_TEST(one_that_waits_to_be_started_again_can_be_stopped)
{
    stage_open(&stage);
    const ActorId parent = player_spawn(&stage, &a, 0, "a"),
                  child = player_spawn(&stage, &b, parent, "b");
    stage_run(&stage);
    for (guint i = 0; i < 2; i++) {
        tell(&stage, child, TAG_FAIL);
        stage_run(&stage);
        stage_time(&stage, 0);
    }
    ck_assert_str_eq(actor_state_name(stage.system, child), "waiting");
    actor_stop(stage.system, parent, stage.now_usec + SECOND);
    stage_time(&stage, 10 * SECOND);
    ck_assert_uint_eq(actor_stats(stage.system)->alive, 0);
    stage_close(&stage);
}
END_TEST

START_TEST(killing_a_supervisor_kills_all_below_it)
{
    stage_open(&stage);
    actor_kill(stage.system, spawn_family());
    stage_run(&stage);
    ck_assert_uint_eq(actor_stats(stage.system)->alive, 0);
    ck_assert_uint_eq(actor_stats(stage.system)->kills, 4);
    stage_close(&stage);
}
END_TEST

/* Failures, stops and kills at random: nobody is freed twice, and all are gone in the end. */
START_TEST(any_mixture_of_ends_leaves_nothing_behind)
{
    enum { PLAYERS = 40 };
    static Player players[PLAYERS];
    ActorId ids[PLAYERS];
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i);
    stage_open(&stage);
    for (guint i = 0; i < PLAYERS; i++)
        ids[i] = player_spawn(&stage, &players[i],
                              i == 0 ? 0 : ids[g_rand_int_range(random, 0, (gint32)i)], "p");
    for (guint step = 0; step < 300; step++) {
        const ActorId id = ids[g_rand_int_range(random, 0, PLAYERS)];
        const gint32 what = g_rand_int_range(random, 0, 40);
        stage.failing_starts = what == 0 ? 2 : stage.failing_starts;
        stage.slow_stop = what % 2 == 0;
        if (what < 20)
            tell(&stage, id, TAG_FAIL);
        else if (what < 22)
            actor_stop(stage.system, id, stage.now_usec + SECOND);
        else if (what == 22)
            actor_kill(stage.system, id);
        stage_time(&stage, g_rand_int_range(random, 0, 200) * MSEC);
    }
    actor_stop(stage.system, ids[0], stage.now_usec + SECOND);
    stage_time(&stage, 60 * SECOND);
    ck_assert_uint_eq(actor_stats(stage.system)->alive, 0);
    for (guint i = 0; i < PLAYERS; i++)
        ck_assert_uint_eq(players[i].freed, 1);
    stage_close(&stage);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("runtime lives");
    TCase *tcase = tcase_create("lives");
    tcase_add_test(tcase, a_child_that_fails_is_started_again_and_its_sisters_are_not_touched);
    tcase_add_test(tcase, starts_that_fail_wait_longer_each_time);
    tcase_add_test(tcase, one_that_fails_too_often_fails_its_supervisor_with_the_reason);
    tcase_add_test(tcase, without_a_supervisor_a_failure_is_the_end);
    tcase_add_test(tcase, a_tree_stops_children_first_and_in_reverse_order);
    tcase_add_test(tcase, what_has_not_stopped_by_the_one_deadline_is_killed);
    tcase_add_test(tcase,
                   who_is_spawned_under_an_ending_or_dead_parent_ends_without_having_started);
    tcase_add_test(tcase, a_start_that_always_fails_is_tried_once_in_a_pass);
    tcase_add_test(tcase, an_actor_may_take_its_time_to_stop);
    tcase_add_test(tcase, one_that_waits_to_be_started_again_can_be_stopped);
    tcase_add_test(tcase, killing_a_supervisor_kills_all_below_it);
    tcase_add_loop_test(tcase, any_mixture_of_ends_leaves_nothing_behind, 0, 50);
    suite_add_tcase(suite, tcase);
    return suite;
}
