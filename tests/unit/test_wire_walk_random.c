/* test_wire_walk_random.c - promises of daemon/wire/walk.h about all structs.
 *
 * A generator writes random well-formed structs; the walk has to agree with it.  The seed is
 * the number of the case, so a failure names the struct that caused it.                    */
#include "daemon/wire/walk.h"
#include "tests/unit/runner.h"
#include "tests/unit/wire_bytes.h"

#define SEEDS 150

typedef enum { BOOL, BYTE, I16, I32, I64, DOUBLE, STRING, STRUCT, MAP, SET, LIST, KINDS } Kind;

static const guint8 type_numbers[][KINDS] = {
    [WIRE_BINARY] = { 2, 3, 6, 8, 10, 4, 11, 12, 13, 14, 15 },
    [WIRE_COMPACT] = { 1, 3, 4, 5, 6, 7, 8, 12, 11, 10, 9 },
};
static const guint8 fixed_bytes[KINDS] = {
    [BOOL] = 1, [BYTE] = 1, [I16] = 2, [I32] = 4, [I64] = 8, [DOUBLE] = 8
};
static const guint varint_bits[KINDS] = { [I16] = 16, [I32] = 32, [I64] = 64 };

typedef struct {
    WireProtocol protocol;
    GRand *rand;
    GByteArray *out;
} Generator;

static guint below(Generator *gen, guint limit)
{
    return (guint)g_rand_int_range(gen->rand, 0, (gint32)limit);
}

static void put_u8(Generator *gen, guint value)
{
    guint8 byte = (guint8)value;
    g_byte_array_append(gen->out, &byte, 1);
}

static void put_any(Generator *gen, guint count)
{
    for (guint i = 0; i < count; i++)
        put_u8(gen, below(gen, 256));
}

static void put_varint(Generator *gen, guint64 value)
{
    for (; value >= 0x80; value >>= 7)
        put_u8(gen, (guint)(value & 0x7f) | 0x80);
    put_u8(gen, (guint)value);
}

static void put_any_varint(Generator *gen, guint max_bits)
{
    guint64 value = (guint64)g_rand_int(gen->rand) << 32 | g_rand_int(gen->rand);
    put_varint(gen, value >> (64 - max_bits + below(gen, max_bits)));
}

static void put_size(Generator *gen, guint size)
{
    if (gen->protocol == WIRE_COMPACT) {
        put_varint(gen, size);
        return;
    }
    guint32 big_endian = GUINT32_TO_BE(size);
    g_byte_array_append(gen->out, (const guint8 *)&big_endian, 4);
}

static guint type_of(const Generator *gen, Kind kind) { return type_numbers[gen->protocol][kind]; }

/* Leaves become likelier with every level, so that structs stay small. */
static Kind any_kind(Generator *gen, guint depth)
{
    return below(gen, 6) < depth ? below(gen, STRUCT) : below(gen, KINDS);
}

static guint any_count(Generator *gen)
{
    return below(gen, 8) == 0 ? 10 + below(gen, 10) : below(gen, 4);
}

static void put_value(Generator *gen, Kind kind, guint depth);

static void put_list(Generator *gen, guint depth)
{
    Kind element = any_kind(gen, depth);
    guint count = any_count(gen);
    if (gen->protocol == WIRE_BINARY || count >= 15) {
        guint in_head = gen->protocol == WIRE_BINARY ? 0 : 0xf0;
        put_u8(gen, in_head | type_of(gen, element));
        put_size(gen, count);
    } else {
        put_u8(gen, count << 4 | type_of(gen, element));
    }
    for (guint i = 0; i < count; i++)
        put_value(gen, element, depth + 1);
}

static void put_map(Generator *gen, guint depth)
{
    Kind key = any_kind(gen, depth), value = any_kind(gen, depth);
    guint count = any_count(gen);
    if (gen->protocol == WIRE_BINARY) {
        put_u8(gen, type_of(gen, key));
        put_u8(gen, type_of(gen, value));
        put_size(gen, count);
    } else {
        put_size(gen, count);
        if (count > 0)
            put_u8(gen, type_of(gen, key) << 4 | type_of(gen, value));
    }
    for (guint i = 0; i < count; i++) {
        put_value(gen, key, depth + 1);
        put_value(gen, value, depth + 1);
    }
}

static void put_field(Generator *gen, guint depth)
{
    Kind kind = any_kind(gen, depth);
    if (gen->protocol == WIRE_BINARY) {
        put_u8(gen, type_of(gen, kind));
        put_any(gen, 2);
        put_value(gen, kind, depth + 1);
        return;
    }
    guint bool_value = kind == BOOL ? below(gen, 2) : 0; /* TRUE is 1, FALSE is 2 */
    guint delta = below(gen, 16);
    put_u8(gen, delta << 4 | (type_of(gen, kind) + bool_value));
    if (delta == 0)
        put_any_varint(gen, 16);
    if (kind != BOOL)
        put_value(gen, kind, depth + 1);
}

static void put_struct(Generator *gen, guint depth)
{
    guint fields = below(gen, depth == 0 ? 8 : 4);
    for (guint i = 0; i < fields; i++)
        put_field(gen, depth);
    put_u8(gen, 0);
}

static void put_string(Generator *gen)
{
    guint bytes = below(gen, 20) == 0 ? 100 + below(gen, 100) : below(gen, 8);
    put_size(gen, bytes);
    put_any(gen, bytes);
}

