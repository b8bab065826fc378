/* test_protocol_limits.c - how deep, and how much memory, a client's bytes may drive us. */
#include "tests/unit/protocol_everything.h"
#include "tests/unit/runner.h"

/* In place of GLib's: what our code asks for must never follow what a client merely says. */
static gsize largest_block_bytes;

gpointer g_malloc(gsize bytes)
{
    largest_block_bytes = MAX(largest_block_bytes, bytes);
    return bytes > 0 ? malloc(bytes) : NULL;
}

static void append_repeated(GByteArray *bytes, const gchar *hex, guint times)
{
    for (guint i = 0; i < times; i++)
        append_hex(bytes, hex);
}

static void append_zeros(GByteArray *bytes, guint count)
{
    guint before = bytes->len;
    g_byte_array_set_size(bytes, before + count);
    memset(bytes->data + before, 0, count);
}

/* --- depth: the argument struct is level 1 ----------------------------------------------- */

static const gchar *const one_kid[] = {
    [RING_BINARY] = "0f 0013 0c 00000001", [RING_COMPACT] = "09 26 1c"
};
static const gchar *const no_kids[] = {
    [RING_BINARY] = "0f 0013 0c 00000000", [RING_COMPACT] = "09 26 0c"
};

START_TEST(sixty_four_levels_are_read)
{
    GByteArray *bytes = g_byte_array_new();
    append_repeated(bytes, one_kid[_i], 31); /* two levels each, and ... */
    append_hex(bytes, no_kids[_i]);          /* ... in the 32nd struct a list */
    append_zeros(bytes, 32);
    assert_accepted(_i, bytes);
}
END_TEST

START_TEST(sixty_five_levels_are_refused)
{
    GByteArray *bytes = g_byte_array_new();
    append_repeated(bytes, one_kid[_i], 32);
    append_zeros(bytes, 33);
    assert_refused(_i, bytes,
                   _i == RING_BINARY ? "more than 64 levels at byte 256"
                                     : "more than 64 levels at byte 96");
}
END_TEST

START_TEST(reading_what_is_nested_without_end_does_not_overflow_the_stack)
{
    GByteArray *bytes = g_byte_array_new();
    append_repeated(bytes, one_kid[_i], 80000);
    assert_refused(_i, bytes,
                   _i == RING_BINARY ? "more than 64 levels at byte 256"
                                     : "more than 64 levels at byte 96");
}
END_TEST

START_TEST(skipping_what_is_nested_without_end_does_not_overflow_the_stack)
{
    static const gchar *const unknown_list[] = { "0f 07d0", "09 a01f" };
    static const gchar *const list_of_a_list[] = { "0f 00000001", "19" };
    GByteArray *bytes = from_hex(unknown_list[_i]);
    append_repeated(bytes, list_of_a_list[_i], 80000);
    assert_refused(_i, bytes,
                   _i == RING_BINARY ? "more than 64 levels at byte 318"
                                     : "more than 64 levels at byte 66");
}
END_TEST

/* --- memory ------------------------------------------------------------------------------ */

START_TEST(no_memory_is_taken_for_bytes_that_are_not_there)
{
    static const gchar *const frames[][2] = {
        [RING_BINARY] = { "0b 0007 40000000 61", "0b 03e7 40000000 61" },
        [RING_COMPACT] = { "78 8080808004 61", "08 ce0f 8080808004 61" },
    };
    g_autoptr(ThriftProtocol) protocol = frame_protocol_new(_i);
    for (guint f = 0; f < 2; f++) {
        g_autoptr(GByteArray) bytes = from_hex(frames[_i][f]);
        largest_block_bytes = 0;
        ck_assert_ptr_nonnull(refusal(protocol, bytes->data, bytes->len));
        ck_assert_uint_lt(largest_block_bytes, 4096);
    }
}
END_TEST

/* A field with `count` elements of one byte each.  `head` is the field's header; `element` is
 * for binary the element type and for compact that with the long form's size. */
static void append_tiny_elements(GByteArray *bytes, RingProtocol kind, const gchar *head,
                                 const gchar *element, guint32 count)
{
    g_autofree gchar *size =
        kind == RING_BINARY
            ? g_strdup_printf("%08x", count)
            : g_strdup_printf("%02x%02x%02x%02x", (count & 0x7f) | 0x80, (count >> 7 & 0x7f) | 0x80,
                              (count >> 14 & 0x7f) | 0x80, count >> 21);
    append_hex(bytes, head);
    append_hex(bytes, element);
    append_hex(bytes, size);
    append_zeros(bytes, count);
}

