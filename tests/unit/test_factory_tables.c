/* test_factory_tables.c - what the factory is built on: the wheel of timers, the set that finds its
 * next member, histograms and token buckets, each against the plainest thing that does the same. */
#include "actor/factory/bitset.h"
#include "actor/factory/histogram.h"
#include "actor/factory/rate_limit.h"
#include "actor/factory/wheel.h"
#include "tests/unit/runner.h"
#include <string.h>

#define SECOND ((gint64)1000000)

/* --- wheel ------------------------------------------------------------------------------- */

enum { TIMERS = 200, NOT_ARMED = -1 };

static gint64 earliest(const gint64 *at)
{
    gint64 found = G_MAXINT64;
    for (guint i = 0; i < TIMERS; i++)
        if (at[i] != NOT_ARMED)
            found = MIN(found, at[i]);
    return found;
}

/* Taken out when due: never early, at most a tick late, and none is forgotten. */
static void advance(Wheel *wheel, gint64 *at, gint64 now)
{
    guint32 due;
    while ((due = wheel_take_due(wheel, now)) != WHEEL_NONE) {
        ck_assert_int_ne(at[due], NOT_ARMED);
        ck_assert_int_le(at[due], now);
        at[due] = NOT_ARMED;
    }
    ck_assert_int_gt(earliest(at), now - 1000);
}

START_TEST(timers_fire_neither_early_nor_more_than_a_tick_late)
{
    static const gint64 spans[] = {
        1, 999, 1000, 64000, 4096000, 262144000, G_GINT64_CONSTANT(86400000000)
    };
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i);
    gint64 at[TIMERS], now = _i * (gint64)777777777;
    Wheel wheel;
    wheel_init(&wheel, now);
    wheel_grow(&wheel, TIMERS);
    for (guint i = 0; i < TIMERS; i++)
        at[i] = NOT_ARMED;
    for (guint step = 0; step < 5000; step++) {
        const guint32 timer = (guint32)g_rand_int_range(random, 0, TIMERS);
        const gint64 span = spans[g_rand_int_range(random, 0, G_N_ELEMENTS(spans))];
        const gint64 length = (gint64)(g_rand_double(random) * (gdouble)span);
        const gint32 what = g_rand_int_range(random, 0, 4);
        if (what < 2) {
            at[timer] = now + length;
            wheel_arm(&wheel, timer, at[timer]);
        } else if (what == 2) {
            at[timer] = NOT_ARMED;
            wheel_disarm(&wheel, timer);
        } else {
            ck_assert(earliest(at) == G_MAXINT64 || wheel_next_usec(&wheel) <= earliest(at) + 999);
            now += length / 100;
            advance(&wheel, at, now);
        }
    }
    wheel_clear(&wheel);
}
END_TEST

START_TEST(a_wheel_without_timers_wants_nothing)
{
    Wheel wheel;
    wheel_init(&wheel, 5 * SECOND);
    wheel_grow(&wheel, 1);
    ck_assert_int_eq(wheel_next_usec(&wheel), G_MAXINT64);
    ck_assert_uint_eq(wheel_take_due(&wheel, 86400 * SECOND), WHEEL_NONE);
    wheel_arm(&wheel, 0, 1); /* long past */
    ck_assert_uint_eq(wheel_take_due(&wheel, 0), 0);
    wheel_arm(&wheel, 0, G_MAXINT64); /* for ever, or longer than any machine runs */
    ck_assert_uint_eq(wheel_take_due(&wheel, 100 * 365 * (gint64)86400 * SECOND), WHEEL_NONE);
    wheel_clear(&wheel);
}
END_TEST

/* --- bitset ------------------------------------------------------------------------------ */

static guint32 next_by_search(const gboolean *members, guint32 from)
{
    for (guint32 i = 1; i <= BITSET_MOST; i++)
        if (members[(from + i) % BITSET_MOST])
            return (from + i) % BITSET_MOST;
    return BITSET_NONE;
}

START_TEST(the_next_member_is_found_going_round)
{
    static Bitset set;
    static gboolean members[BITSET_MOST];
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i);
    guint32 n = 0;
    for (guint step = 0; step < 400; step++) {
        const guint32 reach = step % 2 == 0 ? 70 : BITSET_MOST;
        const guint32 i = (guint32)g_rand_int_range(random, 0, (gint32)reach);
        const gboolean add = g_rand_boolean(random);
        n += add && !members[i] ? 1 : 0;
        n -= !add && members[i] ? 1 : 0;
        members[i] = add;
        add ? bitset_add(&set, i) : bitset_remove(&set, i);
        const guint32 from = (guint32)g_rand_int_range(random, 0, (gint32)reach);
        ck_assert_uint_eq(set.n, n);
        ck_assert_uint_eq(bitset_after(&set, from), next_by_search(members, from));
    }
}
END_TEST

/* --- histogram --------------------------------------------------------------------------- */

START_TEST(a_bucket_holds_its_times_and_is_narrow)
{
    gint64 begins = 0;
    for (guint bucket = 0; bucket < HISTOGRAM_BUCKETS - 1; bucket++) {
        const gint64 end = histogram_bucket_end_usec(bucket);
        ck_assert_uint_eq(histogram_bucket_of(begins), bucket);
        ck_assert_uint_eq(histogram_bucket_of(end - 1), bucket);
        ck_assert_int_le((end - begins - 1) * 8, MAX(begins, 1));
        begins = end;
    }
    ck_assert_uint_eq(histogram_bucket_of(-5), 0);
    ck_assert_uint_eq(histogram_bucket_of(G_MAXINT64), HISTOGRAM_BUCKETS - 1);
}
END_TEST

