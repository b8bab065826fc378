/* test_wire_message.c - where messages end, framed or not. */
#include "daemon/wire/message.h"
#include "tests/unit/runner.h"
#include "tests/unit/wire_bytes.h"
#include <string.h>

#define LIMIT_BYTES ((gsize)1000)

static const struct {
    const gchar *hex;
    WireVerdict verdict;
    WireTransport transport;
    gsize offset, bytes;
} cases[] = {
    { "80 01 00 01 00 00 00 01 61 00 00 00 07 00", WIRE_OK, WIRE_TRANSPORT_UNFRAMED, 0, 14 },
    { "80 01 00 01 00 00 00 01 61 00 00 00 07 00 80", WIRE_OK, WIRE_TRANSPORT_UNFRAMED, 0, 14 },
    { "80 01 00 01 00 00 00 01 61 00 00 00 07", WIRE_MORE, WIRE_TRANSPORT_UNFRAMED, 0, 0 },
    { "80 01 00 01 00", WIRE_MORE, WIRE_TRANSPORT_UNFRAMED, 0, 0 },
    { "80 01", WIRE_MORE, WIRE_TRANSPORT_UNKNOWN, 4, 0 },
    { "82 21 07 01 61 15 02 00", WIRE_OK, WIRE_TRANSPORT_UNFRAMED, 0, 8 },
    { "82 21 07 01 61 15 02", WIRE_MORE, WIRE_TRANSPORT_UNFRAMED, 0, 0 },
    { "80 01 00 02 00 00 00 01 61 00 00 00 07 00", WIRE_BAD_TYPE, WIRE_TRANSPORT_UNFRAMED, 0, 0 },
    { "80 01 00 01 00 00 00 01 61 00 00 00 07 05 00 01", WIRE_BAD_FIELD_TYPE,
      WIRE_TRANSPORT_UNFRAMED, 0, 0 },
    { "00 00 00 02 82 21", WIRE_OK, WIRE_TRANSPORT_FRAMED, 4, 2 },
    { "00 00 00 09 82", WIRE_MORE, WIRE_TRANSPORT_FRAMED, 4, 9 },
    { "00 00 00 00", WIRE_FRAME_EMPTY, WIRE_TRANSPORT_UNKNOWN, 4, 0 },
    { "00 00 10 00", WIRE_FRAME_TOO_LARGE, WIRE_TRANSPORT_UNKNOWN, 4, 4096 },
    { "47 45 54 20", WIRE_HTTP, WIRE_TRANSPORT_UNKNOWN, 4, 0x47455420 },
    { "", WIRE_MORE, WIRE_TRANSPORT_UNKNOWN, 4, 0 },
};

START_TEST(the_first_bytes_say_what_carries_a_message_and_where_it_ends)
{
    g_autoptr(GBytes) bytes = wire_bytes(cases[_i].hex);
    gsize length;
    const guint8 *data = g_bytes_get_data(bytes, &length);
    WireScan scan;
    WireExtent extent;
    wire_scan_begin(&scan, WIRE_TRANSPORT_UNKNOWN);
    ck_assert_int_eq(wire_message_find(&scan, data, length, LIMIT_BYTES, &extent),
                     cases[_i].verdict);
    ck_assert_int_eq(scan.transport, cases[_i].transport);
    ck_assert_uint_eq(extent.offset, cases[_i].offset);
    ck_assert_uint_eq(extent.bytes, cases[_i].bytes);
}
END_TEST

START_TEST(without_frames_none_is_taken_for_an_old_head)
{
    const guint8 framed[] = "\0\0\0\x0e\x80\1\0\1";
    WireScan scan;
    WireExtent extent;
    wire_scan_begin(&scan, WIRE_TRANSPORT_UNFRAMED);
    ck_assert_int_eq(wire_message_find(&scan, framed, 8, LIMIT_BYTES, &extent), WIRE_NOT_THRIFT);
}
END_TEST

/* A call with one string of so many bytes. */
static GByteArray *call_of(gsize text_bytes)
{
    GByteArray *call = g_byte_array_new();
    const guint32 size = GUINT32_TO_BE((guint32)text_bytes);
    g_autofree guint8 *text = g_malloc0(text_bytes + 1);
    g_byte_array_append(call, (const guint8 *)"\x80\1\0\1\0\0\0\1a\0\0\0\7\x0b\0\1", 16);
    g_byte_array_append(call, (const guint8 *)&size, 4);
    g_byte_array_append(call, text, (guint)text_bytes + 1); /* and the stop */
    return call;
}

START_TEST(a_message_may_be_as_large_as_the_limit_and_no_larger)
{
    for (gsize text = LIMIT_BYTES - 25; text < LIMIT_BYTES; text++) {
        g_autoptr(GByteArray) call = call_of(text);
        WireScan scan;
        WireExtent extent;
        WireVerdict verdict = WIRE_MORE;
        wire_scan_begin(&scan, WIRE_TRANSPORT_UNKNOWN);
        for (gsize length = 0; length <= call->len && verdict == WIRE_MORE; length++) {
            verdict = wire_message_find(&scan, call->data, length, LIMIT_BYTES, &extent);
            if (verdict == WIRE_MORE) /* no more is kept than the limit */
                ck_assert_uint_le(length, LIMIT_BYTES);
        }
        ck_assert_int_eq(verdict, call->len <= LIMIT_BYTES ? WIRE_OK : WIRE_FRAME_TOO_LARGE);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("wire_message");
    TCase *tcase = tcase_create("messages");
    tcase_add_loop_test(tcase, the_first_bytes_say_what_carries_a_message_and_where_it_ends, 0,
                        G_N_ELEMENTS(cases));
    tcase_add_test(tcase, without_frames_none_is_taken_for_an_old_head);
    tcase_add_test(tcase, a_message_may_be_as_large_as_the_limit_and_no_larger);
    suite_add_tcase(suite, tcase);
    return suite;
}
