/* test_factory_rate_limit.c - promises of actor/factory/rate_limit.h, also against a bucket that
 * is refilled token by token and a table of clients that is searched. */
#include "actor/factory/rate_limit.h"
#include "tests/unit/runner.h"
#include <string.h>

#define SECOND ((gint64)1000000)
#define DAY    (86400 * SECOND)

/* --- one bucket -------------------------------------------------------------------------- */

/* An interval between two tokens is a whole number of nanoseconds. */
static const struct {
    FactoryRate rate;
    gint64 interval_nsec;
} exact[] = {
    { { 1, SECOND, 1 }, 1000000000 },
    { { 10, SECOND, 5 }, 100000000 },
    { { 8, 1000, 3 }, 125000 },
    { { 1000000, SECOND, 1 }, 1000 },
    { { 1000000, SECOND, 100 }, 1000 },
    { { 10000000, SECOND, 25 }, 100 }, /* more often than once a microsecond */
    { { 500000000, SECOND, 700 }, 2 },
    { { 1000000000, SECOND, 1 }, 1 },
    { { 1, DAY, 1 }, DAY * 1000 },
    { { 1, DAY, 4 }, DAY * 1000 },
    { { 86400, DAY, 1000 }, 1000000000 },
};

START_TEST(the_burst_is_there_at_first_and_after_a_rest_and_not_one_more)
{
    const FactoryRate *rate = &exact[_i].rate;
    const gint64 rest = exact[_i].interval_nsec * (gint64)rate->burst / 1000 + 1;
    RateBucket bucket = { 0 };
    for (gint64 now = 0; now < 4 * rest; now += rest) {
        for (guint64 taken = 0; taken < rate->burst; taken++) {
            ck_assert_int_eq(rate_wait_usec(&bucket, rate, now), 0);
            rate_take(&bucket, rate, now);
        }
        ck_assert_int_eq(rate_wait_usec(&bucket, rate, now),
                         (exact[_i].interval_nsec + 999) / 1000);
    }
}
END_TEST

START_TEST(asking_takes_nothing)
{
    const FactoryRate rate = { 1, SECOND, 2 };
    RateBucket bucket = { 0 };
    rate_take(&bucket, &rate, SECOND);
    for (guint i = 0; i < 100; i++)
        ck_assert_int_eq(rate_wait_usec(&bucket, &rate, SECOND), 0);
    rate_take(&bucket, &rate, SECOND);
    for (gint64 later = 0; later < SECOND; later += 1000)
        ck_assert_int_eq(rate_wait_usec(&bucket, &rate, SECOND + later), SECOND - later);
}
END_TEST

START_TEST(no_rate_is_no_limit)
{
    const FactoryRate none = { 0, 0, 0 };
    RateBucket bucket = { 0 };
    for (guint i = 0; i < 1000; i++) {
        ck_assert_int_eq(rate_wait_usec(&bucket, &none, SECOND), 0);
        rate_take(&bucket, &none, SECOND);
    }
    ck_assert_int_eq(bucket.full_nsec, 0);
}
END_TEST

START_TEST(the_wait_that_is_told_is_the_least_that_is_enough)
{
    const FactoryRate *rate = &exact[_i].rate;
    RateBucket bucket = { 0 };
    gint64 now = 20000 * DAY + 1;
    for (guint i = 0; i < 3000; i++) {
        const gint64 wait = rate_wait_usec(&bucket, rate, now);
        if (wait > 0)
            ck_assert_int_eq(rate_wait_usec(&bucket, rate, now + wait - 1), 1);
        now += wait;
        ck_assert_int_eq(rate_wait_usec(&bucket, rate, now), 0);
        rate_take(&bucket, rate, now);
    }
}
END_TEST

/* Often nothing, else up to a few intervals, now and then long enough for the whole burst. */
static gint64 any_pause_usec(GRand *random, gsize row)
{
    const gint64 interval = MAX(exact[row].interval_nsec / 1000, 1);
    const gint32 what = g_rand_int_range(random, 0, 1000);
    if (what < 500)
        return 0;
    const gint64 most = what < 995 ? 3 * interval : 2 * interval * (gint64)exact[row].rate.burst;
    return (gint64)(g_rand_double(random) * (gdouble)(most + 1));
}

START_TEST(a_bucket_is_as_one_that_is_refilled_as_time_goes_by)
{
    const gint64 interval = exact[_i].interval_nsec;
    const FactoryRate *rate = &exact[_i].rate;
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i);
    const gint64 full = interval * (gint64)rate->burst;
    gint64 holds = full; /* a token is the time that it takes to come */
    gint64 now = 5;
    RateBucket bucket = { 0 };
    for (guint step = 0; step < 20000; step++) {
        const gint64 pause = any_pause_usec(random, (gsize)_i);
        now += pause;
        holds = MIN(holds + pause * 1000, full);
        const gint64 lacks = MAX(interval - holds, 0);
        ck_assert_int_eq(rate_wait_usec(&bucket, rate, now), (lacks + 999) / 1000);
        if (lacks > 0)
            continue;
        rate_take(&bucket, rate, now);
        holds -= interval;
    }
}
END_TEST

