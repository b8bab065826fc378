/* test_factory_histogram.c - promises of actor/factory/histogram.h, also against sorted times. */
#include "actor/factory/histogram.h"
#include "tests/unit/runner.h"
#include <stdlib.h>

#define LAST_BUCKET (HISTOGRAM_BUCKETS - 1)
#define MOST_USEC   ((gint64)1 << HISTOGRAM_MAX_BITS)

/* --- buckets ----------------------------------------------------------------------------- */

static gint64 begin_of(guint bucket)
{
    return bucket == 0 ? 0 : histogram_bucket_end_usec(bucket - 1);
}

static const struct {
    gint64 usec;
    guint bucket;
    gint64 begin_usec, end_usec;
} places[] = {
    { 0, 0, 0, 1 },
    { 1, 1, 1, 2 },
    { 7, 7, 7, 8 }, /* up to here and in the next power of two, each has its own */
    { 8, 8, 8, 9 },
    { 15, 15, 15, 16 },
    { 16, 16, 16, 18 },
    { 17, 16, 16, 18 },
    { 31, 23, 30, 32 },
    { 32, 24, 32, 36 },
    { 1000, 63, 960, 1024 },
    { 1000000, 143, 983040, 1048576 },
    { MOST_USEC - 1, LAST_BUCKET, MOST_USEC / 16 * 15, MOST_USEC },
};

START_TEST(a_time_is_in_the_bucket_whose_bounds_contain_it)
{
    const guint bucket = histogram_bucket_of(places[_i].usec);
    ck_assert_uint_eq(bucket, places[_i].bucket);
    ck_assert_int_eq(begin_of(bucket), places[_i].begin_usec);
    ck_assert_int_eq(histogram_bucket_end_usec(bucket), places[_i].end_usec);
}
END_TEST

START_TEST(what_is_below_nothing_or_above_the_most_is_in_the_first_or_the_last_bucket)
{
    ck_assert_uint_eq(histogram_bucket_of(-1), 0);
    ck_assert_uint_eq(histogram_bucket_of(G_MININT64), 0);
    ck_assert_uint_eq(histogram_bucket_of(MOST_USEC), LAST_BUCKET);
    ck_assert_uint_eq(histogram_bucket_of(G_MAXINT64), LAST_BUCKET);
    ck_assert_int_gt(MOST_USEC, (gint64)19 * 3600 * G_USEC_PER_SEC);
}
END_TEST

START_TEST(buckets_follow_on_each_other_and_are_no_wider_than_an_eighth)
{
    for (guint bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
        const gint64 begin = begin_of(bucket), end = histogram_bucket_end_usec(bucket);
        ck_assert_int_gt(end, begin);
        ck_assert_uint_eq(histogram_bucket_of(begin), bucket);
        ck_assert_uint_eq(histogram_bucket_of(end - 1), bucket);
        ck_assert(end - begin == 1 || (end - begin) * 8 <= begin);
    }
}
END_TEST

/* As many of each length in bits. */
static gint64 any_time(GRand *random)
{
    const guint64 bits = (guint64)g_rand_int(random) << 32 | g_rand_int(random);
    return (gint64)(bits >> g_rand_int_range(random, 64 - HISTOGRAM_MAX_BITS, 64));
}

START_TEST(any_time_is_within_its_buckets_bounds_and_later_ones_are_not_in_earlier_buckets)
{
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i);
    for (guint i = 0; i < 20000; i++) {
        const gint64 a = any_time(random), b = any_time(random);
        const guint bucket_a = histogram_bucket_of(a), bucket_b = histogram_bucket_of(b);
        ck_assert(begin_of(bucket_a) <= a && a < histogram_bucket_end_usec(bucket_a));
        ck_assert(a <= b ? bucket_a <= bucket_b : bucket_a >= bucket_b);
    }
}
END_TEST

/* --- quantiles --------------------------------------------------------------------------- */

static Histogram histogram;

START_TEST(of_nothing_every_quantile_is_0)
{
    for (guint permille = 0; permille <= 1000; permille += 250)
        ck_assert_int_eq(histogram_quantile_usec(&histogram, permille), 0);
}
END_TEST

START_TEST(a_lone_time_is_every_quantile)
{
    histogram_add(&histogram, 1000);
    for (guint permille = 0; permille <= 1000; permille += 125)
        ck_assert_int_eq(histogram_quantile_usec(&histogram, permille), 1024);
}
END_TEST

START_TEST(count_and_sum_are_exact_and_what_is_below_0_counts_as_0)
{
    static const gint64 times[] = { 5, 0, -7, G_MININT64, 1001, MOST_USEC + 3 };
    for (gsize i = 0; i < G_N_ELEMENTS(times); i++)
        histogram_add(&histogram, times[i]);
    ck_assert_uint_eq(histogram.count, G_N_ELEMENTS(times));
    ck_assert_uint_eq(histogram.sum_usec, (guint64)MOST_USEC + 1009);
    ck_assert_uint_eq(histogram.buckets[0], 3);
    ck_assert_int_eq(histogram_quantile_usec(&histogram, 500), 1);
}
END_TEST

