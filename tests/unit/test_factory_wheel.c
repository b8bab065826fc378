/* test_factory_wheel.c - promises of actor/factory/wheel.h, timer by timer and against a list of
 * timers that is kept sorted. */
#include "actor/factory/wheel.h"
#include "tests/unit/runner.h"

#define TICK        1000
#define SECOND      ((gint64)1000000)
#define DAY         (86400 * SECOND)
#define SPAN(level) (TICK * ((gint64)1 << 6 * (level))) /* of a slot there, in usec */

enum { TIMERS = 100 };

static Wheel wheel;

static void begin_at(gint64 now)
{
    wheel_init(&wheel, now);
    wheel_grow(&wheel, TIMERS);
}

static void end_wheel(void) { wheel_clear(&wheel); }

/* --- one timer --------------------------------------------------------------------------- */

static const struct {
    gint64 now, at;
    gint64 due; /* from when on it is taken out */
} lone[] = {
    { 0, 0, 0 },
    { 0, 1, TICK },
    { 0, TICK, TICK },
    { 0, TICK + 1, 2 * TICK },
    { TICK - 1, TICK, TICK },
    { 5 * TICK, 5 * TICK, 5 * TICK }, /* now, and long past */
    { 5 * TICK, 4 * TICK, 5 * TICK },
    { 5 * TICK, -1, 5 * TICK },
    { 5 * TICK, G_MININT64, 5 * TICK },
    { -5, 1, TICK },
    { 0, SPAN(1) - TICK, SPAN(1) - TICK }, /* the last of a level, the first of the next one */
    { 0, SPAN(1), SPAN(1) },
    { 0, SPAN(1) + 1, SPAN(1) + TICK },
    { 0, SPAN(2) - TICK, SPAN(2) - TICK },
    { 0, SPAN(2), SPAN(2) },
    { 0, SPAN(3), SPAN(3) },
    { 0, SPAN(4), SPAN(4) },
    { 0, SPAN(5), SPAN(5) },
    { 0, SPAN(6), SPAN(6) },
    { 0, SPAN(7) - TICK, SPAN(7) - TICK },
    { SPAN(1) - TICK, SPAN(1), SPAN(1) }, /* near in time and far apart in the wheel */
    { SPAN(3) - 1, SPAN(3), SPAN(3) },
    { SPAN(6) - 1, SPAN(6) + 1, SPAN(6) + TICK },
    { 5 * SPAN(6) + SPAN(2) - TICK, 5 * SPAN(6) + SPAN(2), 5 * SPAN(6) + SPAN(2) },
    { 20000 * DAY + 999, 20000 * DAY + 3600 * SECOND + 1, 20000 * DAY + 3600 * SECOND + TICK },
};

START_TEST(a_timer_is_due_at_the_first_tick_that_is_not_before_its_time)
{
    begin_at(lone[_i].now);
    wheel_arm(&wheel, 7, lone[_i].at);
    ck_assert_int_le(wheel_next_usec(&wheel), lone[_i].due);
    if (lone[_i].due > lone[_i].now)
        ck_assert_uint_eq(wheel_take_due(&wheel, lone[_i].due - 1), WHEEL_NONE);
    ck_assert_int_le(wheel_next_usec(&wheel), lone[_i].due);
    ck_assert_uint_eq(wheel_take_due(&wheel, lone[_i].due), 7);
    ck_assert_uint_eq(wheel_take_due(&wheel, lone[_i].due), WHEEL_NONE);
    ck_assert_int_eq(wheel_next_usec(&wheel), G_MAXINT64);
    ck_assert_uint_eq(wheel.n_armed, 0);
}
END_TEST

START_TEST(a_timer_slept_through_is_due_at_once)
{
    begin_at(lone[_i].now);
    wheel_arm(&wheel, 7, lone[_i].at);
    ck_assert_uint_eq(wheel_take_due(&wheel, lone[_i].due + 3 * DAY + 5), 7);
    ck_assert_uint_eq(wheel_take_due(&wheel, lone[_i].due + 3 * DAY + 5), WHEEL_NONE);
}
END_TEST

