/* test_wire_reply.c - promises of daemon/wire/reply.h.
 *
 * The expected bytes are what the stock Python library writes for the same call. */
#include "daemon/wire/frame.h"
#include "daemon/wire/reply.h"
#include "daemon/wire/walk.h"
#include "tests/unit/runner.h"
#include "tests/unit/wire_bytes.h"
#include <string.h>

static WireAddress address_of(WireProtocol protocol, gint32 seqid, const gchar *name)
{
    return (WireAddress){ .transport = WIRE_TRANSPORT_FRAMED,
                          .protocol = protocol,
                          .seqid = seqid,
                          .name = (const guint8 *)name,
                          .name_bytes = strlen(name) };
}

static WireException exception_of(WireExceptionType type, const gchar *text)
{
    return (WireException){ .type = type, .text = text, .text_bytes = strlen(text) };
}

/* Room for exactly the bytes announced, so that a sanitizer sees one too many. */
static GBytes *encode_exception(const WireAddress *to, const WireException *what)
{
    gsize bytes = wire_exception_bytes(to, what);
    guint8 *out = g_malloc(bytes);
    ck_assert_uint_eq(wire_exception_write(out, to, what), bytes);
    return g_bytes_new_take(out, bytes);
}

static GBytes *encode_head(const WireAddress *to, gsize body_bytes)
{
    gsize bytes = wire_reply_head_bytes(to);
    guint8 *out = g_malloc(bytes);
    ck_assert_uint_eq(wire_reply_head_write(out, to, body_bytes), bytes);
    return g_bytes_new_take(out, bytes);
}

static void assert_bytes(GBytes *actual, const gchar *expected_text)
{
    g_autoptr(GBytes) expected = wire_bytes(expected_text);
    ck_assert_uint_eq(g_bytes_get_size(actual), g_bytes_get_size(expected));
    ck_assert(g_bytes_equal(actual, expected));
}

static const struct {
    WireProtocol protocol;
    gint32 seqid;
    WireExceptionType type;
    const gchar *text;
    const gchar *bytes;
} exceptions[] = {
    { WIRE_BINARY, 7, WIRE_EXCEPTION_UNKNOWN_METHOD, "no such method",
      "00 00 00 2c 80 01 00 03 00 00 00 03 'add' 00 00 00 07"
      "0b 00 01 00 00 00 0e 'no such method' 08 00 02 00 00 00 01 00" },
    { WIRE_BINARY, -2, WIRE_EXCEPTION_LOADSHEDDING, "LOADSHED ex=1",
      "00 00 00 2b 80 01 00 03 00 00 00 03 'add' ff ff ff fe"
      "0b 00 01 00 00 00 0d 'LOADSHED ex=1' 08 00 02 00 00 00 0b 00" },
    { WIRE_BINARY, 7, WIRE_EXCEPTION_INTERNAL_ERROR, "",
      "00 00 00 1e 80 01 00 03 00 00 00 03 'add' 00 00 00 07"
      "0b 00 01 00 00 00 00 08 00 02 00 00 00 06 00" },
    { WIRE_COMPACT, 7, WIRE_EXCEPTION_UNKNOWN_METHOD, "no such method",
      "00 00 00 1a 82 61 07 03 'add' 18 0e 'no such method' 15 02 00" },
    { WIRE_COMPACT, -2, WIRE_EXCEPTION_LOADSHEDDING, "LOADSHED ex=1",
      "00 00 00 1d 82 61 fe ff ff ff 0f 03 'add' 18 0d 'LOADSHED ex=1' 15 16 00" },
    { WIRE_COMPACT, 7, WIRE_EXCEPTION_INTERNAL_ERROR, "",
      "00 00 00 0c 82 61 07 03 'add' 18 00 15 0c 00" },
};

START_TEST(an_exception_is_byte_for_byte_what_a_library_writes)
{
    WireAddress to = address_of(exceptions[_i].protocol, exceptions[_i].seqid, "add");
    WireException what = exception_of(exceptions[_i].type, exceptions[_i].text);
    g_autoptr(GBytes) frame = encode_exception(&to, &what);
    assert_bytes(frame, exceptions[_i].bytes);
}
END_TEST

