/* test_refusal.c - promises of daemon/front/refusal.h. */
#include "daemon/front/refusal.h"
#include "daemon/wire/protocol.h"
#include "tests/unit/runner.h"
#include "tests/unit/wire_bytes.h"
#include <signal.h>

#define LIMIT_BYTES 1048576

/* --- counters ---------------------------------------------------------------------------- */

START_TEST(a_complaint_about_a_frame_or_a_head_is_counted_under_its_own_name)
{
    const CounterInfo *info = &daemon_counter_info[refusal_counter((WireVerdict)_i)];
    g_autofree gchar *label = g_strdup_printf("reason=\"%s\"", wire_verdict_name((WireVerdict)_i));
    ck_assert_str_eq(info->metric, "sluice_protocol_errors_total");
    ck_assert_str_eq(info->label, label);
    ck_assert_int_eq(info->kind, COUNTER_TOTAL);
}
END_TEST

START_TEST(counting_what_is_no_complaint_stops_the_process) { refusal_counter((WireVerdict)_i); }
END_TEST

/* --- replies ----------------------------------------------------------------------------- */

static GBytes *refusal(GBytes *frame)
{
    gsize length, reply_bytes;
    const guint8 *data = g_bytes_get_data(frame, &length);
    guint8 *reply =
        refusal_of_large_message(WIRE_TRANSPORT_UNKNOWN, data, length, LIMIT_BYTES, &reply_bytes);
    return reply != NULL ? g_bytes_new_take(reply, reply_bytes) : NULL;
}

#define TEXT "'frame_too_large: the limit is max-frame-bytes = 1048576'" /* 0x37 bytes */

/* The frames are over the limit, so only their beginnings are there. */
static const struct {
    const gchar *frame;
    const gchar *reply;
} answered[] = {
    { "00 20 00 00 80 01 00 01 00 00 00 03 'add' 00 00 00 07",
      "00 00 00 55 80 01 00 03 00 00 00 03 'add' 00 00 00 07"
      "0b 00 01 00 00 00 37" TEXT "08 00 02 00 00 00 07 00" },
    { "7f ff ff ff 00 00 00 03 'add' 01 ff ff ff ff", /* an old head */
      "00 00 00 55 80 01 00 03 00 00 00 03 'add' ff ff ff ff"
      "0b 00 01 00 00 00 37" TEXT "08 00 02 00 00 00 07 00" },
    { "00 20 00 00 80 01 00 01 00 00 00 08 'calc:add' 00 00 00 07", /* multiplexed */
      "00 00 00 55 80 01 00 03 00 00 00 03 'add' 00 00 00 07"
      "0b 00 01 00 00 00 37" TEXT "08 00 02 00 00 00 07 00" },
    { "00 20 00 00 82 21 ac 02 03 'add'",
      "00 00 00 44 82 61 ac 02 03 'add' 18 37" TEXT "15 0e 00" },
};

static void assert_reply(GBytes *frame, const gchar *expected_text)
{
    g_autoptr(GBytes) expected = wire_bytes(expected_text);
    g_autoptr(GBytes) reply = refusal(frame);
    ck_assert_ptr_nonnull(reply);
    ck_assert(g_bytes_equal(reply, expected));
}

START_TEST(a_call_that_is_too_large_is_answered_as_soon_as_its_head_is_there)
{
    g_autoptr(GBytes) head = wire_bytes(answered[_i].frame);
    for (gsize length = 0; length < g_bytes_get_size(head); length++) {
        g_autoptr(GBytes) part = wire_bytes_cut(head, length);
        ck_assert_ptr_null(refusal(part));
    }
    assert_reply(head, answered[_i].reply);
    g_autofree gchar *longer = g_strconcat(answered[_i].frame, " 0b 00 01 'body'", NULL);
    g_autoptr(GBytes) with_arguments = wire_bytes(longer);
    assert_reply(with_arguments, answered[_i].reply);
}
END_TEST

static const gchar *const unanswered[] = {
    "00 20 00 00 80 01 00 04 00 00 00 03 'add' 00 00 00 07", /* oneway: nobody waits */
    "00 20 00 00 82 81 07 03 'add'",
    "00 20 00 00 80 01 00 02 00 00 00 03 'add' 00 00 00 07", /* a reply */
    "00 20 00 00 80 01 00 01 ff ff ff ff 'add' 00 00 00 07",
    "00 20 00 00 'no Thrift at all'",
};

START_TEST(what_expects_no_reply_gets_none)
{
    g_autoptr(GBytes) frame = wire_bytes(unanswered[_i]);
    ck_assert_ptr_null(refusal(frame));
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("refusal");
    TCase *counters = tcase_create("counters");
    tcase_add_loop_test(counters, a_complaint_about_a_frame_or_a_head_is_counted_under_its_own_name,
                        WIRE_FRAME_EMPTY, WIRE_BAD_NAME + 1);
    tcase_add_loop_test(counters, a_complaint_about_a_frame_or_a_head_is_counted_under_its_own_name,
                        WIRE_BAD_VARINT, WIRE_BAD_VARINT + 1);
    tcase_add_loop_test(counters, a_complaint_about_a_frame_or_a_head_is_counted_under_its_own_name,
                        WIRE_TRUNCATED, WIRE_TRUNCATED + 1);
    tcase_add_loop_test_raise_signal(counters, counting_what_is_no_complaint_stops_the_process,
                                     SIGABRT, WIRE_OK, WIRE_MORE + 1);
    suite_add_tcase(suite, counters);
    TCase *replies = tcase_create("replies");
    tcase_add_loop_test(replies, a_call_that_is_too_large_is_answered_as_soon_as_its_head_is_there,
                        0, G_N_ELEMENTS(answered));
    tcase_add_loop_test(replies, what_expects_no_reply_gets_none, 0, G_N_ELEMENTS(unanswered));
    suite_add_tcase(suite, replies);
    return suite;
}
