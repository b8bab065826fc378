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

Suite *test_suite(void)
{
    Suite *suite = suite_create("backoff");
    TCase *tcase = tcase_create("waits");
    tcase_add_test(tcase, waits_double_up_to_the_most_and_a_good_life_forgives);
    tcase_add_test(tcase, a_most_below_the_least_wins);
    tcase_add_test(tcase, a_thousand_deaths_do_not_overflow_the_wait);
    suite_add_tcase(suite, tcase);
    return suite;
}
