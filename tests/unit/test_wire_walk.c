/* test_wire_walk.c - promises of daemon/wire/walk.h about chosen bytes.
 *
 * test_wire_walk_random.c keeps those about all structs. */
#include "daemon/wire/walk.h"
#include "tests/unit/runner.h"
#include "tests/unit/wire_bytes.h"

static WireVerdict walk(WireProtocol protocol, GBytes *bytes, gsize *end)
{
    gsize length;
    const guint8 *data = g_bytes_get_data(bytes, &length);
    return wire_walk_struct(protocol, data, length, end);
}

static const struct {
    WireProtocol protocol;
    const gchar *bytes;
} well_formed[] = {
    { WIRE_BINARY, "00" },
    { WIRE_BINARY, "02 0001 01 03 0002 7f 06 0003 0102 08 0004 01020304 00" },
    { WIRE_BINARY, "0a 0001 0102030405060708 04 0002 0102030405060708 00" },
    { WIRE_BINARY, "0b 0001 00000002 'hi' 0b ffff 00000000 00" },
    { WIRE_BINARY, "0c 0001 0c 0001 00 00 00" },
    { WIRE_BINARY, "0f 0001 08 00000002 01020304 01020304 0e 0002 03 00000000 00" },
    { WIRE_BINARY, "0f 0001 0b 00000002 00000001 'a' 00000000 00" },
    { WIRE_BINARY, "0d 0001 08 0b 00000001 01020304 00000001 'a' 00" },
    { WIRE_BINARY, "0d 0001 0b 0c 00000002 00000000 00 00000001 'k' 02 0001 01 00 00" },
    { WIRE_BINARY, "0d 0001 00 ff 00000000 0f 0002 00 00000000 00" }, /* empty: any types */
    { WIRE_COMPACT, "00" },
    { WIRE_COMPACT, "11 12 13 7f 14 ffff03 15 ffffffff0f 16 ffffffffffffffffff01 00" },
    { WIRE_COMPACT, "17 0102030405060708 18 02 'hi' 18 00 00" },
    { WIRE_COMPACT, "01 feff03 05 02 01 00" }, /* ids in full */
    { WIRE_COMPACT, "1c 1c 00 00 00" },
    { WIRE_COMPACT, "19 31 01 02 00 00" }, /* bools take a byte as elements */
    { WIRE_COMPACT, "19 25 8001 01 1a 05 00" },
    { WIRE_COMPACT, "19 f3 0f 0102030405060708090a0b0c0d0e0f 00" },
    { WIRE_COMPACT, "1b 00 1b 01 58 01 01 'a' 1b 02 8c 00 00 01 'k' 11 00 00" },
    { WIRE_COMPACT, "19 00 1a 0f 00" },          /* empty: any type */
    { WIRE_COMPACT, "19 2b 00 01 31 01 02 00" }, /* list of maps, the first one empty */
};

START_TEST(a_struct_ends_at_its_stop_whatever_follows)
{
    g_autoptr(GBytes) bytes = wire_bytes(well_formed[_i].bytes);
    gsize end = 0;
    ck_assert_int_eq(walk(well_formed[_i].protocol, bytes, &end), WIRE_OK);
    ck_assert_uint_eq(end, g_bytes_get_size(bytes));

    g_autofree gchar *text = g_strconcat(well_formed[_i].bytes, "ff", NULL);
    g_autoptr(GBytes) followed = wire_bytes(text);
    ck_assert_int_eq(walk(well_formed[_i].protocol, followed, &end), WIRE_OK);
    ck_assert_uint_eq(end, g_bytes_get_size(bytes));
}
END_TEST

