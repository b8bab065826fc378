/* test_wire_json.c - JSON becomes binary and back, and nothing that is malformed is let in. */
#include "daemon/wire/head.h"
#include "daemon/wire/json.h"
#include "daemon/wire/reply.h"
#include "daemon/wire/walk.h"
#include "tests/unit/runner.h"
#include <string.h>

#define MOST 4096u

static WireVerdict read_text(const gchar *text, GByteArray *binary)
{
    return wire_json_read((const guint8 *)text, strlen(text), MOST, binary);
}

static WireVerdict verdict_of_arguments(const gchar *arguments)
{
    g_autoptr(GByteArray) binary = g_byte_array_new();
    g_autofree gchar *message = g_strdup_printf("[1,\"add\",1,7,%s]", arguments);
    return read_text(message, binary);
}

/* Of a whole message: its arguments, written again. */
static gchar *written_again(const gchar *arguments)
{
    g_autoptr(GByteArray) binary = g_byte_array_new();
    g_autofree gchar *message = g_strdup_printf("[1,\"add\",1,7,%s]", arguments);
    WireHead head;
    const WireVerdict verdict = read_text(message, binary);
    ck_assert_msg(verdict == WIRE_OK, "%s: %s", arguments, wire_verdict_name(verdict));
    ck_assert_int_eq(wire_head_peek(binary->data, binary->len, &head), WIRE_OK);
    const guint8 *body = binary->data + head.body_offset;
    const gsize length = binary->len - head.body_offset;
    ck_assert_int_eq(wire_walk_whole_struct(WIRE_BINARY, body, length), WIRE_OK);
    WireSink count = { .bytes = 0 };
    ck_assert(wire_json_put_struct(&count, body, length));
    gchar *text = g_malloc0(count.bytes + 1);
    WireSink sink = { .out = (guint8 *)text };
    ck_assert(wire_json_put_struct(&sink, body, length));
    ck_assert_uint_eq(sink.bytes, count.bytes);
    return text;
}

static const gchar *const faithful[] = {
    "{}",
    "{\"1\":{\"tf\":1},\"2\":{\"tf\":0}}",
    "{\"1\":{\"i8\":-128},\"2\":{\"i8\":127}}",
    "{\"1\":{\"i16\":-32768},\"-1\":{\"i16\":32767}}",
    "{\"1\":{\"i32\":-2147483648},\"32767\":{\"i32\":2147483647}}",
    "{\"1\":{\"i64\":-9223372036854775808},\"2\":{\"i64\":9223372036854775807}}",
    "{\"1\":{\"dbl\":0.10000000000000001},\"2\":{\"dbl\":-0},\"3\":{\"dbl\":4.9406564584124654e-"
    "324}}",
    "{\"1\":{\"dbl\":\"NaN\"},\"2\":{\"dbl\":\"Infinity\"},\"3\":{\"dbl\":\"-Infinity\"}}",
    "{\"1\":{\"str\":\"\"},\"2\":{\"str\":\"a\\\"b\\\\c\\u0000\\u001f\"}}",
    "{\"1\":{\"str\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"}}",
    "{\"1\":{\"rec\":{\"1\":{\"rec\":{}}}}}",
    "{\"1\":{\"lst\":[\"i32\",0]},\"2\":{\"set\":[\"str\",2,\"a\",\"b\"]}}",
    "{\"1\":{\"lst\":[\"lst\",2,[\"tf\",1,1],[\"rec\",1,{\"1\":{\"i8\":1}}]]}}",
    "{\"1\":{\"map\":[\"i32\",\"str\",0,{}]}}",
    "{\"1\":{\"map\":[\"i64\",\"str\",2,{\"-1\":\"x\",\"2\":\"y\"}]}}",
    "{\"1\":{\"map\":[\"str\",\"map\",1,{\"k\":[\"dbl\",\"tf\",2,{\"1.5\":1,\"NaN\":0}]}]}}",
};

START_TEST(what_is_read_is_written_alike)
{
    g_autofree gchar *text = written_again(faithful[_i]);
    ck_assert_str_eq(text, faithful[_i]);
}
END_TEST

