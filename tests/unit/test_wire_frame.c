/* test_wire_frame.c - promises of daemon/wire/frame.h. */
#include "daemon/wire/frame.h"
#include "tests/unit/runner.h"
#include "tests/unit/wire_bytes.h"

#define LIMIT_BYTES 16384000u

static WireVerdict find(GBytes *bytes, gsize max_frame_bytes, gsize *frame_bytes)
{
    gsize length;
    const guint8 *data = g_bytes_get_data(bytes, &length);
    return wire_frame_find(data, length, max_frame_bytes, frame_bytes);
}

START_TEST(a_frame_wants_more_until_its_last_byte)
{
    g_autoptr(GBytes) frame = wire_bytes("00 00 00 05 'hello'");
    gsize frame_bytes;
    for (gsize length = 0; length < g_bytes_get_size(frame); length++) {
        g_autoptr(GBytes) part = wire_bytes_cut(frame, length);
        ck_assert_int_eq(find(part, LIMIT_BYTES, &frame_bytes), WIRE_MORE);
        ck_assert_uint_eq(frame_bytes, length < 4 ? 0 : 5);
    }
    ck_assert_int_eq(find(frame, LIMIT_BYTES, &frame_bytes), WIRE_OK);
    ck_assert_uint_eq(frame_bytes, 5);
}
END_TEST

START_TEST(what_follows_a_frame_is_not_part_of_it)
{
    g_autoptr(GBytes) frames = wire_bytes("00 00 00 02 'hi' 00 00 00 00");
    gsize frame_bytes;
    ck_assert_int_eq(find(frames, LIMIT_BYTES, &frame_bytes), WIRE_OK);
    ck_assert_uint_eq(frame_bytes, 2);
}
END_TEST

START_TEST(the_limit_is_exact_and_the_claimed_length_is_told)
{
    g_autoptr(GBytes) frame = wire_bytes("00 00 00 03 'abc'");
    gsize frame_bytes;
    ck_assert_int_eq(find(frame, 3, &frame_bytes), WIRE_OK);
    ck_assert_int_eq(find(frame, 2, &frame_bytes), WIRE_FRAME_TOO_LARGE);
    ck_assert_uint_eq(frame_bytes, 3);
}
END_TEST

static const struct {
    const gchar *prefix;
    WireVerdict verdict;
} hostile[] = {
    { "00 00 00 00", WIRE_FRAME_EMPTY },
    { "ff ff ff ff", WIRE_FRAME_NEGATIVE },
    { "80 00 00 00", WIRE_FRAME_NEGATIVE },
    { "82 22 00 00", WIRE_FRAME_NEGATIVE },
    { "7f ff ff ff", WIRE_FRAME_TOO_LARGE },
    { "01 00 00 00", WIRE_FRAME_TOO_LARGE }, /* the first bytes of a SASL handshake */
    { "'GET '", WIRE_HTTP },
    { "'POST'", WIRE_HTTP },
    { "'PRI '", WIRE_HTTP },
    { "16 03 01 02", WIRE_TLS },
    { "80 01 00 01", WIRE_UNFRAMED },
    { "82 21 07 03", WIRE_UNFRAMED },
    { "82 81 07 03", WIRE_UNFRAMED },
};

START_TEST(an_absurd_length_is_called_what_it_is)
{
    g_autoptr(GBytes) prefix = wire_bytes(hostile[_i].prefix);
    gsize frame_bytes;
    ck_assert_int_eq(find(prefix, LIMIT_BYTES, &frame_bytes), hostile[_i].verdict);
}
END_TEST

START_TEST(a_length_below_the_limit_is_a_length_whatever_it_looks_like)
{
    g_autoptr(GBytes) prefix = wire_bytes("'GET '");
    gsize frame_bytes;
    ck_assert_int_eq(find(prefix, G_MAXINT32, &frame_bytes), WIRE_MORE);
    ck_assert_uint_eq(frame_bytes, 0x47455420);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("wire_frame");
    TCase *frames = tcase_create("frames");
    tcase_add_test(frames, a_frame_wants_more_until_its_last_byte);
    tcase_add_test(frames, what_follows_a_frame_is_not_part_of_it);
    tcase_add_test(frames, the_limit_is_exact_and_the_claimed_length_is_told);
    tcase_add_loop_test(frames, an_absurd_length_is_called_what_it_is, 0, G_N_ELEMENTS(hostile));
    tcase_add_test(frames, a_length_below_the_limit_is_a_length_whatever_it_looks_like);
    suite_add_tcase(suite, frames);
    return suite;
}