static const struct {
    WireProtocol protocol;
    const gchar *bytes;
    WireVerdict verdict;
} hostile[] = {
    { WIRE_BINARY, "0b 0001 ffffffff", WIRE_BAD_LENGTH },
    { WIRE_BINARY, "0b 0001 7fffffff", WIRE_BAD_LENGTH },
    { WIRE_BINARY, "0b 0001 40000000", WIRE_BAD_LENGTH },
    { WIRE_COMPACT, "18 ffffffff07", WIRE_BAD_LENGTH },
    { WIRE_COMPACT, "18 ffffffff0f", WIRE_BAD_LENGTH },
    { WIRE_COMPACT, "18 ffffffff10", WIRE_BAD_VARINT },
    { WIRE_COMPACT, "18 808080808000", WIRE_BAD_VARINT },
    { WIRE_COMPACT, "14 808080808000", WIRE_BAD_VARINT },
    { WIRE_COMPACT, "15 808080808000", WIRE_BAD_VARINT },
    { WIRE_COMPACT, "16 8080808080808080808000", WIRE_BAD_VARINT },
    { WIRE_COMPACT, "05 808080808000", WIRE_BAD_VARINT },
    { WIRE_BINARY, "0f 0001 0c 7fffffff", WIRE_BAD_COUNT },
    { WIRE_BINARY, "0f 0001 03 7fffffff", WIRE_BAD_COUNT },
    { WIRE_BINARY, "0f 0001 03 ffffffff", WIRE_BAD_COUNT },
    { WIRE_BINARY, "0e 0001 0b 80000000", WIRE_BAD_COUNT },
    { WIRE_BINARY, "0d 0001 03 03 7fffffff", WIRE_BAD_COUNT },
    { WIRE_BINARY, "0d 0001 0b 0c 0d000000", WIRE_BAD_COUNT }, /* 5 bytes each at least */
    { WIRE_COMPACT, "19 fc ffffffff07", WIRE_BAD_COUNT },
    { WIRE_COMPACT, "1a f1 ffffffff07", WIRE_BAD_COUNT },
    { WIRE_COMPACT, "1b ffffffff07 11", WIRE_BAD_COUNT },
    { WIRE_COMPACT, "1b ffffffff0f cc", WIRE_BAD_COUNT },
    { WIRE_COMPACT, "10", WIRE_BAD_FIELD_TYPE }, /* a stop that counts on */
};

START_TEST(a_hostile_struct_gets_its_verdict)
{
    g_autoptr(GBytes) bytes = wire_bytes(hostile[_i].bytes);
    gsize end;
    ck_assert_int_eq(walk(hostile[_i].protocol, bytes, &end), hostile[_i].verdict);
}
END_TEST

/* What one element takes at least, by the number of its type; 0: no such type. */
static const guint min_bytes[][16] = {
    [WIRE_BINARY] = { 0, 0, 1, 1, 8, 0, 2, 0, 4, 0, 8, 4, 1, 6, 5, 5 },
    [WIRE_COMPACT] = { 0, 1, 1, 1, 1, 1, 1, 8, 1, 1, 1, 1, 1, 0, 0, 0 },
};

static WireVerdict walk_list_of(WireProtocol protocol, guint type, guint32 count)
{
    g_autofree gchar *text =
        protocol == WIRE_BINARY
            ? g_strdup_printf("0f 0001 %02x %08x", type, count)
            : g_strdup_printf("19 f%x %02x %02x %02x %02x %02x", type, (count & 0x7f) | 0x80,
                              (count >> 7 & 0x7f) | 0x80, (count >> 14 & 0x7f) | 0x80,
                              (count >> 21 & 0x7f) | 0x80, count >> 28);
    g_autoptr(GBytes) bytes = wire_bytes(text);
    gsize end;
    return walk(protocol, bytes, &end);
}

START_TEST(a_count_is_refused_as_soon_as_no_message_could_hold_it)
{
    WireProtocol protocol = _i < 16 ? WIRE_BINARY : WIRE_COMPACT;
    guint type = (guint)_i % 16;
    if (min_bytes[protocol][type] == 0)
        return;
    guint32 most = WIRE_MAX_MESSAGE_BYTES / min_bytes[protocol][type];
    ck_assert_int_eq(walk_list_of(protocol, type, most), WIRE_MORE);
    ck_assert_int_eq(walk_list_of(protocol, type, most + 1), WIRE_BAD_COUNT);
}
END_TEST

/* printf formats: a byte where a type number stands. */
static const struct {
    WireProtocol protocol;
    const gchar *format;
    guint numbers; /* how many fit there */
} type_places[] = {
    { WIRE_BINARY, "%02x 0001", 256 },
    { WIRE_BINARY, "0f 0001 %02x 00000001", 256 },
    { WIRE_BINARY, "0e 0001 %02x 00000001", 256 },
    { WIRE_BINARY, "0d 0001 %02x 03 00000001", 256 },
    { WIRE_BINARY, "0d 0001 03 %02x 00000001", 256 },
    { WIRE_COMPACT, "1%x", 16 },
    { WIRE_COMPACT, "19 1%x", 16 },
    { WIRE_COMPACT, "1a 2%x", 16 },
    { WIRE_COMPACT, "1b 01 %x3", 16 },
    { WIRE_COMPACT, "1b 01 3%x", 16 },
};

static gboolean is_type(WireProtocol protocol, guint number)
{
    return number < 16 && min_bytes[protocol][number] > 0;
}

