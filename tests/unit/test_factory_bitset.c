/* test_factory_bitset.c - promises of actor/factory/bitset.h, also against an array of booleans. */
#include "actor/factory/bitset.h"
#include "tests/unit/runner.h"

#define LAST (BITSET_MOST - 1)

/* On both sides of every border between words, groups and the ends. */
static const guint32 borders[] = {
    0, 1, 62, 63, 64, 65, 4095, 4096, 4097, 131071, 131072, LAST - 4096, LAST - 64, LAST - 1, LAST,
};

static Bitset set;

START_TEST(an_empty_set_has_no_member_and_no_next_one)
{
    for (gsize i = 0; i < G_N_ELEMENTS(borders); i++) {
        ck_assert(!bitset_has(&set, borders[i]));
        ck_assert_uint_eq(bitset_above(&set, borders[i]), BITSET_NONE);
        ck_assert_uint_eq(bitset_after(&set, borders[i]), BITSET_NONE);
    }
    ck_assert_uint_eq(set.n, 0);
}
END_TEST

START_TEST(a_lone_member_is_the_next_one_from_everywhere_and_from_itself)
{
    const guint32 member = borders[_i];
    bitset_add(&set, member);
    ck_assert(bitset_has(&set, member));
    for (gsize i = 0; i < G_N_ELEMENTS(borders); i++) {
        const guint32 from = borders[i];
        ck_assert(from == member || !bitset_has(&set, from));
        ck_assert_uint_eq(bitset_above(&set, from), from < member ? member : BITSET_NONE);
        ck_assert_uint_eq(bitset_after(&set, from), member);
    }
}
END_TEST

START_TEST(a_lone_member_taken_out_leaves_the_set_as_it_was_made)
{
    static const Bitset made;
    bitset_add(&set, borders[_i]);
    bitset_remove(&set, borders[_i]);
    ck_assert_mem_eq(&set, &made, sizeof set);
}
END_TEST

START_TEST(what_is_there_already_or_is_not_there_changes_nothing)
{
    bitset_add(&set, 70);
    const Bitset before = set;
    bitset_add(&set, 70);
    for (gsize i = 0; i < G_N_ELEMENTS(borders); i++)
        bitset_remove(&set, borders[i]);
    ck_assert_mem_eq(&set, &before, sizeof set);
    ck_assert_uint_eq(set.n, 1);
}
END_TEST

START_TEST(in_a_full_set_the_next_member_is_the_next_number_going_round)
{
    for (guint32 i = 0; i < BITSET_MOST; i++)
        bitset_add(&set, i);
    ck_assert_uint_eq(set.n, BITSET_MOST);
    for (guint32 i = 0; i < BITSET_MOST; i++) {
        if (bitset_after(&set, i) != (i + 1) % BITSET_MOST)
            ck_abort_msg("after %u comes %u", i, bitset_after(&set, i));
    }
    ck_assert_uint_eq(bitset_above(&set, LAST), BITSET_NONE);
}
END_TEST

/* --- at random --------------------------------------------------------------------------- */

static gboolean members[BITSET_MOST];

static guint32 above_by_search(guint32 from)
{
    for (guint32 i = from + 1; i < BITSET_MOST; i++)
        if (members[i])
            return i;
    return BITSET_NONE;
}

static guint32 after_by_search(guint32 from)
{
    const guint32 above = above_by_search(from);
    if (above != BITSET_NONE)
        return above;
    return members[0] ? 0 : above_by_search(0);
}

static void change_one(guint32 number, gboolean is_there)
{
    members[number] = is_there;
    if (is_there)
        bitset_add(&set, number);
    else
        bitset_remove(&set, number);
}

/* How many numbers there are, where they begin, and how many of a hundred changes add one. */
static const struct {
    guint32 begin, reach, adds;
} regions[] = {
    { 0, 2, 50 },           { 0, 130, 50 },          { 0, 130, 5 },          { 4000, 200, 90 },
    { 4095, 2, 50 },        { LAST - 70, 71, 50 },   { LAST - 70, 200, 50 }, /* the last and the
                                                                                first ones */
    { 0, BITSET_MOST, 50 }, { 0, BITSET_MOST, 100 },
};
#define SEEDS_EACH 3