/* Who sleeps until wheel_next_usec() is woken in vain at most once for each level above. */
START_TEST(a_timer_costs_at_most_one_wake_up_a_level)
{
    gint64 now = lone[_i].now;
    guint wakes = 0;
    begin_at(now);
    wheel_arm(&wheel, 7, lone[_i].at);
    do {
        now = MAX(now, wheel_next_usec(&wheel));
        ck_assert_uint_le(++wakes, WHEEL_LEVELS);
    } while (wheel_take_due(&wheel, now) == WHEEL_NONE);
    ck_assert_int_eq(now, lone[_i].due);
}
END_TEST

START_TEST(a_wheel_without_timers_wants_nothing_however_long_it_is_left)
{
    begin_at(5 * SECOND);
    for (gint64 now = 5 * SECOND; now < 20000 * DAY; now = now * 3 + 1) {
        ck_assert_int_eq(wheel_next_usec(&wheel), G_MAXINT64);
        ck_assert_uint_eq(wheel_take_due(&wheel, now), WHEEL_NONE);
    }
}
END_TEST

START_TEST(for_ever_is_longer_than_a_century)
{
    begin_at(0);
    wheel_arm(&wheel, 1, G_MAXINT64);
    wheel_arm(&wheel, 2, 100 * 365 * DAY);
    ck_assert_uint_eq(wheel_take_due(&wheel, 100 * 365 * DAY), 2);
    ck_assert_uint_eq(wheel_take_due(&wheel, 100 * 365 * DAY), WHEEL_NONE);
    wheel_disarm(&wheel, 1);
    ck_assert_int_eq(wheel_next_usec(&wheel), G_MAXINT64);
}
END_TEST

/* --- several ----------------------------------------------------------------------------- */

static const gint64 first_at[] = { -1, 0, 1, TICK, 40 * TICK, SPAN(1), SPAN(2) + 5, SPAN(5) };

START_TEST(arming_again_replaces_sooner_and_later)
{
    const gint64 at = first_at[_i];
    for (gsize i = 0; i < G_N_ELEMENTS(first_at); i++) {
        const gint64 then = first_at[i], due = (MAX(then, 0) + TICK - 1) / TICK * TICK;
        begin_at(0);
        wheel_arm(&wheel, 3, at);
        wheel_arm(&wheel, 3, then);
        ck_assert_uint_eq(wheel.n_armed, 1);
        ck_assert(due == 0 || wheel_take_due(&wheel, due - 1) == WHEEL_NONE);
        ck_assert_uint_eq(wheel_take_due(&wheel, due), 3);
        ck_assert_uint_eq(wheel_take_due(&wheel, 2 * SPAN(5)), WHEEL_NONE);
        wheel_clear(&wheel);
        wheel = (Wheel){ 0 };
    }
}
END_TEST

/* All of one moment, three of them disarmed: the first, one between, and the last. */
START_TEST(a_disarmed_timer_is_never_due_and_its_neighbours_are)
{
    gboolean is_taken[TIMERS] = { FALSE };
    guint32 timer;
    begin_at(0);
    for (guint32 i = 0; i < TIMERS; i++)
        wheel_arm(&wheel, i, first_at[_i]);
    for (guint twice = 0; twice < 2; twice++) {
        wheel_disarm(&wheel, 0);
        wheel_disarm(&wheel, TIMERS / 2);
        wheel_disarm(&wheel, TIMERS - 1);
        ck_assert_uint_eq(wheel.n_armed, TIMERS - 3);
    }
    while ((timer = wheel_take_due(&wheel, SPAN(5))) != WHEEL_NONE) {
        ck_assert(!is_taken[timer]);
        is_taken[timer] = TRUE;
    }
    for (guint32 i = 0; i < TIMERS; i++)
        ck_assert_int_eq(is_taken[i], i != 0 && i != TIMERS / 2 && i != TIMERS - 1);
    ck_assert_uint_eq(wheel.n_armed, 0);
}
END_TEST