static const struct {
    const gchar *sent, *meant;
} liberties[] = {
    { " { \"1\" :\t{\r\n \"i32\" : \"5\" } } ", "{\"1\":{\"i32\":5}}" },
    { "{\"1\":{\"str\":\"\\u00e9\\/\\b\\f\\n\\r\\t\"}}",
      "{\"1\":{\"str\":\"\xc3\xa9/\\u0008\\u000c\\u000a\\u000d\\u0009\"}}" },
    { "{\"1\":{\"str\":\"\\ud83d\\ude00\"}}", "{\"1\":{\"str\":\"\xf0\x9f\x98\x80\"}}" },
    { "{\"1\":{\"str\":\"\x01\n\"}}", "{\"1\":{\"str\":\"\\u0001\\u000a\"}}" },
    { "{\"1\":{\"dbl\":nan},\"2\":{\"dbl\":-inf},\"3\":{\"dbl\":Infinity}}",
      "{\"1\":{\"dbl\":\"NaN\"},\"2\":{\"dbl\":\"-Infinity\"},\"3\":{\"dbl\":\"Infinity\"}}" },
    { "{\"1\":{\"dbl\":1e3},\"2\":{\"dbl\":\"-2.5\"}}",
      "{\"1\":{\"dbl\":1000},\"2\":{\"dbl\":-2.5}}" },
    { "{\"1\":{\"map\":[\"tf\",\"i8\",1,{\"1\":\"3\"}]}}",
      "{\"1\":{\"map\":[\"tf\",\"i8\",1,{\"1\":3}]}}" },
};

START_TEST(what_stock_clients_write_in_other_ways_is_understood)
{
    g_autofree gchar *text = written_again(liberties[_i].sent);
    ck_assert_str_eq(text, liberties[_i].meant);
}
END_TEST

static const struct {
    const gchar *arguments;
    WireVerdict verdict;
} hostile[] = {
    { "", WIRE_BAD_JSON },
    { "[]", WIRE_BAD_JSON },
    { "{\"1\":{\"i32\":5}", WIRE_BAD_JSON },
    { "{\"1\":{\"i32\":5},}", WIRE_BAD_JSON },
    { "{,\"1\":{\"i32\":5}}", WIRE_BAD_JSON },
    { "{1:{\"i32\":5}}", WIRE_BAD_JSON },
    { "{\"32768\":{\"i32\":5}}", WIRE_BAD_JSON },
    { "{\"1\":{\"i32\":2147483648}}", WIRE_BAD_JSON },
    { "{\"1\":{\"i32\":5.0}}", WIRE_BAD_JSON },
    { "{\"1\":{\"i32\":}}", WIRE_BAD_JSON },
    { "{\"1\":{\"i32\":\"5}}", WIRE_BAD_JSON },
    { "{\"1\":{\"i8\":128}}", WIRE_BAD_JSON },
    { "{\"1\":{\"tf\":2}}", WIRE_BAD_JSON },
    { "{\"1\":{\"tf\":true}}", WIRE_BAD_JSON },
    { "{\"1\":{\"dbl\":1e999}}", WIRE_BAD_JSON },
    { "{\"1\":{\"dbl\":nay}}", WIRE_BAD_JSON },
    { "{\"1\":{\"dbl\":\"Infinit\"}}", WIRE_BAD_JSON },
    { "{\"1\":{\"dbl\":1-}}", WIRE_BAD_JSON },
    { "{\"1\":{\"u32\":5}}", WIRE_BAD_JSON },
    { "{\"1\":{\"longer\":5}}", WIRE_BAD_JSON },
    { "{\"1\":{\"i32\":5,\"i32\":6}}", WIRE_BAD_JSON },
    { "{\"1\":{\"str\":\"\\x\"}}", WIRE_BAD_JSON },
    { "{\"1\":{\"str\":\"\\u12g4\"}}", WIRE_BAD_JSON },
    { "{\"1\":{\"str\":\"\\ud83d\"}}", WIRE_BAD_JSON },
    { "{\"1\":{\"str\":\"\\ud83d\\u0041\"}}", WIRE_BAD_JSON },
    { "{\"1\":{\"str\":\"\\ude00\"}}", WIRE_BAD_JSON },
    { "{\"1\":{\"str\":\"\xff\"}}", WIRE_BAD_JSON },
    { "{\"1\":{\"lst\":[\"i32\",2,1]}}", WIRE_BAD_JSON },
    { "{\"1\":{\"lst\":[\"i32\",1,1,2]}}", WIRE_BAD_JSON },
    { "{\"1\":{\"lst\":[\"i32\",-1]}}", WIRE_BAD_JSON },
    { "{\"1\":{\"lst\":[\"i32\",2147483647]}}", WIRE_BAD_JSON },
    { "{\"1\":{\"map\":[\"i32\",\"i32\",1,{1:1}]}}", WIRE_BAD_JSON },
    { "{\"1\":{\"map\":[\"i32\",\"i32\",2,{\"1\":1}]}}", WIRE_BAD_JSON },
    { "{\"1\":{\"map\":[\"rec\",\"i32\",1,{{}:1}]}}", WIRE_BAD_JSON },
    { "{}{}", WIRE_BAD_JSON },
    { "{}]x[", WIRE_TRAILING },
};