static const struct {
    WireProtocol protocol;
    gint32 seqid;
    const gchar *name;
    gsize body_bytes;
    const gchar *bytes;
} heads[] = {
    { WIRE_BINARY, 7, "add", 0, "00 00 00 0f 80 01 00 02 00 00 00 03 'add' 00 00 00 07" },
    { WIRE_BINARY, -1, "", 500, "00 00 02 00 80 01 00 02 00 00 00 00 ff ff ff ff" },
    { WIRE_COMPACT, 7, "add", 0, "00 00 00 07 82 41 07 03 'add'" },
    { WIRE_COMPACT, 127, "add", 1, "00 00 00 08 82 41 7f 03 'add'" },
    { WIRE_COMPACT, 128, "add", 1, "00 00 00 09 82 41 80 01 03 'add'" },
    { WIRE_COMPACT, G_MININT32, "", 256, "00 00 01 08 82 41 80 80 80 80 08 00" },
};

START_TEST(a_reply_head_is_strict_and_its_frame_includes_the_body)
{
    WireAddress to = address_of(heads[_i].protocol, heads[_i].seqid, heads[_i].name);
    g_autoptr(GBytes) head = encode_head(&to, heads[_i].body_bytes);
    assert_bytes(head, heads[_i].bytes);
}
END_TEST

START_TEST(a_long_name_comes_back_in_full)
{
    const gsize name_bytes = 1024 * 1024 + 1;
    g_autofree gchar *name = g_strnfill(name_bytes, 'n');
    WireAddress to = address_of(_i == 0 ? WIRE_BINARY : WIRE_COMPACT, 7, name);
    WireException what = exception_of(WIRE_EXCEPTION_UNKNOWN_METHOD, "no such method");
    g_autoptr(GBytes) frame = encode_exception(&to, &what);

    gsize length, frame_bytes, end;
    const guint8 *data = g_bytes_get_data(frame, &length);
    ck_assert_int_eq(wire_frame_find(data, length, G_MAXINT32, &frame_bytes), WIRE_OK);
    ck_assert_uint_eq(frame_bytes, length - 4);
    gsize name_offset = _i == 0 ? 12 : 10;
    ck_assert_mem_eq(data + name_offset, name, name_bytes);
    gsize body_offset = name_offset + name_bytes + (_i == 0 ? 4 : 0);
    ck_assert_int_eq(wire_walk_struct(to.protocol, data + body_offset, length - body_offset, &end),
                     WIRE_OK);
    ck_assert_uint_eq(body_offset + end, length);
}
END_TEST

START_TEST(a_text_need_not_be_terminated)
{
    WireAddress to = address_of(WIRE_COMPACT, 7, "add");
    g_autofree gchar *text = g_memdup2("busy", 4);
    WireException what = { .type = WIRE_EXCEPTION_TIMEOUT, .text = text, .text_bytes = 4 };
    g_autoptr(GBytes) frame = encode_exception(&to, &what);
    assert_bytes(frame, "00 00 00 10 82 61 07 03 'add' 18 04 'busy' 15 18 00");
}
END_TEST

START_TEST(a_reply_no_frame_can_carry_is_our_own_mistake)
{
    WireAddress to = address_of(WIRE_BINARY, 7, "add");
    guint8 out[64];
    wire_reply_head_write(out, &to, G_MAXINT32);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("wire_reply");
    TCase *replies = tcase_create("replies");
    tcase_add_loop_test(replies, an_exception_is_byte_for_byte_what_a_library_writes, 0,
                        G_N_ELEMENTS(exceptions));
    tcase_add_loop_test(replies, a_reply_head_is_strict_and_its_frame_includes_the_body, 0,
                        G_N_ELEMENTS(heads));
    tcase_add_loop_test(replies, a_long_name_comes_back_in_full, 0, 2);
    tcase_add_test(replies, a_text_need_not_be_terminated);
    tcase_add_test_raise_signal(replies, a_reply_no_frame_can_carry_is_our_own_mistake, SIGABRT);
    suite_add_tcase(suite, replies);
    return suite;
}