START_TEST(no_window_has_more_than_the_burst_and_what_the_rate_gives)
{
    enum { MOST = 1500, STEPS = 20000 };
    const FactoryRate *rate = &exact[_i].rate;
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i + 100);
    static gint64 taken[MOST];
    gint64 now = 20000 * DAY, n = 0;
    RateBucket bucket = { 0 };
    for (guint step = 0; step < STEPS && n < MOST; step++) {
        now += any_pause_usec(random, (gsize)_i);
        if (rate_wait_usec(&bucket, rate, now) > 0)
            continue;
        rate_take(&bucket, rate, now);
        taken[n++] = now;
    }
    ck_assert_int_gt(n, MOST / 4);
    for (gint64 first = 0; first < n; first++)
        for (gint64 last = first + (gint64)rate->burst; last < n; last++) {
            const gint64 over = last - first + 1 - (gint64)rate->burst;
            const gint64 nsec = (taken[last] - taken[first]) * 1000;
            if (over * exact[_i].interval_nsec > nsec)
                ck_abort_msg("too many from %" G_GINT64_FORMAT " on", taken[first]);
        }
}
END_TEST

/* Where it is no whole number, a token comes less than a nanosecond too soon. */
static const FactoryRate uneven[] = {
    { 3, SECOND, 2 },       { 7, DAY, 3 },      { 999, 1000, 5 },
    { 1000003, SECOND, 4 }, { 60, 61000, 100 }, { 7000000, SECOND, 50 },
};

START_TEST(a_rate_with_an_uneven_interval_is_kept_to_a_nanosecond_a_token)
{
    enum { TOKENS = 5000 };
    const FactoryRate *rate = &uneven[_i];
    const gint64 from = 20000 * DAY;
    gint64 now = from;
    RateBucket bucket = { 0 };
    for (gint64 i = 0; i < TOKENS; i++) {
        now += rate_wait_usec(&bucket, rate, now);
        rate_take(&bucket, rate, now);
        const gint64 paid = MAX(i + 1 - (gint64)rate->burst, 0); /* by the rate, not by the burst */
        const gdouble due_nsec =
            (gdouble)paid * (gdouble)rate->per_usec * 1000 / (gdouble)rate->count;
        const gdouble nsec = (gdouble)(now - from) * 1000;
        ck_assert(due_nsec - (gdouble)(paid + 1) < nsec && nsec < due_nsec + 1000);
    }
}
END_TEST

/* --- clients ----------------------------------------------------------------------------- */

#define CLIENTS (RATE_CLIENT_SETS * RATE_CLIENT_WAYS)

static RateClient table[CLIENTS];
static const FactoryRate hourly = { 1, 3600 * SECOND, 4 };

static gsize place_of(guint64 client)
{
    const gchar *bucket = (const gchar *)rate_client_bucket(table, client);
    const gsize place = (gsize)(bucket - (const gchar *)table) / sizeof *table;
    ck_assert_uint_lt(place, CLIENTS);
    ck_assert_uint_eq(table[place].client, client);
    return place;
}

static const guint64 odd_ones[] = { 0, 1, 2, G_MAXUINT32, (guint64)1 << 63, G_MAXUINT64 };

START_TEST(a_client_has_its_own_bucket_and_begins_with_a_full_one)
{
    for (gsize i = 0; i < G_N_ELEMENTS(odd_ones); i++) {
        RateBucket *bucket = rate_client_bucket(table, odd_ones[i]);
        for (guint64 taken = 0; taken < hourly.burst; taken++) {
            ck_assert_int_eq(rate_wait_usec(bucket, &hourly, SECOND), 0);
            rate_take(bucket, &hourly, SECOND);
        }
    }
    for (gsize i = 0; i < G_N_ELEMENTS(odd_ones); i++)
        ck_assert_int_gt(rate_wait_usec(rate_client_bucket(table, odd_ones[i]), &hourly, SECOND),
                         0);
}
END_TEST

/* As counters, addresses of objects, and addresses of networks go. */
static const guint64 strides[] = { 1, 2, 16, 48, 64, 256, 4096, 65536, 1 << 24 };

START_TEST(clients_in_step_are_all_remembered_while_there_is_ample_room)
{
    const guint64 base = _i % 2 == 0 ? 1 : G_GUINT64_CONSTANT(0x7f32a4c01000);
    for (guint64 i = 0; i < RATE_CLIENT_SETS; i++)
        rate_take(rate_client_bucket(table, base + i * strides[_i]), &hourly, SECOND);
    for (guint64 i = 0; i < RATE_CLIENT_SETS; i++) {
        const RateBucket *bucket = rate_client_bucket(table, base + i * strides[_i]);
        ck_assert_int_gt(bucket->full_nsec, SECOND * 1000);
    }
}
END_TEST