START_TEST(what_is_malformed_is_refused)
{
    const WireVerdict verdict = verdict_of_arguments(hostile[_i].arguments);
    ck_assert_msg(verdict == hostile[_i].verdict ||
                      (hostile[_i].verdict == WIRE_BAD_JSON && verdict == WIRE_TRUNCATED),
                  "%s: %s", hostile[_i].arguments, wire_verdict_name(verdict));
}
END_TEST

START_TEST(every_beginning_of_a_message_is_refused)
{
    for (gsize i = 0; i < G_N_ELEMENTS(faithful); i++) {
        g_autofree gchar *message = g_strdup_printf("[1,\"add\",1,7,%s]", faithful[i]);
        for (gsize n = 1; n < strlen(message); n++) {
            g_autoptr(GByteArray) binary = g_byte_array_new();
            const WireVerdict verdict = wire_json_read((const guint8 *)message, n, MOST, binary);
            ck_assert(verdict == WIRE_TRUNCATED || verdict == WIRE_BAD_JSON);
        }
    }
}
END_TEST

START_TEST(heads_are_read_and_wrong_ones_refused)
{
    g_autoptr(GByteArray) binary = g_byte_array_new();
    WireHead head;
    ck_assert_int_eq(read_text("[1,\"shop:a:b\",4,-3,{}]", binary), WIRE_OK);
    ck_assert_int_eq(wire_head_peek(binary->data, binary->len, &head), WIRE_OK);
    ck_assert_mem_eq(head.name, "a:b", 3);
    ck_assert_mem_eq(head.service, "shop", 4);
    ck_assert_int_eq(head.type, WIRE_ONEWAY);
    ck_assert_int_eq(head.seqid, -3);
    ck_assert_int_eq(read_text("[2,\"add\",1,1,{}]", binary), WIRE_BAD_VERSION);
    ck_assert_int_eq(read_text("[1,add,1,1,{}]", binary), WIRE_BAD_JSON);
    ck_assert_int_eq(read_text("[1,\"add\",256,1,{}]", binary), WIRE_BAD_JSON);
    ck_assert_int_eq(read_text("[1,\"add\",1,2147483648,{}]", binary), WIRE_BAD_JSON);
}
END_TEST

START_TEST(what_gets_larger_than_allowed_is_refused)
{
    g_autoptr(GByteArray) binary = g_byte_array_new();
    g_autoptr(GString) message = g_string_new("[1,\"add\",1,7,{\"1\":{\"lst\":[\"i64\",1000");
    for (guint i = 0; i < 1000; i++)
        g_string_append(message, ",1");
    g_string_append(message, "]}}]");
    ck_assert_int_eq(read_text(message->str, binary), WIRE_FRAME_TOO_LARGE);
    ck_assert_uint_le(binary->len, MOST);
}
END_TEST

START_TEST(nesting_is_bounded)
{
    for (guint depth = WIRE_MAX_DEPTH - 1; depth <= WIRE_MAX_DEPTH; depth++) {
        g_autoptr(GByteArray) binary = g_byte_array_new();
        g_autoptr(GString) message = g_string_new("[1,\"add\",1,7,{");
        for (guint i = 0; i < depth; i++)
            g_string_append(message, "\"1\":{\"rec\":{");
        for (guint i = 0; i < depth; i++)
            g_string_append(message, "}}");
        g_string_append(message, "}]");
        ck_assert_int_eq(read_text(message->str, binary),
                         depth < WIRE_MAX_DEPTH ? WIRE_OK : WIRE_TOO_DEEP);
    }
}
END_TEST

