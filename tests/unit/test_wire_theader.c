/* test_wire_theader.c - what is written is read back, and nothing is read that is not there. */
#include "daemon/base/deflate.h"
#include "daemon/wire/theader.h"
#include "tests/unit/runner.h"
#include <string.h>

static const WireTHeaderPair pairs[] = {
    { "name", "value", 4, 5 },
    { "empty", "", 5, 0 },
    { "k", "\xff\x01", 1, 2 },
};

/* Without the frame's length. */
static guint8 *write_frame(const WireTHeaderReply *reply, gsize message_bytes, gsize *bytes)
{
    const gsize room = wire_theader_bytes(reply);
    guint8 *frame = g_malloc0(room + message_bytes);
    ck_assert_uint_eq(wire_theader_write(frame, reply, message_bytes), room);
    *bytes = room + message_bytes - WIRE_FRAME_PREFIX_BYTES;
    memmove(frame, frame + WIRE_FRAME_PREFIX_BYTES, *bytes);
    return frame;
}

START_TEST(what_is_written_is_read_back)
{
    for (guint n = 0; n <= G_N_ELEMENTS(pairs); n++) {
        const WireTHeaderReply reply = {
            3, 0x80000001u, _i % 2 == 0 ? WIRE_BINARY : WIRE_COMPACT, _i / 2 == 1, pairs, n
        };
        gsize bytes;
        g_autofree guint8 *frame = write_frame(&reply, 5, &bytes);
        WireTHeader header;
        ck_assert(wire_is_theader(frame, bytes));
        ck_assert_int_eq(wire_theader_read(frame, bytes, &header), WIRE_OK);
        ck_assert_uint_eq(header.flags, 3);
        ck_assert_uint_eq(header.seqid, 0x80000001u);
        ck_assert_uint_eq(header.protocol, _i % 2 == 0 ? 0 : 2);
        ck_assert_int_eq(header.is_zlib, _i / 2 == 1);
        ck_assert_uint_eq(header.message_offset, bytes - 5);
        WireTHeaderPairs left = wire_theader_pairs(&header);
        WireTHeaderPair pair;
        for (guint i = 0; i < n; i++) {
            ck_assert(wire_theader_next(&left, &pair));
            ck_assert_uint_eq(pair.key_bytes, pairs[i].key_bytes);
            ck_assert_mem_eq(pair.key, pairs[i].key, pair.key_bytes);
            ck_assert_uint_eq(pair.value_bytes, pairs[i].value_bytes);
            if (pair.value_bytes > 0)
                ck_assert_mem_eq(pair.value, pairs[i].value, pair.value_bytes);
        }
        ck_assert(!wire_theader_next(&left, &pair));
        ck_assert_int_eq(left.cursor.verdict, WIRE_OK);
    }
}
END_TEST

/* In exactly as much memory, for the sanitizers to watch. */
START_TEST(no_truncation_and_no_changed_byte_is_read_beyond)
{
    const WireTHeaderReply reply = { 0, 1, WIRE_BINARY, TRUE, pairs, G_N_ELEMENTS(pairs) };
    gsize bytes;
    g_autofree guint8 *frame = write_frame(&reply, 5, &bytes);
    for (gsize at = 0; at < bytes; at++) {
        for (guint change = 0; change < 256; change += 5) {
            g_autofree guint8 *copy = g_memdup2(frame, at + 1);
            copy[at] = (guint8)(copy[at] + change);
            WireTHeader header;
            if (wire_theader_read(copy, at + 1, &header) != WIRE_OK)
                continue;
            WireTHeaderPairs left = wire_theader_pairs(&header);
            WireTHeaderPair pair;
            while (wire_theader_next(&left, &pair)) {
                ck_assert((const guint8 *)pair.key >= copy);
                ck_assert((const guint8 *)pair.value + pair.value_bytes <= copy + at + 1);
            }
        }
    }
}
END_TEST

START_TEST(what_is_deflated_inflates_to_the_same_up_to_the_limit)
{
    for (gsize size = 0; size < 100000; size = size * 3 + 1) {
        g_autofree guint8 *data = g_malloc0(size + 1);
        gsize deflated, inflated;
        gboolean too_large;
        for (gsize i = 0; i < size; i++)
            data[i] = (guint8)(i * i);
        g_autofree guint8 *small = deflate_do(data, size, 7, &deflated);
        g_autofree guint8 *same =
            deflate_undo(small + 7, deflated, MAX(size, 1), &inflated, &too_large);
        ck_assert_ptr_nonnull(same);
        ck_assert_uint_eq(inflated, size);
        if (size > 0)
            ck_assert_mem_eq(same, data, size);
        if (size > 1) {
            ck_assert_ptr_null(deflate_undo(small + 7, deflated, size - 1, &inflated, &too_large));
            ck_assert(too_large);
        }
        ck_assert_ptr_null(deflate_undo(small + 7, deflated - 1, size + 1, &inflated, &too_large));
        ck_assert(!too_large);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("wire_theader");
    TCase *tcase = tcase_create("theader");
    tcase_add_loop_test(tcase, what_is_written_is_read_back, 0, 4);
    tcase_add_test(tcase, no_truncation_and_no_changed_byte_is_read_beyond);
    tcase_add_test(tcase, what_is_deflated_inflates_to_the_same_up_to_the_limit);
    suite_add_tcase(suite, tcase);
    return suite;
}