START_TEST(a_timer_that_is_due_but_not_taken_out_yet_can_be_disarmed_and_put_off)
{
    begin_at(0);
    for (guint32 i = 0; i < 4; i++)
        wheel_arm(&wheel, i, TICK);
    const guint32 taken = wheel_take_due(&wheel, TICK);
    ck_assert_uint_lt(taken, 4);
    const guint32 disarmed = (taken + 1) % 4, put_off = (taken + 2) % 4, left = (taken + 3) % 4;
    wheel_disarm(&wheel, disarmed);
    wheel_arm(&wheel, put_off, SECOND);
    ck_assert_uint_eq(wheel_take_due(&wheel, TICK), left);
    ck_assert_uint_eq(wheel_take_due(&wheel, SECOND - 1), WHEEL_NONE);
    ck_assert_uint_eq(wheel_take_due(&wheel, SECOND), put_off);
    ck_assert_uint_eq(wheel_take_due(&wheel, DAY), WHEEL_NONE);
}
END_TEST

START_TEST(a_timer_armed_for_now_while_others_are_taken_out_is_taken_out_with_them)
{
    begin_at(0);
    wheel_arm(&wheel, 1, SPAN(2));
    ck_assert_uint_eq(wheel_take_due(&wheel, DAY), 1);
    wheel_arm(&wheel, 1, DAY);
    ck_assert_uint_eq(wheel_take_due(&wheel, DAY), 1);
    wheel_arm(&wheel, 1, DAY + 1);
    ck_assert_uint_eq(wheel_take_due(&wheel, DAY), WHEEL_NONE);
}
END_TEST

START_TEST(growing_keeps_what_is_armed)
{
    begin_at(0);
    for (guint32 i = 0; i < TIMERS; i++)
        wheel_arm(&wheel, i, (gint64)(i + 1) * SECOND);
    wheel_grow(&wheel, 50 * TIMERS);
    wheel_grow(&wheel, 1); /* never fewer */
    wheel_arm(&wheel, 50 * TIMERS - 1, SECOND / 2);
    ck_assert_uint_eq(wheel_take_due(&wheel, SECOND / 2), 50 * TIMERS - 1);
    for (guint32 i = 0; i < TIMERS; i++)
        ck_assert_uint_eq(wheel_take_due(&wheel, (gint64)(i + 1) * SECOND), i);
}
END_TEST

/* --- against a sorted list --------------------------------------------------------------- */

static gint64 times[TIMERS];
static gboolean is_armed[TIMERS];
static GList *sorted; /* the armed ones, the one that is due first at its head */

static gint compare_times(gconstpointer a, gconstpointer b)
{
    const gint64 x = times[GPOINTER_TO_UINT(a)], y = times[GPOINTER_TO_UINT(b)];
    return (x > y) - (x < y);
}

static void list_disarm(guint32 timer)
{
    sorted = g_list_remove(sorted, GUINT_TO_POINTER(timer));
    is_armed[timer] = FALSE;
}

static void list_arm(guint32 timer, gint64 at)
{
    list_disarm(timer);
    times[timer] = at;
    is_armed[timer] = TRUE;
    sorted = g_list_insert_sorted(sorted, GUINT_TO_POINTER(timer), compare_times);
}

static gint64 list_earliest(void)
{
    return sorted == NULL ? G_MAXINT64 : times[GPOINTER_TO_UINT(sorted->data)];
}

/* Never early; and what is left is not due by a whole tick. */
static void take_all(gint64 now)
{
    guint32 timer;
    while ((timer = wheel_take_due(&wheel, now)) != WHEEL_NONE) {
        ck_assert(is_armed[timer]);
        ck_assert_int_le(times[timer], now);
        list_disarm(timer);
    }
    ck_assert_int_gt(list_earliest(), now - TICK);
}

