/* test_host_hash.c - keys that a client chooses do not collide (handlers/host/hash_interpose.c).
 *
 * Work is counted, not timed: how many keys share a bucket of a table with a prime number of
 * them, which is how GHashTable has it.  Each set of keys puts them all into one bucket, or
 * gives them all one hash, with GLib's own function.                                         */
#include "tests/unit/runner.h"
#include "tests/unit/test_host_fixture.h"
#include <math.h>
#include <string.h>
#include <thrift/c_glib/thrift.h>

#define KEYS        4096u
#define KEYS_LOG2   12u
#define BUCKETS     4093u
#define FULL_BUCKET 16u /* of one key on average: less than one in 10^13 holds so many */

static guint fullest_bucket(const guint *hashes)
{
    guint load[BUCKETS] = { 0 };
    guint fullest = 0;
    for (guint i = 0; i < KEYS; i++) {
        guint *bucket = &load[hashes[i] % BUCKETS];
        *bucket += 1;
        fullest = MAX(fullest, *bucket);
    }
    return fullest;
}

/* 97 * 33 + 122 == 98 * 33 + 89: "az" and "bY" are one to g_str_hash, and so is every
 * string made of a dozen of them. */
START_TEST(strings_that_collide_in_glib_do_not_collide)
{
    guint hashes[KEYS];
    for (guint i = 0; i < KEYS; i++) {
        gchar key[2 * KEYS_LOG2 + 1] = "";
        for (guint bit = 0; bit < KEYS_LOG2; bit++)
            memcpy(key + 2 * bit, i >> bit & 1 ? "az" : "bY", 2);
        hashes[i] = g_str_hash(key);
    }
    ck_assert_uint_lt(fullest_bucket(hashes), FULL_BUCKET);
}
END_TEST

START_TEST(numbers_that_collide_in_glib_do_not_collide)
{
    guint i32[KEYS], i64[KEYS], enums[KEYS], doubles[KEYS];
    for (guint i = 0; i < KEYS; i++) {
        const gint number = (gint)(i * BUCKETS);
        const guint64 wide = (guint64)i << 32 | i;
        gdouble real;
        memcpy(&real, &wide, sizeof real);
        i32[i] = g_int_hash(&number);
        i64[i] = g_int64_hash(&wide);
        enums[i] = g_direct_hash(GINT_TO_POINTER(number));
        doubles[i] = g_double_hash(&real);
    }
    ck_assert_uint_lt(fullest_bucket(i32), FULL_BUCKET);
    ck_assert_uint_lt(fullest_bucket(i64), FULL_BUCKET);
    ck_assert_uint_lt(fullest_bucket(enums), FULL_BUCKET);
    ck_assert_uint_lt(fullest_bucket(doubles), FULL_BUCKET);
}
END_TEST

START_TEST(doubles_that_are_equal_have_one_hash)
{
    const gdouble zero = 0.0, minus_zero = -0.0, nan = (gdouble)NAN, minus_nan = -(gdouble)NAN;
    ck_assert(g_double_equal(&zero, &minus_zero));
    ck_assert_uint_eq(g_double_hash(&zero), g_double_hash(&minus_zero));
    ck_assert(g_double_equal(&nan, &minus_nan));
    ck_assert_uint_eq(g_double_hash(&nan), g_double_hash(&minus_nan));
    ck_assert(!g_double_equal(&zero, &nan));
}
END_TEST

START_TEST(every_length_and_every_byte_of_a_string_counts)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    gchar key[33] = "";
    for (guint length = 0; length < sizeof key; length++) {
        memset(key, 'k', length);
        ck_assert(g_hash_table_add(seen, GUINT_TO_POINTER(g_str_hash(key))));
        for (guint i = 0; i < length; i++) {
            key[i] = 'l';
            ck_assert(g_hash_table_add(seen, GUINT_TO_POINTER(g_str_hash(key))));
            key[i] = 'k';
        }
    }
}
END_TEST

/* What g_str_hash gives for "a" without the host's definition: 5381 * 33 + 'a'. */
START_TEST(a_plugin_hashes_with_the_hosts_functions)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SluiceSettings) settings = settings_new("", NULL);
    Plugin *plugin = fixture_load("tests/plugins/hashes.so", settings, &error);
    ck_assert_ptr_null(plugin);
    g_autofree gchar *own = g_strdup_printf("hashes.so: load(): %u", g_str_hash("a"));
    ck_assert_str_eq(error->message, own);
    ck_assert_uint_ne(g_str_hash("a"), 5381 * 33 + 'a');
}
END_TEST

/* Fault 13: libthrift's walks to the end of the list. */
START_TEST(listing_a_key_does_not_walk_the_keys_listed_before)
{
    GList unwalkable = { .data = NULL, .next = (GList *)1, .prev = NULL };
    GList *keys = &unwalkable;
    gint key = 0;
    thrift_hash_table_get_keys(&key, NULL, &keys);
    ck_assert_ptr_eq(keys->data, &key);
    ck_assert_ptr_eq(keys->next, &unwalkable);
    g_list_free_1(keys);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("host hash");
    TCase *tcase = tcase_create("hash");
    tcase_add_test(tcase, strings_that_collide_in_glib_do_not_collide);
    tcase_add_test(tcase, numbers_that_collide_in_glib_do_not_collide);
    tcase_add_test(tcase, doubles_that_are_equal_have_one_hash);
    tcase_add_test(tcase, every_length_and_every_byte_of_a_string_counts);
    tcase_add_test(tcase, a_plugin_hashes_with_the_hosts_functions);
    tcase_add_test(tcase, listing_a_key_does_not_walk_the_keys_listed_before);
    suite_add_tcase(suite, tcase);
    return suite;
}