START_TEST(a_time_above_the_most_is_told_as_the_most)
{
    histogram_add(&histogram, G_MAXINT64);
    ck_assert_int_eq(histogram_quantile_usec(&histogram, 1000), MOST_USEC);
}
END_TEST

/* Ten times: the rank of a quantile is rounded up, so that so many do not exceed it. */
static const struct {
    guint permille;
    gint64 told_usec;
} ranks[] = {
    { 0, 2 },
    { 1, 2 },
    { 100, 2 },
    { 101, 3 },
    { 500, 6 },
    { 501, 7 },
    { 900, 10 },
    { 901, 2 * 4096 + 1024 },
    { 1000, 2 * 4096 + 1024 },
};

START_TEST(a_quantile_is_the_least_time_that_so_many_do_not_exceed)
{
    for (gint64 usec = 1; usec <= 9; usec++)
        histogram_add(&histogram, usec);
    histogram_add(&histogram, 2 * 4096);
    ck_assert_int_eq(histogram_quantile_usec(&histogram, ranks[_i].permille), ranks[_i].told_usec);
}
END_TEST

/* --- against sorted times ---------------------------------------------------------------- */

static gint64 any_length(GRand *random) { return any_time(random); }
static gint64 few(GRand *random) { return g_rand_int_range(random, 0, 20); }
static gint64 even(GRand *random) { return g_rand_int_range(random, 0, 1000000); }
static gint64 same(GRand *random) { return g_rand_int_range(random, 77777, 77778); }
static gint64 two_peaks(GRand *random)
{
    const gint32 middle = g_rand_int_range(random, 0, 100) < 99 ? 300 : 2000000;
    return middle + g_rand_int_range(random, 0, middle / 10);
}

static gint64 (*const draws[])(GRand *) = { any_length, few, even, same, two_peaks };
static const guint sizes[] = { 1, 2, 3, 999, 1000, 1001, 5000 };

static int compare_times(const void *a, const void *b)
{
    const gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;
    return (x > y) - (x < y);
}

START_TEST(quantiles_are_those_of_the_sorted_times_and_at_most_an_eighth_above)
{
    const gsize draw = (gsize)_i / G_N_ELEMENTS(sizes);
    const guint n = sizes[(gsize)_i % G_N_ELEMENTS(sizes)];
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i);
    g_autofree gint64 *times = g_new(gint64, n);
    for (guint i = 0; i < n; i++) {
        times[i] = draws[draw](random);
        histogram_add(&histogram, times[i]);
    }
    qsort(times, n, sizeof *times, compare_times);
    gint64 before = 0;
    for (guint permille = 0; permille <= 1000; permille++) {
        const guint rank = MAX((n * permille + 999) / 1000, 1);
        const gint64 exact = times[rank - 1];
        const gint64 told = histogram_quantile_usec(&histogram, permille);
        ck_assert_int_gt(told, exact);
        ck_assert(told == exact + 1 || (told - exact) * 8 <= exact);
        ck_assert_int_ge(told, before);
        before = told;
    }
}
END_TEST

static void empty_histogram(void) { histogram = (Histogram){ 0 }; }

Suite *test_suite(void)
{
    Suite *suite = suite_create("factory_histogram");
    TCase *buckets = tcase_create("buckets");
    tcase_add_loop_test(buckets, a_time_is_in_the_bucket_whose_bounds_contain_it, 0,
                        G_N_ELEMENTS(places));
    tcase_add_test(buckets,
                   what_is_below_nothing_or_above_the_most_is_in_the_first_or_the_last_bucket);
    tcase_add_test(buckets, buckets_follow_on_each_other_and_are_no_wider_than_an_eighth);
    tcase_add_loop_test(
        buckets, any_time_is_within_its_buckets_bounds_and_later_ones_are_not_in_earlier_buckets, 0,
        5);
    suite_add_tcase(suite, buckets);
    TCase *quantiles = tcase_create("quantiles");
    tcase_add_checked_fixture(quantiles, empty_histogram, NULL);
    tcase_set_timeout(quantiles, 60);
    tcase_add_test(quantiles, of_nothing_every_quantile_is_0);
    tcase_add_test(quantiles, a_lone_time_is_every_quantile);
    tcase_add_test(quantiles, count_and_sum_are_exact_and_what_is_below_0_counts_as_0);
    tcase_add_test(quantiles, a_time_above_the_most_is_told_as_the_most);
    tcase_add_loop_test(quantiles, a_quantile_is_the_least_time_that_so_many_do_not_exceed, 0,
                        G_N_ELEMENTS(ranks));
    tcase_add_loop_test(quantiles,
                        quantiles_are_those_of_the_sorted_times_and_at_most_an_eighth_above, 0,
                        G_N_ELEMENTS(draws) * G_N_ELEMENTS(sizes));
    suite_add_tcase(suite, quantiles);
    return suite;
}