/* It is asked for in time for the earliest one, and who comes sooner comes for nothing. */
static void check_next(gint64 *now)
{
    const gint64 next = wheel_next_usec(&wheel), earliest = list_earliest();
    ck_assert_uint_eq(wheel.n_armed, g_list_length(sorted));
    if (earliest == G_MAXINT64) {
        ck_assert_int_eq(next, G_MAXINT64);
        return;
    }
    ck_assert_int_le(next, MAX(earliest + TICK - 1, *now));
    if (next - 1 <= *now)
        return;
    *now = next - 1;
    ck_assert_uint_eq(wheel_take_due(&wheel, *now), WHEEL_NONE);
}

/* As many of each length in bits. */
static gint64 any_length(GRand *random, gint32 most_bits)
{
    const guint64 bits = (guint64)g_rand_int(random) << 32 | g_rand_int(random);
    return (gint64)(bits >> g_rand_int_range(random, 64 - most_bits, 64));
}

static void step_at_random(GRand *random, gint64 *now)
{
    const guint32 timer = (guint32)g_rand_int_range(random, 0, TIMERS);
    const gint32 what = g_rand_int_range(random, 0, 100);
    if (what < 50) {
        const gint64 length = any_length(random, 48); /* up to eight years */
        list_arm(timer, *now + (what < 3 ? -length : length));
        wheel_arm(&wheel, timer, times[timer]);
    } else if (what < 70) {
        list_disarm(timer);
        wheel_disarm(&wheel, timer);
    } else if (what < 85) {
        *now += any_length(random, 40);
        take_all(*now);
    } else if (what < 95 && sorted != NULL) {
        *now = MAX(*now, wheel_next_usec(&wheel));
        take_all(*now);
    } else {
        check_next(now);
    }
}

START_TEST(timers_are_due_when_a_sorted_list_says_so)
{
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i);
    gint64 now = _i % 2 == 0 ? 0 : any_length(random, 50);
    begin_at(now);
    for (guint step = 0; step < 10000; step++)
        step_at_random(random, &now);
    while (sorted != NULL) {
        const gint64 next = wheel_next_usec(&wheel);
        ck_assert_int_le(next, MAX(list_earliest() + TICK - 1, now));
        now = MAX(now, next);
        take_all(now);
    }
    ck_assert_int_eq(wheel_next_usec(&wheel), G_MAXINT64);
}
END_TEST

static TCase *one_timer(void)
{
    TCase *tcase = tcase_create("one timer");
    const gint n = G_N_ELEMENTS(lone);
    tcase_add_checked_fixture(tcase, NULL, end_wheel);
    tcase_add_loop_test(tcase, a_timer_is_due_at_the_first_tick_that_is_not_before_its_time, 0, n);
    tcase_add_loop_test(tcase, a_timer_slept_through_is_due_at_once, 0, n);
    tcase_add_loop_test(tcase, a_timer_costs_at_most_one_wake_up_a_level, 0, n);
    tcase_add_test(tcase, a_wheel_without_timers_wants_nothing_however_long_it_is_left);
    tcase_add_test(tcase, for_ever_is_longer_than_a_century);
    return tcase;
}

static TCase *several(void)
{
    TCase *tcase = tcase_create("several");
    const gint n = G_N_ELEMENTS(first_at);
    tcase_add_checked_fixture(tcase, NULL, end_wheel);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, arming_again_replaces_sooner_and_later, 0, n);
    tcase_add_loop_test(tcase, a_disarmed_timer_is_never_due_and_its_neighbours_are, 0, n);
    tcase_add_test(tcase, a_timer_that_is_due_but_not_taken_out_yet_can_be_disarmed_and_put_off);
    tcase_add_test(tcase, a_timer_armed_for_now_while_others_are_taken_out_is_taken_out_with_them);
    tcase_add_test(tcase, growing_keeps_what_is_armed);
    tcase_add_loop_test(tcase, timers_are_due_when_a_sorted_list_says_so, 0, 20);
    return tcase;
}

Suite *test_suite(void)
{
    Suite *suite = suite_create("factory_wheel");
    suite_add_tcase(suite, one_timer());
    suite_add_tcase(suite, several());
    return suite;
}
