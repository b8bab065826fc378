/* test_poison.c - which calls are refused for having killed workers, and for how long. */
#include "daemon/dispatch/poison.h"
#include "tests/unit/runner.h"
#include <string.h>

#define SECOND ((gint64)G_USEC_PER_SEC)

static const PoisonRules rules = { 2, 60 * SECOND, 10 * SECOND };

static PoisonPrint print_of(const gchar *method, const gchar *args)
{
    return poison_print(method, 0, (const guint8 *)args, strlen(args));
}

static gboolean die(Poison *poison, const gchar *args, gint64 now_usec)
{
    return poison_killed(poison, &rules, print_of("add", args), "add", now_usec);
}

static PoisonVerdict check(Poison *poison, const gchar *args, gint64 now_usec)
{
    gint64 wait_usec;
    guint deaths;
    return poison_check(poison, print_of("add", args), now_usec, &wait_usec, &deaths);
}

START_TEST(after_so_many_deaths_a_call_is_refused_and_only_that_one)
{
    g_autoptr(Poison) poison = poison_new();
    ck_assert(poison_is_empty(poison));
    ck_assert(!die(poison, "x", 1));
    ck_assert_int_eq(check(poison, "x", 1), POISON_PASS);
    ck_assert(die(poison, "x", 2));
    ck_assert_int_eq(check(poison, "x", 3), POISON_REFUSE);
    ck_assert_int_eq(check(poison, "y", 3), POISON_PASS);
    ck_assert_uint_eq(poison_view(poison, 0).refused, 1);
}
END_TEST

START_TEST(method_protocol_and_arguments_all_tell_calls_apart)
{
    const guint8 args[] = "arguments";
    const PoisonPrint prints[] = {
        poison_print("add", 0, args, 9), poison_print("adt", 0, args, 9),
        poison_print("add", 1, args, 9), poison_print("add", 0, args, 8),
        poison_print("add", 0, args, 0),
    };
    for (guint i = 0; i < G_N_ELEMENTS(prints); i++) {
        ck_assert(!poison_print_is_none(prints[i]));
        for (guint k = 0; k < i; k++)
            ck_assert(prints[i].high != prints[k].high || prints[i].low != prints[k].low);
    }
    const PoisonPrint again = poison_print("add", 0, args, 9);
    ck_assert(again.high == prints[0].high && again.low == prints[0].low);
}
END_TEST

START_TEST(deaths_that_are_far_apart_make_no_poison)
{
    g_autoptr(Poison) poison = poison_new();
    for (gint64 at = 1; at < 1000 * SECOND; at += 61 * SECOND)
        ck_assert(!die(poison, "x", at));
    ck_assert_int_eq(check(poison, "x", 1000 * SECOND), POISON_PASS);
}
END_TEST

START_TEST(when_its_time_is_over_one_is_tried_and_the_others_wait_for_what_comes_of_it)
{
    g_autoptr(Poison) poison = poison_new();
    die(poison, "x", 0);
    die(poison, "x", 0);
    ck_assert_int_eq(check(poison, "x", 10 * SECOND - 1), POISON_REFUSE);
    ck_assert_int_eq(check(poison, "x", 10 * SECOND), POISON_TRIAL);
    ck_assert_int_eq(check(poison, "x", 11 * SECOND), POISON_REFUSE);
    poison_ended(poison, print_of("add", "x"),
                 FALSE); /* it came to nothing: the next one is tried */
    ck_assert_int_eq(check(poison, "x", 12 * SECOND), POISON_TRIAL);
    poison_ended(poison, print_of("add", "x"), TRUE);
    ck_assert_int_eq(check(poison, "x", 12 * SECOND), POISON_PASS);
    ck_assert(poison_is_empty(poison));
}
END_TEST

START_TEST(each_trial_that_kills_doubles_the_time_up_to_a_limit)
{
    g_autoptr(Poison) poison = poison_new();
    gint64 now = 0, time = 10 * SECOND;
    die(poison, "x", now);
    die(poison, "x", now);
    for (guint i = 0; i < 10; i++) {
        now += time;
        ck_assert_int_eq(check(poison, "x", now - 1), POISON_REFUSE);
        ck_assert_int_eq(check(poison, "x", now), POISON_TRIAL);
        ck_assert(die(poison, "x", now));
        time = MIN(2 * time, 640 * SECOND);
    }
}
END_TEST

START_TEST(one_that_ran_all_the_while_makes_it_no_worse)
{
    g_autoptr(Poison) poison = poison_new();
    for (guint i = 0; i < 20; i++)
        die(poison, "x", i);
    ck_assert_int_eq(check(poison, "x", 19 + 10 * SECOND), POISON_TRIAL);
}
END_TEST

START_TEST(what_is_known_is_bounded_and_who_died_longest_ago_is_forgotten)
{
    g_autoptr(Poison) poison = poison_new();
    for (guint i = 0; i < 3 * POISON_ENTRIES_MAX; i++) {
        g_autofree gchar *args = g_strdup_printf("%u", i);
        die(poison, args, i);
        die(poison, args, i);
    }
    ck_assert_uint_eq(poison_count(poison), POISON_ENTRIES_MAX);
    ck_assert_int_eq(check(poison, "0", 1000), POISON_PASS);
    ck_assert_int_eq(check(poison, "767", 1000), POISON_REFUSE);
}
END_TEST

START_TEST(cleared_everything_may_run_again)
{
    g_autoptr(Poison) poison = poison_new();
    die(poison, "x", 0);
    die(poison, "x", 0);
    ck_assert_uint_eq(poison_clear(poison), 1);
    ck_assert_int_eq(check(poison, "x", 1), POISON_PASS);
    ck_assert(!die(poison, "x", 2)); /* and is counted anew */
}
END_TEST

START_TEST(with_no_limit_nothing_is_remembered)
{
    static const PoisonRules none = { 0, SECOND, SECOND };
    g_autoptr(Poison) poison = poison_new();
    for (guint i = 0; i < 10; i++)
        ck_assert(!poison_killed(poison, &none, print_of("add", "x"), "add", i));
    ck_assert(poison_is_empty(poison));
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("poison");
    TCase *tcase = tcase_create("poison");
    tcase_add_test(tcase, after_so_many_deaths_a_call_is_refused_and_only_that_one);
    tcase_add_test(tcase, method_protocol_and_arguments_all_tell_calls_apart);
    tcase_add_test(tcase, deaths_that_are_far_apart_make_no_poison);
    tcase_add_test(tcase,
                   when_its_time_is_over_one_is_tried_and_the_others_wait_for_what_comes_of_it);
    tcase_add_test(tcase, each_trial_that_kills_doubles_the_time_up_to_a_limit);
    tcase_add_test(tcase, one_that_ran_all_the_while_makes_it_no_worse);
    tcase_add_test(tcase, what_is_known_is_bounded_and_who_died_longest_ago_is_forgotten);
    tcase_add_test(tcase, cleared_everything_may_run_again);
    tcase_add_test(tcase, with_no_limit_nothing_is_remembered);
    suite_add_tcase(suite, tcase);
    return suite;
}
