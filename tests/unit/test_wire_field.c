/* test_wire_field.c - one field of a struct, alike whatever protocol it came in. */
#include "daemon/wire/field.h"
#include "tests/unit/runner.h"
#include "tests/unit/wire_bytes.h"

typedef struct {
    gint16 path[4];
    guint depth;
} Path;

static WireFieldResult find(WireProtocol protocol, GBytes *bytes, const Path *path,
                            WireField *field)
{
    gsize length;
    const guint8 *data = g_bytes_get_data(bytes, &length);
    return wire_find_field(protocol, data, length, path->path, path->depth, field);
}

/* Each value in both encodings, as field 3 behind a bool, a text and a list of two maps. */
#define BEFORE_BINARY                                                                           \
    "02 0001 01 0b 0002 00000002 'xy' 0f 0005 0d 00000002 08 0b 00000001 00000007 00000001 'z'" \
    "08 0b 00000000 "
#define BEFORE_COMPACT "11 18 02 'xy' 39 2b 01 58 0e 01 'z' 00 "

static const struct {
    const gchar *binary, *compact; /* the field with its head; compact: id 3 written in full */
    const gchar *value;
} values[] = {
    { "02 0003 01", "01 06", "00 00 00 00 00 00 00 01" },
    { "02 0003 00", "02 06", "00 00 00 00 00 00 00 00" },
    { "03 0003 80", "03 06 80", "ff ff ff ff ff ff ff 80" },
    { "03 0003 7f", "03 06 7f", "00 00 00 00 00 00 00 7f" },
    { "06 0003 8000", "04 06 ff ff 03", "ff ff ff ff ff ff 80 00" },
    { "08 0003 fffffffe", "05 06 03", "ff ff ff ff ff ff ff fe" },
    { "08 0003 7fffffff", "05 06 fe ff ff ff 0f", "00 00 00 00 7f ff ff ff" },
    { "0a 0003 8000000000000000", "06 06 ff ff ff ff ff ff ff ff ff 01",
      "80 00 00 00 00 00 00 00" },
    { "0a 0003 0000000000000005", "06 06 0a", "00 00 00 00 00 00 00 05" },
    { "04 0003 3ff0000000000001", "07 06 01 00 00 00 00 00 f0 3f", "3f f0 00 00 00 00 00 01" },
    { "0b 0003 00000003 'key'", "08 06 03 'key'", "'key'" },
    { "0b 0003 00000000", "08 06 00", "" },
};

static void assert_found(WireProtocol protocol, const gchar *text, const Path *path,
                         const gchar *value)
{
    g_autoptr(GBytes) bytes = wire_bytes(text);
    g_autoptr(GBytes) expected = wire_bytes(value);
    WireField field;
    ck_assert_int_eq(find(protocol, bytes, path, &field), WIRE_FIELD_FOUND);
    ck_assert_uint_eq(field.n_bytes, g_bytes_get_size(expected));
    if (field.n_bytes > 0)
        ck_assert_mem_eq(field.bytes, g_bytes_get_data(expected, NULL), field.n_bytes);
}

START_TEST(a_value_is_alike_in_both_protocols)
{
    static const Path path = { { 3 }, 1 };
    g_autofree gchar *binary = g_strconcat(BEFORE_BINARY, values[_i].binary, " 00", NULL);
    g_autofree gchar *compact = g_strconcat(BEFORE_COMPACT, values[_i].compact, " 00", NULL);
    assert_found(WIRE_BINARY, binary, &path, values[_i].value);
    assert_found(WIRE_COMPACT, compact, &path, values[_i].value);
}
END_TEST

START_TEST(a_path_leads_into_structs_and_numbers_begin_anew_there)
{
    static const Path path = { { 2, 1, -7 }, 3 };
    assert_found(WIRE_BINARY,
                 "0c 0001 00 0c 0002 0c 0001 0b 0001 00000001 'a' 0b fff9 00000001 'b'", &path,
                 "'b'");
    assert_found(WIRE_COMPACT, "1c 00 1c 1c 18 01 'a' 08 0d 01 'b'", &path, "'b'");
}
END_TEST

START_TEST(of_two_fields_of_one_number_the_first_counts)
{
    static const Path path = { { 1 }, 1 };
    assert_found(WIRE_BINARY, "0b 0001 00000001 'a' 0b 0001 00000001 'b' 00", &path, "'a'");
    assert_found(WIRE_COMPACT, "18 01 'a' 08 02 01 'b' 00", &path, "'a'");
}
END_TEST