START_TEST(a_type_unknown_to_the_protocol_is_refused_wherever_it_stands)
{
    gboolean in_field = _i == 0 || _i == 5; /* where 0 is the stop */
    for (guint number = in_field ? 1 : 0; number < type_places[_i].numbers; number++) {
        g_autofree gchar *text = g_strdup_printf(type_places[_i].format, number);
        g_autoptr(GBytes) bytes = wire_bytes(text);
        gsize end;
        WireVerdict verdict = walk(type_places[_i].protocol, bytes, &end);
        gboolean refused = verdict == WIRE_BAD_FIELD_TYPE;
        ck_assert_msg(refused != is_type(type_places[_i].protocol, number), "%s: %s", text,
                      wire_verdict_name(verdict));
    }
}
END_TEST

/* A struct that holds itself, or lists in lists with a list of nothing as the innermost. */
static const struct {
    WireProtocol protocol;
    const gchar *outermost;
    const gchar *level;
    const gchar *innermost;
    guint levels_around; /* besides those in the middle */
    const gchar *stop;   /* for each level in the middle */
} nestings[] = {
    { WIRE_BINARY, "", "0c 0001", "00", 1, "00" },
    { WIRE_COMPACT, "", "1c", "00", 1, "00" },
    { WIRE_BINARY, "0f 0001", "0f 00000001", "03 00000000 00", 2, "" },
    { WIRE_COMPACT, "19", "19", "03 00", 2, "" },
    { WIRE_BINARY, "0f 0001", "0e 00000001", "0d 00000000 00", 2, "" },
    { WIRE_COMPACT, "1b", "01 3b 07", "00 00", 2, "" },
};

static GBytes *nest(gint kind, guint levels)
{
    g_autoptr(GString) text = g_string_new(nestings[kind].outermost);
    guint middle = levels - nestings[kind].levels_around;
    for (guint i = 0; i < middle; i++)
        g_string_append(text, nestings[kind].level);
    g_string_append(text, nestings[kind].innermost);
    for (guint i = 0; i < middle; i++)
        g_string_append(text, nestings[kind].stop);
    return wire_bytes(text->str);
}

START_TEST(nesting_is_walked_to_the_limit_and_refused_beyond)
{
    WireProtocol protocol = nestings[_i].protocol;
    g_autoptr(GBytes) deepest = nest(_i, WIRE_MAX_DEPTH);
    gsize end;
    ck_assert_int_eq(walk(protocol, deepest, &end), WIRE_OK);
    ck_assert_uint_eq(end, g_bytes_get_size(deepest));

    g_autoptr(GBytes) too_deep = nest(_i, WIRE_MAX_DEPTH + 1);
    ck_assert_int_eq(walk(protocol, too_deep, &end), WIRE_TOO_DEEP);
    g_autoptr(GBytes) absurd = nest(_i, 100 * 1000);
    ck_assert_int_eq(walk(protocol, absurd, &end), WIRE_TOO_DEEP);
}
END_TEST

START_TEST(a_whole_struct_is_neither_cut_short_nor_followed)
{
    const guint8 bytes[] = { 0x18, 0x01, 'a', 0x00, 0x00 };
    ck_assert_int_eq(wire_walk_whole_struct(WIRE_COMPACT, bytes, 4), WIRE_OK);
    ck_assert_int_eq(wire_walk_whole_struct(WIRE_COMPACT, bytes, 5), WIRE_TRAILING);
    ck_assert_int_eq(wire_walk_whole_struct(WIRE_COMPACT, bytes, 3), WIRE_TRUNCATED);
    ck_assert_int_eq(wire_walk_whole_struct(WIRE_COMPACT, NULL, 0), WIRE_TRUNCATED);
    ck_assert_int_eq(wire_walk_whole_struct(WIRE_BINARY, bytes, 5), WIRE_BAD_FIELD_TYPE);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("wire_walk");
    TCase *walks = tcase_create("walks");
    tcase_add_loop_test(walks, a_struct_ends_at_its_stop_whatever_follows, 0,
                        G_N_ELEMENTS(well_formed));
    tcase_add_loop_test(walks, a_hostile_struct_gets_its_verdict, 0, G_N_ELEMENTS(hostile));
    tcase_add_loop_test(walks, a_count_is_refused_as_soon_as_no_message_could_hold_it, 0, 32);
    tcase_add_loop_test(walks, a_type_unknown_to_the_protocol_is_refused_wherever_it_stands, 0,
                        G_N_ELEMENTS(type_places));
    tcase_add_loop_test(walks, nesting_is_walked_to_the_limit_and_refused_beyond, 0,
                        G_N_ELEMENTS(nestings));
    tcase_add_test(walks, a_whole_struct_is_neither_cut_short_nor_followed);
    suite_add_tcase(suite, walks);
    return suite;
}