START_TEST(an_end_is_found_however_the_bytes_come)
{
    const gchar *bytes = "[1,\"a]\\\"}\",1,7,{\"1\":{\"str\":\"[{\\\\\"}}][1";
    const gsize whole = strlen(bytes) - 2;
    for (gsize cut = 0; cut <= whole; cut++) {
        WireJsonScan scan = { .at = 0 };
        if (cut < whole)
            ck_assert_int_eq(wire_json_find_end(&scan, (const guint8 *)bytes, cut), WIRE_MORE);
        ck_assert_int_eq(wire_json_find_end(&scan, (const guint8 *)bytes, strlen(bytes)), WIRE_OK);
        ck_assert_uint_eq(scan.at, whole);
    }
}
END_TEST

START_TEST(replies_are_written_as_announced)
{
    static const guint8 body[] = { 8, 0, 0, 0, 0, 0, 5, 0 };
    const WireAddress to = { WIRE_TRANSPORT_FRAMED, WIRE_JSON, -2, (const guint8 *)"add", 3 };
    const gchar reply[] = "[1,\"add\",2,-2,{\"0\":{\"i32\":5}}]";
    guint8 out[256] = { 0 };
    ck_assert_uint_eq(wire_json_reply_bytes(&to, body, sizeof body), 4 + strlen(reply));
    ck_assert_uint_eq(wire_json_reply_write(out, &to, body, sizeof body), 4 + strlen(reply));
    ck_assert_uint_eq(out[3], strlen(reply));
    ck_assert_str_eq((const gchar *)out + 4, reply);
    const WireException what = { WIRE_EXCEPTION_INTERNAL_ERROR, "a\"b", 3 };
    const gchar exception[] = "[1,\"add\",3,-2,{\"1\":{\"str\":\"a\\\"b\"},\"2\":{\"i32\":6}}]";
    ck_assert_uint_eq(wire_exception_bytes(&to, &what), 4 + strlen(exception));
    memset(out, 0, sizeof out);
    wire_exception_write(out, &to, &what);
    ck_assert_str_eq((const gchar *)out + 4, exception);
}
END_TEST

START_TEST(what_json_cannot_say_is_not_said)
{
    static const guint8 not_utf8[] = { 11, 0, 0, 0, 0, 0, 1, 0xff, 0 };
    static const guint8 struct_key[] = { 13, 0, 0, 12, 2, 0, 0, 0, 1, 0, 1, 0 };
    const WireAddress to = { WIRE_TRANSPORT_FRAMED, WIRE_JSON, 1, (const guint8 *)"add", 3 };
    ck_assert_uint_eq(wire_json_reply_bytes(&to, not_utf8, sizeof not_utf8), 0);
    ck_assert_uint_eq(wire_json_reply_bytes(&to, struct_key, sizeof struct_key), 0);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("wire_json");
    TCase *tcase = tcase_create("json");
    tcase_add_loop_test(tcase, what_is_read_is_written_alike, 0, G_N_ELEMENTS(faithful));
    tcase_add_loop_test(tcase, what_stock_clients_write_in_other_ways_is_understood, 0,
                        G_N_ELEMENTS(liberties));
    tcase_add_loop_test(tcase, what_is_malformed_is_refused, 0, G_N_ELEMENTS(hostile));
    tcase_add_test(tcase, every_beginning_of_a_message_is_refused);
    tcase_add_test(tcase, heads_are_read_and_wrong_ones_refused);
    tcase_add_test(tcase, what_gets_larger_than_allowed_is_refused);
    tcase_add_test(tcase, nesting_is_bounded);
    tcase_add_test(tcase, an_end_is_found_however_the_bytes_come);
    tcase_add_test(tcase, replies_are_written_as_announced);
    tcase_add_test(tcase, what_json_cannot_say_is_not_said);
    suite_add_tcase(suite, tcase);
    return suite;
}
