/* test_backoff.c - promises of actor/runtime/backoff.h: one table, row after row. */
#include "actor/runtime/backoff.h"
#include "tests/unit/runner.h"

#define MIN_USEC 100
#define MAX_USEC 700

static const struct {
    gint64 lived_usec;
    gint64 wait_usec;
} deaths[] = {
    { 0, 0 }, /* the first restarts at once */
    { 0, 100 },        { 1, 200 },          { 0, 400 },
    { MAX_USEC, 700 },                      /* not a good life yet, and 800 is more than the most */
    { 0, 700 },        { MAX_USEC + 1, 0 }, /* forgiven */
    { 0, 100 },        { G_MAXINT64, 0 },   { 0, 100 },
};

START_TEST(waits_double_up_to_the_most_and_a_good_life_forgives)
{
    Backoff backoff = { 0 };
    for (gsize i = 0; i < G_N_ELEMENTS(deaths); i++)
        ck_assert_int_eq(backoff_next_usec(&backoff, deaths[i].lived_usec, MIN_USEC, MAX_USEC),
                         deaths[i].wait_usec);
}
END_TEST

START_TEST(a_most_below_the_least_wins)
{
    Backoff backoff = { 0 };
    backoff_next_usec(&backoff, 0, 100, 50);
    ck_assert_int_eq(backoff_next_usec(&backoff, 0, 100, 50), 50);
}
END_TEST

START_TEST(a_thousand_deaths_do_not_overflow_the_wait)
{
    const gint64 hour_usec = G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC;
    Backoff backoff = { 0 };
    for (guint i = 0; i < 1000; i++)
        backoff_next_usec(&backoff, 0, 1000, hour_usec);
    ck_assert_int_eq(backoff_next_usec(&backoff, 0, 1000, hour_usec), hour_usec);
}
END_TEST

START_TEST(jitter_only_adds_and_no_more_than_its_share)
{
    gboolean least = FALSE, most = FALSE;
    for (guint64 random = 0; random < 1000; random++) {
        const gint64 wait = backoff_jitter_usec(1000, 200, random);
        ck_assert_int_ge(wait, 1000);
        ck_assert_int_le(wait, 1200);
        least |= wait == 1000;
        most |= wait == 1200;
    }
    ck_assert(least && most);
    ck_assert_int_eq(backoff_jitter_usec(1000, 0, G_MAXUINT64), 1000);
    ck_assert_int_eq(backoff_jitter_usec(3, 200, G_MAXUINT64), 3);
}
END_TEST

/* However the restarts fall, any window has at most the limit; and a quiet one gives it all back.
 */
START_TEST(no_window_has_more_restarts_than_the_budget)
{
    enum { LIMIT = 5, WINDOW = 1000, TRIES = 20000 };
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i);
    static gint64 allowed[TRIES];
    guint n_allowed = 0;
    RestartBudget budget = { 0 };
    gint64 now = 777;
    for (guint i = 0; i < TRIES; i++) {
        const gint64 wait = restart_budget_take(&budget, LIMIT, WINDOW, now);
        ck_assert_int_le(wait, WINDOW / 2);
        if (wait == 0)
            allowed[n_allowed++] = now;
        if (wait == 0 && n_allowed > LIMIT)
            ck_assert_int_gt(now - allowed[n_allowed - 1 - LIMIT], WINDOW - 1);
        now += g_rand_int_range(random, 0, i % 100 == 0 ? 3 * WINDOW : WINDOW / 20);
    }
    now += 2 * WINDOW;
    for (guint i = 0; i < LIMIT; i++)
        ck_assert_int_eq(restart_budget_take(&budget, LIMIT, WINDOW, now), 0);
    ck_assert_int_gt(restart_budget_take(&budget, LIMIT, WINDOW, now), 0);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("backoff");
    TCase *tcase = tcase_create("waits");
    tcase_add_test(tcase, waits_double_up_to_the_most_and_a_good_life_forgives);
    tcase_add_test(tcase, a_most_below_the_least_wins);
    tcase_add_test(tcase, a_thousand_deaths_do_not_overflow_the_wait);
    tcase_add_test(tcase, jitter_only_adds_and_no_more_than_its_share);
    tcase_add_loop_test(tcase, no_window_has_more_restarts_than_the_budget, 0, 5);
    suite_add_tcase(suite, tcase);
    return suite;
}