static const struct {
    WireProtocol protocol;
    const gchar *text;
    Path path;
    WireFieldResult result;
} others[] = {
    { WIRE_BINARY, "00", { { 1 }, 1 }, WIRE_FIELD_ABSENT },
    { WIRE_COMPACT, "00", { { 1 }, 1 }, WIRE_FIELD_ABSENT },
    { WIRE_BINARY, "0b 0002 00000001 'a' 00", { { 1 }, 1 }, WIRE_FIELD_ABSENT },
    { WIRE_COMPACT, "28 01 'a' 00", { { 1 }, 1 }, WIRE_FIELD_ABSENT },
    { WIRE_BINARY, "0c 0001 00 00", { { 1, 1 }, 2 }, WIRE_FIELD_ABSENT },
    { WIRE_COMPACT, "1c 00 00", { { 1, 1 }, 2 }, WIRE_FIELD_ABSENT },
    { WIRE_BINARY, "0c 0001 00 00", { { 1 }, 1 }, WIRE_FIELD_NO_SCALAR },
    { WIRE_COMPACT, "1c 00 00", { { 1 }, 1 }, WIRE_FIELD_NO_SCALAR },
    { WIRE_BINARY, "0f 0001 03 00000000 00", { { 1 }, 1 }, WIRE_FIELD_NO_SCALAR },
    { WIRE_COMPACT, "19 03 00", { { 1 }, 1 }, WIRE_FIELD_NO_SCALAR },
    { WIRE_BINARY, "0b 0001 00000001 'a' 00", { { 1, 1 }, 2 }, WIRE_FIELD_NO_SCALAR },
    { WIRE_COMPACT, "18 01 'a' 00", { { 1, 1 }, 2 }, WIRE_FIELD_NO_SCALAR },
    { WIRE_BINARY, "", { { 1 }, 1 }, WIRE_FIELD_MALFORMED },
    { WIRE_BINARY, "07 0002 00", { { 1 }, 1 }, WIRE_FIELD_MALFORMED },
    { WIRE_BINARY, "0b 0002 ffffffff 'a' 00", { { 1 }, 1 }, WIRE_FIELD_MALFORMED },
    { WIRE_BINARY, "0b 0001 7fffffff 'a' 00", { { 1 }, 1 }, WIRE_FIELD_MALFORMED },
    { WIRE_BINARY, "0b 0001 ffffffff 'a' 00", { { 1 }, 1 }, WIRE_FIELD_MALFORMED },
    { WIRE_COMPACT, "1d 00", { { 2 }, 1 }, WIRE_FIELD_MALFORMED },
    { WIRE_COMPACT, "15 ff ff ff ff ff ff ff ff ff ff ff 00", { { 1 }, 1 }, WIRE_FIELD_MALFORMED },
    { WIRE_COMPACT, "18 ff ff ff ff 7f 'a' 00", { { 1 }, 1 }, WIRE_FIELD_MALFORMED },
};

START_TEST(what_is_no_key_is_told_apart)
{
    g_autoptr(GBytes) bytes = wire_bytes(others[_i].text);
    WireField field;
    ck_assert_int_eq(find(others[_i].protocol, bytes, &others[_i].path, &field), others[_i].result);
}
END_TEST

/* Cut anywhere it is malformed, and nothing is read behind the cut (a sanitizer would see it). */
START_TEST(a_cut_is_malformed_wherever_it_is)
{
    static const Path path = { { 9 }, 1 };
    static const gchar *const texts[] = {
        [WIRE_BINARY] = BEFORE_BINARY "0c 0006 0a 0001 0000000000000001 00 0b 0009 00000002 'ke'",
        [WIRE_COMPACT] = BEFORE_COMPACT "1c 16 02 00 38 02 'ke'",
    };
    g_autoptr(GBytes) whole = wire_bytes(texts[_i]);
    WireField field;
    ck_assert_int_eq(find((WireProtocol)_i, whole, &path, &field), WIRE_FIELD_FOUND);
    for (gsize length = 0; length < g_bytes_get_size(whole); length++) {
        g_autoptr(GBytes) cut = wire_bytes_cut(whole, length);
        ck_assert_int_eq(find((WireProtocol)_i, cut, &path, &field), WIRE_FIELD_MALFORMED);
    }
}
END_TEST

START_TEST(structs_nested_beyond_the_limit_are_malformed)
{
    static const Path path = { { 2 }, 1 };
    g_autoptr(GByteArray) deep = g_byte_array_new();
    WireField field;
    for (guint i = 0; i < 100000; i++)
        g_byte_array_append(deep, (const guint8 *)(_i == WIRE_BINARY ? "\x0c\0\1" : "\x1c\x1c\x1c"),
                            3);
    ck_assert_int_eq(wire_find_field((WireProtocol)_i, deep->data, deep->len, path.path, 1, &field),
                     WIRE_FIELD_MALFORMED);
}
END_TEST

START_TEST(random_bytes_are_read_within_their_bounds)
{
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i);
    for (guint round = 0; round < 20000; round++) {
        guint8 data[40];
        const gsize length = (gsize)g_rand_int_range(random, 0, sizeof data);
        const Path path = { { 1, 1 }, 1 + round % 2 };
        for (gsize i = 0; i < length; i++)
            data[i] =
                (guint8)(g_rand_int_range(random, 0, 3) == 0 ? g_rand_int_range(random, 0, 256)
                                                             : g_rand_int_range(random, 0, 16));
        g_autoptr(GBytes) bytes = g_bytes_new(data, length);
        WireField field;
        const guint8 *begin = g_bytes_get_data(bytes, NULL);
        if (find((WireProtocol)(round / 2 % 2), bytes, &path, &field) == WIRE_FIELD_FOUND &&
            field.bytes != field.number && field.n_bytes > 0)
            ck_assert(field.bytes >= begin && field.bytes + field.n_bytes <= begin + length);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("wire field");
    TCase *tcase = tcase_create("field");
    tcase_add_loop_test(tcase, a_value_is_alike_in_both_protocols, 0, G_N_ELEMENTS(values));
    tcase_add_test(tcase, a_path_leads_into_structs_and_numbers_begin_anew_there);
    tcase_add_test(tcase, of_two_fields_of_one_number_the_first_counts);
    tcase_add_loop_test(tcase, what_is_no_key_is_told_apart, 0, G_N_ELEMENTS(others));
    tcase_add_loop_test(tcase, a_cut_is_malformed_wherever_it_is, WIRE_BINARY, WIRE_COMPACT + 1);
    tcase_add_loop_test(tcase, structs_nested_beyond_the_limit_are_malformed, WIRE_BINARY,
                        WIRE_COMPACT + 1);
    tcase_add_loop_test(tcase, random_bytes_are_read_within_their_bounds, 0, 4);
    suite_add_tcase(suite, tcase);
    return suite;
}