static void put_value(Generator *gen, Kind kind, guint depth)
{
    if (kind == STRING)
        put_string(gen);
    else if (kind == STRUCT)
        put_struct(gen, depth);
    else if (kind == MAP)
        put_map(gen, depth);
    else if (kind == SET || kind == LIST)
        put_list(gen, depth);
    else if (gen->protocol == WIRE_COMPACT && varint_bits[kind] > 0)
        put_any_varint(gen, varint_bits[kind]);
    else
        put_any(gen, fixed_bytes[kind]);
}

/* Even cases are binary, odd ones compact. */
static WireProtocol protocol_of(gint test_case)
{
    return test_case % 2 == 0 ? WIRE_BINARY : WIRE_COMPACT;
}

static GBytes *generate(gint test_case)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)test_case);
    g_autoptr(GByteArray) out = g_byte_array_new();
    Generator gen = { .protocol = protocol_of(test_case), .rand = rand, .out = out };
    put_struct(&gen, 0);
    return g_bytes_new(out->data, out->len);
}

START_TEST(a_generated_struct_is_walked_to_its_end)
{
    g_autoptr(GBytes) whole = generate(_i);
    gsize length, end;
    const guint8 *data = g_bytes_get_data(whole, &length);
    ck_assert_int_eq(wire_walk_struct(protocol_of(_i), data, length, &end), WIRE_OK);
    ck_assert_uint_eq(end, length);
}
END_TEST

/* Whatever pieces it comes in, and wherever the bytes have moved meanwhile. */
START_TEST(in_pieces_a_struct_is_walked_as_in_one)
{
    g_autoptr(GBytes) whole = generate(_i);
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)_i);
    const gsize size = g_bytes_get_size(whole);
    WireWalk walk;
    wire_walk_begin(&walk, protocol_of(_i));
    for (gsize length = 0; length < size; length += 1 + g_rand_int(rand) % 3) {
        g_autoptr(GBytes) part = wire_bytes_cut(whole, length);
        ck_assert_int_eq(wire_walk_on(&walk, g_bytes_get_data(part, NULL), length), WIRE_MORE);
        ck_assert_uint_le(walk.at, length);
    }
    ck_assert_int_eq(wire_walk_on(&walk, g_bytes_get_data(whole, NULL), size), WIRE_OK);
    ck_assert_uint_eq(walk.at, size);
}
END_TEST

/* Changed bytes: the walk in pieces ends where, and as, the walk in one does. */
START_TEST(in_pieces_a_broken_struct_gets_the_same_verdict)
{
    g_autoptr(GBytes) whole = generate(_i);
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)_i + 77);
    const gsize size = g_bytes_get_size(whole);
    g_autofree guint8 *data = g_memdup2(g_bytes_get_data(whole, NULL), size);
    for (guint i = 0; i < 3; i++)
        data[g_rand_int(rand) % size] = (guint8)g_rand_int(rand);
    gsize end;
    const WireVerdict expected = wire_walk_struct(protocol_of(_i), data, size, &end);
    WireVerdict verdict = WIRE_MORE;
    WireWalk walk;
    wire_walk_begin(&walk, protocol_of(_i));
    for (gsize length = 0; length <= size && verdict == WIRE_MORE; length++)
        verdict = wire_walk_on(&walk, data, length);
    ck_assert_int_eq(verdict, expected);
    if (expected == WIRE_OK)
        ck_assert_uint_eq(walk.at, end);
}
END_TEST

START_TEST(every_truncation_wants_more)
{
    g_autoptr(GBytes) whole = generate(_i);
    for (gsize length = 0; length < g_bytes_get_size(whole); length++) {
        g_autoptr(GBytes) part = wire_bytes_cut(whole, length);
        gsize end;
        ck_assert_int_eq(
            wire_walk_struct(protocol_of(_i), g_bytes_get_data(part, NULL), length, &end),
            WIRE_MORE);
    }
}
END_TEST

/* Bounds are the sanitizer's to watch: each change has a block of exactly its size. */
START_TEST(one_changed_byte_never_leads_past_the_end)
{
    g_autoptr(GBytes) whole = generate(_i);
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)_i);
    gsize length, end;
    const guint8 *data = g_bytes_get_data(whole, &length);
    for (gsize at = 0; at < length; at++) {
        g_autofree guint8 *changed = g_memdup2(data, length);
        changed[at] = (guint8)g_rand_int_range(rand, 0, 256);
        if (wire_walk_struct(protocol_of(_i), changed, length, &end) == WIRE_OK)
            ck_assert_uint_le(end, length);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("wire_walk_random");
    TCase *structs = tcase_create("structs");
    tcase_add_loop_test(structs, a_generated_struct_is_walked_to_its_end, 0, SEEDS);
    tcase_add_loop_test(structs, every_truncation_wants_more, 0, SEEDS);
    tcase_add_loop_test(structs, one_changed_byte_never_leads_past_the_end, 0, SEEDS);
    tcase_add_loop_test(structs, in_pieces_a_struct_is_walked_as_in_one, 0, SEEDS);
    tcase_add_loop_test(structs, in_pieces_a_broken_struct_gets_the_same_verdict, 0, SEEDS);
    suite_add_tcase(suite, structs);
    return suite;
}