static guint32 any_number(GRand *random, gsize region)
{
    const guint32 offset = (guint32)g_rand_int_range(random, 0, (gint32)regions[region].reach);
    return (regions[region].begin + offset) % BITSET_MOST;
}

START_TEST(members_and_the_next_ones_are_those_of_an_array_of_booleans)
{
    const gsize region = (gsize)_i / SEEDS_EACH;
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i);
    guint32 n = 0;
    for (guint step = 0; step < 600; step++) {
        const guint32 number = any_number(random, region);
        const gboolean was_there = members[number];
        change_one(number, (guint32)g_rand_int_range(random, 0, 100) < regions[region].adds);
        n = n + (guint32)members[number] - (guint32)was_there;
        ck_assert_uint_eq(set.n, n);
        const guint32 from = any_number(random, region);
        ck_assert_int_eq(bitset_has(&set, from), members[from]);
        ck_assert_uint_eq(bitset_above(&set, from), above_by_search(from));
        ck_assert_uint_eq(bitset_after(&set, from), after_by_search(from));
    }
}
END_TEST

START_TEST(going_round_once_finds_each_member_once_and_in_order)
{
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i);
    for (guint i = 0; i < 1000; i++)
        change_one((guint32)g_rand_int_range(random, 0, (gint32)BITSET_MOST), TRUE);
    const guint32 start = (guint32)g_rand_int_range(random, 0, (gint32)BITSET_MOST);
    guint32 at = start, n = 0;
    for (guint32 i = 1; i <= BITSET_MOST; i++) {
        const guint32 number = (start + i) % BITSET_MOST;
        if (!members[number])
            continue;
        at = bitset_after(&set, at);
        ck_assert_uint_eq(at, number);
        n++;
    }
    ck_assert_uint_eq(n, set.n);
}
END_TEST

START_TEST(a_set_emptied_in_any_order_is_as_it_was_made)
{
    enum { NUMBERS = 500 };
    static const Bitset made;
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i);
    guint32 numbers[NUMBERS];
    for (guint i = 0; i < NUMBERS; i++) {
        numbers[i] = (guint32)g_rand_int_range(random, 0, 1 << g_rand_int_range(random, 1, 19));
        bitset_add(&set, numbers[i]);
    }
    for (guint left = NUMBERS; left > 0; left--) {
        const gint32 chosen = g_rand_int_range(random, 0, (gint32)left);
        bitset_remove(&set, numbers[chosen]);
        numbers[chosen] = numbers[left - 1];
    }
    ck_assert_mem_eq(&set, &made, sizeof set);
}
END_TEST

static void empty_both(void)
{
    memset(&set, 0, sizeof set);
    memset(members, 0, sizeof members);
}

Suite *test_suite(void)
{
    Suite *suite = suite_create("factory_bitset");
    TCase *tcase = tcase_create("members");
    tcase_add_checked_fixture(tcase, empty_both, NULL);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, an_empty_set_has_no_member_and_no_next_one);
    tcase_add_loop_test(tcase, a_lone_member_is_the_next_one_from_everywhere_and_from_itself, 0,
                        G_N_ELEMENTS(borders));
    tcase_add_loop_test(tcase, a_lone_member_taken_out_leaves_the_set_as_it_was_made, 0,
                        G_N_ELEMENTS(borders));
    tcase_add_test(tcase, what_is_there_already_or_is_not_there_changes_nothing);
    tcase_add_test(tcase, in_a_full_set_the_next_member_is_the_next_number_going_round);
    tcase_add_loop_test(tcase, members_and_the_next_ones_are_those_of_an_array_of_booleans, 0,
                        SEEDS_EACH * G_N_ELEMENTS(regions));
    tcase_add_loop_test(tcase, going_round_once_finds_each_member_once_and_in_order, 0, 5);
    tcase_add_loop_test(tcase, a_set_emptied_in_any_order_is_as_it_was_made, 0, 5);
    suite_add_tcase(suite, tcase);
    return suite;
}
