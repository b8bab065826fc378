/* test_protocol_json.c - Base64 of every length and form, and what is none; what is stepped over.
 */
#include "handlers/host/frame_protocol.h"
#include "tests/unit/runner.h"
#include <string.h>

#define AREA_BYTES 4096u

static guint8 area[AREA_BYTES];

/* A struct with one string of `text`, of which the value is next. */
static ThriftProtocol *at_value(const gchar *text, GByteArray *args)
{
    const guint8 head[] = { T_STRING, 0, 1, 0, 0, 0, (guint8)strlen(text) };
    ThriftProtocol *protocol = frame_protocol_new(RING_JSON);
    ThriftType type;
    gint16 id;
    gchar *name;
    g_byte_array_append(args, head, sizeof head);
    g_byte_array_append(args, (const guint8 *)text, (guint)strlen(text));
    g_byte_array_append(args, (const guint8 *)"", 1);
    frame_protocol_begin(protocol, args->data, args->len, area, AREA_BYTES);
    thrift_protocol_read_struct_begin(protocol, &name, NULL);
    thrift_protocol_read_field_begin(protocol, &name, &type, &id, NULL);
    ck_assert_int_eq(type, T_STRING);
    return protocol;
}

static const struct {
    const gchar *text, *meant;
} forms[] = {
    { "", "" },           { "YQ==", "a" },        { "YQ", "a" },
    { "YWI=", "ab" },     { "YWI", "ab" },        { "YWJj", "abc" },
    { "YWJjZA", "abcd" }, { "YWJjZA==", "abcd" }, { "+/+/", "\xfb\xff\xbf" },
};

START_TEST(base64_is_read_with_and_without_padding)
{
    g_autoptr(GByteArray) args = g_byte_array_new();
    g_autoptr(GObject) protocol = G_OBJECT(at_value(forms[_i].text, args));
    gpointer bytes = NULL;
    guint32 length;
    thrift_protocol_read_binary((ThriftProtocol *)protocol, &bytes, &length, NULL);
    ck_assert_ptr_null(frame_protocol_input_error((ThriftProtocol *)protocol));
    ck_assert_uint_eq(length, strlen(forms[_i].meant));
    ck_assert_str_eq(bytes, forms[_i].meant);
    g_free(bytes);
}
END_TEST

static const gchar *const hostile[] = {
    "A",     "A===", "AAAAA",    "AA=", "====", "A=A",   "AA!A",
    "AAAA=", "AA-_", "AAAA====", "=AA", "AA A", "AA\nA", "AAA\xff"
};

START_TEST(what_is_no_base64_is_refused)
{
    g_autoptr(GByteArray) args = g_byte_array_new();
    g_autoptr(GObject) protocol = G_OBJECT(at_value(hostile[_i], args));
    gpointer bytes = NULL;
    guint32 length;
    thrift_protocol_read_binary((ThriftProtocol *)protocol, &bytes, &length, NULL);
    ck_assert_str_eq(frame_protocol_input_error((ThriftProtocol *)protocol),
                     "binary at byte 3 is no Base64");
    ck_assert_ptr_null(bytes);
    ck_assert_uint_eq(length, 0);
}
END_TEST

START_TEST(texts_are_not_decoded)
{
    g_autoptr(GByteArray) args = g_byte_array_new();
    g_autoptr(GObject) protocol = G_OBJECT(at_value("YQ==?", args));
    g_autofree gchar *text = NULL;
    thrift_protocol_read_string((ThriftProtocol *)protocol, &text, NULL);
    ck_assert_str_eq(text, "YQ==?");
}
END_TEST

START_TEST(texts_that_are_no_base64_are_stepped_over)
{
    g_autoptr(GByteArray) args = g_byte_array_new();
    g_autoptr(GObject) protocol = G_OBJECT(at_value("?", args));
    ck_assert_int_ge(thrift_protocol_skip((ThriftProtocol *)protocol, T_STRING, NULL), 0);
    ck_assert_ptr_null(frame_protocol_input_error((ThriftProtocol *)protocol));
}
END_TEST

START_TEST(binaries_are_written_in_base64_and_texts_as_they_are)
{
    static const guint8 expected[] = "\0\0\0\4YQBi\0\0\0\4YWI=\0\0\0\2ab";
    g_autoptr(GObject) protocol = G_OBJECT(frame_protocol_new(RING_JSON));
    ThriftProtocol *out = (ThriftProtocol *)protocol;
    frame_protocol_begin(out, (const guint8 *)"", 1, area, AREA_BYTES);
    thrift_protocol_write_binary(out, (gpointer) "a\0b", 3, NULL);
    thrift_protocol_write_binary(out, (gpointer) "ab", 2, NULL);
    thrift_protocol_write_string(out, "ab", NULL);
    ck_assert_mem_eq(area, expected, sizeof expected - 1);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("protocol_json");
    TCase *tcase = tcase_create("base64");
    tcase_add_loop_test(tcase, base64_is_read_with_and_without_padding, 0, G_N_ELEMENTS(forms));
    tcase_add_loop_test(tcase, what_is_no_base64_is_refused, 0, G_N_ELEMENTS(hostile));
    tcase_add_test(tcase, texts_are_not_decoded);
    tcase_add_test(tcase, texts_that_are_no_base64_are_stepped_over);
    tcase_add_test(tcase, binaries_are_written_in_base64_and_texts_as_they_are);
    suite_add_tcase(suite, tcase);
    return suite;
}
