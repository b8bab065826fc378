/* test_wire_head.c - promises of daemon/wire/head.h. */
#include "daemon/wire/head.h"
#include "tests/unit/runner.h"
#include "tests/unit/wire_bytes.h"
#include <string.h>

static WireVerdict peek(GBytes *message, WireHead *head)
{
    gsize length;
    const guint8 *data = g_bytes_get_data(message, &length);
    return wire_head_peek(data, length, head);
}

typedef struct {
    const gchar *bytes;
    WireProtocol protocol;
    WireMessageType type;
    gboolean strict;
    gint32 seqid;
    const gchar *name;
    const gchar *service;
} GoodHead;

static const GoodHead good_heads[] = {
    { "80 01 00 01 00 00 00 03 'add' 00 00 00 07", WIRE_BINARY, WIRE_CALL, TRUE, 7, "add", NULL },
    { "80 01 00 04 00 00 00 03 'zip' ff ff ff ff", WIRE_BINARY, WIRE_ONEWAY, TRUE, -1, "zip",
      NULL },
    { "80 01 ee 01 00 00 00 03 'add' 80 00 00 00", WIRE_BINARY, WIRE_CALL, TRUE, G_MININT32, "add",
      NULL },
    { "80 01 00 01 00 00 00 00 00 00 00 00", WIRE_BINARY, WIRE_CALL, TRUE, 0, "", NULL },
    { "80 01 00 01 00 00 00 05 'a:b:c' 00 00 00 07", WIRE_BINARY, WIRE_CALL, TRUE, 7, "b:c", "a" },
    { "80 01 00 01 00 00 00 02 ':x' 00 00 00 07", WIRE_BINARY, WIRE_CALL, TRUE, 7, "x", "" },
    { "80 01 00 01 00 00 00 02 'x:' 00 00 00 07", WIRE_BINARY, WIRE_CALL, TRUE, 7, "", "x" },
    { "00 00 00 03 'add' 01 00 00 00 07", WIRE_BINARY, WIRE_CALL, FALSE, 7, "add", NULL },
    { "00 00 00 03 'zip' 04 ff ff ff ff", WIRE_BINARY, WIRE_ONEWAY, FALSE, -1, "zip", NULL },
    { "00 00 00 00 01 00 00 00 07", WIRE_BINARY, WIRE_CALL, FALSE, 7, "", NULL },
    { "00 00 00 03 's:m' 01 00 00 00 07", WIRE_BINARY, WIRE_CALL, FALSE, 7, "m", "s" },
    { "82 21 07 03 'add'", WIRE_COMPACT, WIRE_CALL, TRUE, 7, "add", NULL },
    { "82 81 ac 02 03 'zip'", WIRE_COMPACT, WIRE_ONEWAY, TRUE, 300, "zip", NULL },
    { "82 21 ff ff ff ff 0f 03 'add'", WIRE_COMPACT, WIRE_CALL, TRUE, -1, "add", NULL },
    { "82 21 80 80 80 80 08 03 'add'", WIRE_COMPACT, WIRE_CALL, TRUE, G_MININT32, "add", NULL },
    { "82 21 00 00", WIRE_COMPACT, WIRE_CALL, TRUE, 0, "", NULL },
    { "82 21 07 83 00 's:m'", WIRE_COMPACT, WIRE_CALL, TRUE, 7, "m", "s" },
};

static void assert_text(const guint8 *bytes, gsize length, const gchar *expected)
{
    if (expected == NULL) {
        ck_assert_ptr_null(bytes);
        return;
    }
    ck_assert_uint_eq(length, strlen(expected));
    ck_assert_mem_eq(bytes, expected, length);
}

static void assert_head(GBytes *message, const GoodHead *expected, gsize body_offset)
{
    WireHead head;
    ck_assert_int_eq(peek(message, &head), WIRE_OK);
    ck_assert_int_eq(head.protocol, expected->protocol);
    ck_assert_int_eq(head.type, expected->type);
    ck_assert_int_eq(head.strict, expected->strict);
    ck_assert_int_eq(head.seqid, expected->seqid);
    assert_text(head.name, head.name_bytes, expected->name);
    assert_text(head.service, head.service_bytes, expected->service);
    ck_assert_uint_eq(head.body_offset, body_offset);
}

START_TEST(a_head_is_told_with_or_without_what_follows_it)
{
    g_autoptr(GBytes) alone = wire_bytes(good_heads[_i].bytes);
    assert_head(alone, &good_heads[_i], g_bytes_get_size(alone));

    g_autofree gchar *text = g_strconcat(good_heads[_i].bytes, " 08 00 01", NULL);
    g_autoptr(GBytes) followed = wire_bytes(text);
    assert_head(followed, &good_heads[_i], g_bytes_get_size(alone));
}
END_TEST

START_TEST(a_head_wants_more_until_its_last_byte)
{
    g_autoptr(GBytes) whole = wire_bytes(good_heads[_i].bytes);
    for (gsize length = 0; length < g_bytes_get_size(whole); length++) {
        g_autoptr(GBytes) part = wire_bytes_cut(whole, length);
        WireHead head;
        ck_assert_int_eq(peek(part, &head), WIRE_MORE);
    }
}
END_TEST

