/* test_host_headers.c - the byte format of headers, actor/ring/headers.h. */
#include "tests/unit/runner.h"
#include "actor/ring/headers.h"
#include <string.h>

static gboolean append(GByteArray *block, const gchar *name, const gchar *value)
{
    return headers_append(block, name, strlen(name), value, strlen(value));
}

/* Every pair as "name=value;", then "!" when something is left over. */
static gchar *read_all(const void *bytes, gsize length)
{
    GString *text = g_string_new(NULL);
    HeaderCursor cursor = { bytes, length };
    const gchar *name, *value;
    while (headers_next(&cursor, &name, &value))
        g_string_append_printf(text, "%s=%s;", name, value);
    if (cursor.left_bytes != 0)
        g_string_append_c(text, '!');
    return g_string_free(text, FALSE);
}

START_TEST(what_is_appended_is_read_in_order)
{
    g_autoptr(GByteArray) block = g_byte_array_new();
    ck_assert(append(block, "one", "1"));
    ck_assert(append(block, "empty", ""));
    ck_assert(append(block, "one", "again"));
    g_autofree gchar *text = read_all(block->data, block->len);
    ck_assert_str_eq(text, "one=1;empty=;one=again;");
}
END_TEST

START_TEST(a_name_is_found_in_any_case_and_the_first_counts)
{
    g_autoptr(GByteArray) block = g_byte_array_new();
    append(block, "X-Trace", "a");
    append(block, "x-trace", "b");
    ck_assert_str_eq(headers_find(block->data, block->len, "x-TRACE"), "a");
    ck_assert_ptr_null(headers_find(block->data, block->len, "x-trac"));
    ck_assert_ptr_null(headers_find(NULL, 0, "x-trace"));
}
END_TEST

START_TEST(removing_takes_every_pair_of_that_name_and_no_other)
{
    g_autoptr(GByteArray) block = g_byte_array_new();
    static const gchar *const names[] = { "a", "b", "A", "a", "c", "a" };
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        append(block, names[i], "v");
    headers_remove(block, "a");
    g_autofree gchar *text = read_all(block->data, block->len);
    ck_assert_str_eq(text, "b=v;c=v;");
}
END_TEST

START_TEST(a_block_that_would_grow_too_large_stays_as_it_is)
{
    g_autofree gchar *value = g_strnfill(HEADERS_MAX_BYTES - 4, 'v');
    g_autoptr(GByteArray) block = g_byte_array_new();
    ck_assert(!append(block, "nam", value));
    ck_assert_uint_eq(block->len, 0);
    ck_assert(append(block, "na", value));
    ck_assert_uint_eq(block->len, HEADERS_MAX_BYTES);
    ck_assert(!append(block, "n", ""));
    ck_assert(!headers_append(block, "n", G_MAXSIZE, "v", G_MAXSIZE));
    ck_assert_uint_eq(block->len, HEADERS_MAX_BYTES);
}
END_TEST

START_TEST(what_would_be_read_differently_is_not_appended)
{
    g_autoptr(GByteArray) block = g_byte_array_new();
    ck_assert(!append(block, "", "value"));
    ck_assert(!headers_append(block, "a\0b", 3, "value", 5));
    ck_assert(!headers_append(block, "name", 4, "a\0b", 3));
    ck_assert_uint_eq(block->len, 0);
}
END_TEST

static const struct {
    const gchar *bytes;
    gsize length;
    const gchar *pairs;
} hostile[] = {
    { "", 0, "" },
    { "n", 1, "!" },
    { "n\0", 2, "!" },
    { "n\0v", 3, "!" },
    { "n\0v\0", 4, "n=v;" },
    { "n\0v\0m", 5, "n=v;!" },
    { "n\0v\0m\0w", 7, "n=v;!" },
    { "\0v\0", 3, "!" },
    { "\0\0\0\0", 4, "!" },
    { "n\0\0", 3, "n=;" },
};

/* In memory of its own, so that a sanitizer sees a read past the end. */
START_TEST(reading_stops_at_the_first_pair_that_is_not_whole)
{
    g_autofree guint8 *exact = g_memdup2(hostile[_i].bytes, hostile[_i].length);
    g_autofree gchar *text = read_all(exact, hostile[_i].length);
    ck_assert_str_eq(text, hostile[_i].pairs);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("headers");
    TCase *tcase = tcase_create("block");
    tcase_add_test(tcase, what_is_appended_is_read_in_order);
    tcase_add_test(tcase, a_name_is_found_in_any_case_and_the_first_counts);
    tcase_add_test(tcase, removing_takes_every_pair_of_that_name_and_no_other);
    tcase_add_test(tcase, a_block_that_would_grow_too_large_stays_as_it_is);
    tcase_add_test(tcase, what_would_be_read_differently_is_not_appended);
    tcase_add_loop_test(tcase, reading_stops_at_the_first_pair_that_is_not_whole, 0,
                        G_N_ELEMENTS(hostile));
    suite_add_tcase(suite, tcase);
    return suite;
}