START_TEST(a_quantile_is_that_of_the_sorted_times_but_for_its_bucket)
{
    enum { N = 1000 };
    static Histogram histogram;
    ck_assert_int_eq(histogram_quantile_usec(&histogram, 500), 0);
    for (gint64 i = 1; i <= N; i++)
        histogram_add(&histogram, i * i);
    for (guint permille = 1; permille <= 1000; permille += 37) {
        const gint64 exact = (gint64)permille * permille;
        const gint64 told = histogram_quantile_usec(&histogram, permille);
        ck_assert_int_gt(told, exact);
        ck_assert_int_le(told, exact + exact / 8 + 1);
    }
    ck_assert_uint_eq(histogram.count, N);
}
END_TEST

/* --- token buckets ----------------------------------------------------------------------- */

static const FactoryRate rates[] = {
    { 1, SECOND, 1 },
    { 10, SECOND, 5 },
    { 1000000, SECOND, 1 },
    { 7, 1000, 3 },
    { 1, 24 * 3600 * SECOND, 2 },
    { 1000000000, 1000, 1000000000 },
};

/* In any time, the burst and what the rate gives; and after a rest, the burst at once. */
START_TEST(a_bucket_gives_its_burst_and_its_rate_and_no_more)
{
    const FactoryRate *rate = &rates[_i];
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    RateBucket bucket = { 0 };
    gint64 now = 10 * SECOND;
    const gint64 from = now;
    guint64 taken = 0;
    for (guint i = 0; i < 20000; i++) {
        if (rate_wait_usec(&bucket, rate, now) == 0) {
            rate_take(&bucket, rate, now);
            taken++;
        }
        const gdouble given =
            (gdouble)(now - from) * (gdouble)rate->count / (gdouble)rate->per_usec;
        ck_assert(taken <= (gdouble)rate->burst + given + 1);
        now += g_rand_int_range(random, 0, 3) * MAX(rate->per_usec / (gint64)rate->count / 2, 1);
    }
    now += rate->per_usec * (gint64)(rate->burst / rate->count + 1);
    for (guint i = 0; i < MIN(rate->burst, 1000); i++) {
        ck_assert_int_eq(rate_wait_usec(&bucket, rate, now), 0);
        rate_take(&bucket, rate, now);
    }
    if (rate->burst < 1000)
        ck_assert_int_gt(rate_wait_usec(&bucket, rate, now), 0);
}
END_TEST

START_TEST(the_wait_that_is_told_is_the_one_that_is_needed)
{
    const FactoryRate rate = { 3, SECOND, 2 };
    RateBucket bucket = { 0 };
    gint64 now = SECOND;
    for (guint i = 0; i < 50; i++) {
        const gint64 wait = rate_wait_usec(&bucket, &rate, now);
        if (wait > 0)
            ck_assert_int_gt(rate_wait_usec(&bucket, &rate, now + wait - 1), 0);
        now += wait;
        ck_assert_int_eq(rate_wait_usec(&bucket, &rate, now), 0);
        rate_take(&bucket, &rate, now);
    }
}
END_TEST

START_TEST(clients_have_their_own_buckets_in_bounded_memory)
{
    static RateClient table[RATE_CLIENT_SETS * RATE_CLIENT_WAYS];
    const FactoryRate rate = { 1, 1000 * SECOND, 1 };
    for (guint64 client = 1; client <= 1000; client++) {
        RateBucket *bucket = rate_client_bucket(table, client);
        ck_assert_int_eq(rate_wait_usec(bucket, &rate, SECOND), 0);
        rate_take(bucket, &rate, SECOND);
        ck_assert_ptr_eq(rate_client_bucket(table, client), bucket);
    }
    guint remembered = 0;
    for (guint64 client = 1; client <= 1000; client++)
        remembered += rate_wait_usec(rate_client_bucket(table, client), &rate, SECOND) > 0;
    ck_assert_uint_gt(remembered, 980);
    for (guint64 client = 1; client <= 1000000; client++)
        rate_take(rate_client_bucket(table, client), &rate, SECOND);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("factory tables");
    TCase *tcase = tcase_create("tables");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, timers_fire_neither_early_nor_more_than_a_tick_late, 0, 20);
    tcase_add_test(tcase, a_wheel_without_timers_wants_nothing);
    tcase_add_loop_test(tcase, the_next_member_is_found_going_round, 0, 3);
    tcase_add_test(tcase, a_bucket_holds_its_times_and_is_narrow);
    tcase_add_test(tcase, a_quantile_is_that_of_the_sorted_times_but_for_its_bucket);
    tcase_add_loop_test(tcase, a_bucket_gives_its_burst_and_its_rate_and_no_more, 0,
                        G_N_ELEMENTS(rates));
    tcase_add_test(tcase, the_wait_that_is_told_is_the_one_that_is_needed);
    tcase_add_test(tcase, clients_have_their_own_buckets_in_bounded_memory);
    suite_add_tcase(suite, tcase);
    return suite;
}