static const struct {
    const gchar *bytes;
    WireVerdict verdict;
} hostile[] = {
    { "0f ff 00 00 00 00 00 07", WIRE_THEADER },
    { "'[1,\"add\",1,7,{}]'", WIRE_NOT_THRIFT },
    { "ff ff ff ff 'add'", WIRE_NOT_THRIFT },
    { "01 00 00 00 'add'", WIRE_NOT_THRIFT },
    { "81 01 00 01", WIRE_NOT_THRIFT },
    { "80 02", WIRE_BAD_VERSION },
    { "80 00 00 01", WIRE_BAD_VERSION },
    { "82 22", WIRE_BAD_VERSION },
    { "82 20", WIRE_BAD_VERSION },
    { "80 01 00 00", WIRE_BAD_TYPE },
    { "80 01 00 02", WIRE_BAD_TYPE },
    { "80 01 00 03", WIRE_BAD_TYPE },
    { "80 01 00 05", WIRE_BAD_TYPE },
    { "82 41", WIRE_BAD_TYPE },
    { "82 61", WIRE_BAD_TYPE },
    { "82 01", WIRE_BAD_TYPE },
    { "00 00 00 03 'add' 02", WIRE_BAD_TYPE },
    { "80 01 00 01 ff ff ff ff", WIRE_BAD_NAME },
    { "80 01 00 01 80 00 00 00", WIRE_BAD_NAME },
    { "82 21 07 ff ff ff ff 0f", WIRE_BAD_NAME },
    { "80 01 00 01 00 00 00 03 'a' 00 'd' 00 00 00 07", WIRE_BAD_NAME },
    { "80 01 00 01 00 00 00 03 'ad' 1f 00 00 00 07", WIRE_BAD_NAME },
    { "00 00 00 03 0a 'dd' 01 00 00 00 07", WIRE_BAD_NAME },
    { "82 21 07 03 's:' 00", WIRE_BAD_NAME },
    { "82 21 07 03 00 ':m'", WIRE_BAD_NAME },
    { "82 21 80 80 80 80 80 00 03 'add'", WIRE_BAD_VARINT },
    { "82 21 ff ff ff ff 10 03 'add'", WIRE_BAD_VARINT },
    { "82 21 07 ff ff ff ff ff 'add'", WIRE_BAD_VARINT },
};

START_TEST(a_hostile_head_gets_its_verdict)
{
    g_autoptr(GBytes) message = wire_bytes(hostile[_i].bytes);
    WireHead head;
    ck_assert_int_eq(peek(message, &head), hostile[_i].verdict);
}
END_TEST

START_TEST(a_name_may_be_as_long_as_the_frame_allows)
{
    const gsize name_bytes = 2 * 1024 * 1024;
    g_autofree guint8 *message = g_malloc(12 + name_bytes);
    memcpy(message, "\x80\x01\x00\x01\x00\x20\x00\x00", 8);
    memset(message + 8, 'n', name_bytes);
    memset(message + 8 + name_bytes, 0, 4);
    WireHead head;
    ck_assert_int_eq(wire_head_peek(message, 12 + name_bytes, &head), WIRE_OK);
    ck_assert_uint_eq(head.name_bytes, name_bytes);
    ck_assert_int_eq(wire_head_peek(message, 11 + name_bytes, &head), WIRE_MORE);
}
END_TEST

START_TEST(a_name_in_any_language_is_a_name)
{
    g_autoptr(GBytes) message = wire_bytes("82 21 07 03 c3 bc 7f");
    WireHead head;
    ck_assert_int_eq(peek(message, &head), WIRE_OK);
    assert_text(head.name, head.name_bytes, "\xc3\xbc\x7f");
}
END_TEST

/* Bounds are the sanitizer's to watch; that all of the answer lies in the message is ours. */
START_TEST(one_changed_byte_never_leads_out_of_the_message)
{
    g_autoptr(GBytes) original = wire_bytes(good_heads[_i].bytes);
    gsize length;
    const guint8 *data = g_bytes_get_data(original, &length);
    for (guint change = 0; change < length * 256; change++) {
        g_autofree guint8 *message = g_memdup2(data, length);
        message[change / 256] = (guint8)change;
        WireHead head;
        if (wire_head_peek(message, length, &head) != WIRE_OK)
            continue;
        ck_assert_uint_le(head.body_offset, length);
        ck_assert(head.name >= message && head.name + head.name_bytes <= message + length);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("wire_head");
    TCase *heads = tcase_create("heads");
    tcase_add_loop_test(heads, a_head_is_told_with_or_without_what_follows_it, 0,
                        G_N_ELEMENTS(good_heads));
    tcase_add_loop_test(heads, a_head_wants_more_until_its_last_byte, 0, G_N_ELEMENTS(good_heads));
    tcase_add_loop_test(heads, a_hostile_head_gets_its_verdict, 0, G_N_ELEMENTS(hostile));
    tcase_add_test(heads, a_name_may_be_as_long_as_the_frame_allows);
    tcase_add_test(heads, a_name_in_any_language_is_a_name);
    tcase_add_loop_test(heads, one_changed_byte_never_leads_out_of_the_message, 0,
                        G_N_ELEMENTS(good_heads));
    suite_add_tcase(suite, heads);
    return suite;
}