static const gchar *const structs[] = { "0c", "fc" };
static const gchar *const bytes_of[] = { "03", "f3" };

START_TEST(a_small_frame_cannot_become_a_huge_object)
{
    static const gchar *const kids[] = { "0f 0013", "09 26" };
    GByteArray *bytes = g_byte_array_new();
    append_tiny_elements(bytes, _i, kids[_i], structs[_i], 1u << 20);
    append_zeros(bytes, 1);
    assert_refused(_i, bytes,
                   _i == RING_BINARY ? "arguments take more than 256 MiB, at byte 3"
                                     : "arguments take more than 256 MiB, at byte 2");
}
END_TEST

START_TEST(the_budget_is_for_all_of_a_call_and_for_each_call_anew)
{
    static const gchar *const unknown[][2] = { { "0f 0400", "0f 0401" }, { "09 8010", "09 8210" } };
    GByteArray *bytes = g_byte_array_new();
    append_tiny_elements(bytes, _i, unknown[_i][0], structs[_i], 600000);
    append_zeros(bytes, 1);
    assert_accepted(_i, g_byte_array_ref(bytes)); /* twice */
    g_byte_array_set_size(bytes, bytes->len - 1);
    append_tiny_elements(bytes, _i, unknown[_i][1], structs[_i], 600000);
    append_zeros(bytes, 1);
    assert_refused(_i, bytes, "arguments take more than 256 MiB, at byte 600011");
}
END_TEST

START_TEST(a_set_costs_more_than_a_list)
{
    static const gchar *const list[] = { "0f 0400", "09 8010" };
    static const gchar *const set[] = { "0e 0400", "0a 8010" };
    GByteArray *fits = g_byte_array_new();
    GByteArray *too_much = g_byte_array_new();
    append_tiny_elements(fits, _i, list[_i], bytes_of[_i], 5000000);
    append_zeros(fits, 1);
    assert_accepted(_i, fits);
    append_tiny_elements(too_much, _i, set[_i], bytes_of[_i], 5000000);
    append_zeros(too_much, 1);
    assert_refused(_i, too_much, "arguments take more than 256 MiB, at byte 3");
}
END_TEST

START_TEST(a_string_is_charged_to_the_budget)
{
    static const gchar *const text_of_90_mib[] = { "0b 0007 05a00000", "78 8080802d" };
    GByteArray *bytes = from_hex(text_of_90_mib[_i]);
    append_zeros(bytes, (90u << 20) + 1);
    assert_refused(_i, bytes,
                   _i == RING_BINARY ? "arguments take more than 256 MiB, at byte 3"
                                     : "arguments take more than 256 MiB, at byte 1");
}
END_TEST

static TCase *depth_case(void)
{
    TCase *tcase = tcase_create("depth");
    tcase_add_loop_test(tcase, sixty_four_levels_are_read, 0, KINDS);
    tcase_add_loop_test(tcase, sixty_five_levels_are_refused, 0, KINDS);
    tcase_add_loop_test(tcase, reading_what_is_nested_without_end_does_not_overflow_the_stack, 0,
                        KINDS);
    tcase_add_loop_test(tcase, skipping_what_is_nested_without_end_does_not_overflow_the_stack, 0,
                        KINDS);
    return tcase;
}

static TCase *memory_case(void)
{
    TCase *tcase = tcase_create("memory");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, no_memory_is_taken_for_bytes_that_are_not_there, 0, KINDS);
    tcase_add_loop_test(tcase, a_small_frame_cannot_become_a_huge_object, 0, KINDS);
    tcase_add_loop_test(tcase, the_budget_is_for_all_of_a_call_and_for_each_call_anew, 0, KINDS);
    tcase_add_loop_test(tcase, a_set_costs_more_than_a_list, 0, KINDS);
    tcase_add_loop_test(tcase, a_string_is_charged_to_the_budget, 0, KINDS);
    return tcase;
}

Suite *test_suite(void)
{
    Suite *suite = suite_create("protocol_limits");
    suite_add_tcase(suite, depth_case());
    suite_add_tcase(suite, memory_case());
    return suite;
}