/* Also client 0, although it is what an empty place looks like. */
START_TEST(of_nine_clients_in_one_set_the_fullest_is_forgotten)
{
    const gsize set = place_of(0) / RATE_CLIENT_WAYS;
    guint64 clients[RATE_CLIENT_WAYS + 1];
    guint64 n = 0;
    for (guint64 client = 0; n < G_N_ELEMENTS(clients); client++)
        if (place_of(client) / RATE_CLIENT_WAYS == set)
            clients[n++] = client;
    memset(table, 0, sizeof table);
    for (guint64 i = 0; i < RATE_CLIENT_WAYS; i++) {
        const gint64 now = (gint64)((i + (guint64)_i) % RATE_CLIENT_WAYS + 1) * SECOND;
        rate_take(rate_client_bucket(table, clients[i]), &hourly, now);
    }
    const gsize forgotten = (RATE_CLIENT_WAYS - (gsize)_i) % RATE_CLIENT_WAYS;
    rate_take(rate_client_bucket(table, clients[RATE_CLIENT_WAYS]), &hourly, DAY);
    for (gsize i = 0; i <= RATE_CLIENT_WAYS; i++)
        if (i != forgotten)
            ck_assert_int_gt(rate_client_bucket(table, clients[i])->full_nsec, 0);
    ck_assert_int_eq(rate_client_bucket(table, clients[forgotten])->full_nsec, 0);
}
END_TEST

/* What the table should hold now that a client was asked for who is at `place`. */
static void expect_client(RateClient *expected, guint64 client, gsize place)
{
    if (expected[place].client == client)
        return;
    for (gsize i = 0; i < CLIENTS; i++)
        if (expected[i].client == client)
            ck_abort_msg("client %" G_GUINT64_FORMAT " was known", client);
    const RateClient *set = &expected[place / RATE_CLIENT_WAYS * RATE_CLIENT_WAYS];
    for (gsize i = 0; i < RATE_CLIENT_WAYS; i++)
        ck_assert_int_le(expected[place].bucket.full_nsec, set[i].bucket.full_nsec);
    expected[place] = (RateClient){ client, { 0 } };
}

START_TEST(a_known_client_is_found_and_a_new_one_takes_the_place_of_the_fullest_of_its_set)
{
    static RateClient expected[CLIENTS];
    const gint32 clients = (gint32)(_i % 2 == 0 ? CLIENTS / 2 : 3 * CLIENTS);
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i);
    gint64 now = SECOND;
    for (guint step = 0; step < 20000; step++) {
        const guint64 client = (guint64)g_rand_int_range(random, 1, clients) * 4096;
        const gsize place = place_of(client);
        expect_client(expected, client, place);
        ck_assert_int_eq(table[place].bucket.full_nsec, expected[place].bucket.full_nsec);
        now += g_rand_int_range(random, 0, SECOND);
        if (g_rand_int_range(random, 0, 10) == 0)
            continue; /* refused for another reason */
        rate_take(&table[place].bucket, &hourly, now);
        rate_take(&expected[place].bucket, &hourly, now);
    }
    ck_assert_mem_eq(table, expected, sizeof table);
}
END_TEST

static TCase *one_bucket(void)
{
    TCase *tcase = tcase_create("one bucket");
    const gint n = G_N_ELEMENTS(exact);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, the_burst_is_there_at_first_and_after_a_rest_and_not_one_more, 0, n);
    tcase_add_test(tcase, asking_takes_nothing);
    tcase_add_test(tcase, no_rate_is_no_limit);
    tcase_add_loop_test(tcase, the_wait_that_is_told_is_the_least_that_is_enough, 0, n);
    tcase_add_loop_test(tcase, a_bucket_is_as_one_that_is_refilled_as_time_goes_by, 0, n);
    tcase_add_loop_test(tcase, no_window_has_more_than_the_burst_and_what_the_rate_gives, 0, n);
    tcase_add_loop_test(tcase, a_rate_with_an_uneven_interval_is_kept_to_a_nanosecond_a_token, 0,
                        G_N_ELEMENTS(uneven));
    return tcase;
}

static void empty_table(void) { memset(table, 0, sizeof table); }

Suite *test_suite(void)
{
    Suite *suite = suite_create("factory_rate_limit");
    suite_add_tcase(suite, one_bucket());
    TCase *clients = tcase_create("clients");
    tcase_add_checked_fixture(clients, empty_table, NULL);
    tcase_set_timeout(clients, 60);
    tcase_add_test(clients, a_client_has_its_own_bucket_and_begins_with_a_full_one);
    tcase_add_loop_test(clients, clients_in_step_are_all_remembered_while_there_is_ample_room, 0,
                        G_N_ELEMENTS(strides));
    tcase_add_loop_test(clients, of_nine_clients_in_one_set_the_fullest_is_forgotten, 0,
                        RATE_CLIENT_WAYS);
    tcase_add_loop_test(
        clients, a_known_client_is_found_and_a_new_one_takes_the_place_of_the_fullest_of_its_set, 0,
        4);
    suite_add_tcase(suite, clients);
    return suite;
}
