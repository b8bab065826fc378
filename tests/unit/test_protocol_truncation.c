/* test_protocol_truncation.c - a frame cut off anywhere is refused, and nothing is lost.
 *
 * What is lost shows in `make asan`, by the leak check at the end of each test's process; with
 * G_SLICE=always-malloc also what lies in GLib's slices. */
#include "tests/unit/protocol_everything.h"
#include "tests/unit/runner.h"

static GBytes *encoded_everything(RingProtocol kind)
{
    g_autoptr(evyAll) all = new_everything();
    /* a second key to cut off; the first entry is long enough for the map to begin without it */
    g_hash_table_insert(all->moods, GINT_TO_POINTER(EVY_COLOUR_RED), g_strdup("rather excited"));
    return stock_encode(kind, all);
}

START_TEST(a_frame_cut_off_anywhere_is_refused_and_leaks_nothing)
{
    g_autoptr(GBytes) good = encoded_everything(_i);
    g_autoptr(ThriftProtocol) protocol = frame_protocol_new(_i);
    gsize length;
    const guint8 *data = g_bytes_get_data(good, &length);
    for (gsize kept = 0; kept < length; kept++) {
        /* a copy of exactly that size: reading past it is an error of its own */
        g_autofree guint8 *cut = g_memdup2(data, MAX(kept, 1));
        ck_assert_ptr_nonnull(refusal(protocol, cut, kept));
    }
    ck_assert_ptr_null(refusal(protocol, data, length));
}
END_TEST

START_TEST(a_reader_that_gives_up_halfway_is_told_apart)
{
    static const gchar *const leaf_without_id[] = { "\x0c\0\x0b\0\0", "\xbc\0" };
    static const gsize lengths[] = { 5, 3 };
    static const gchar *const nothing_wrong[] = { "\0", "\0" };
    g_autoptr(ThriftProtocol) protocol = frame_protocol_new(_i);
    g_autoptr(evyAll) all = g_object_new(EVY_TYPE_ALL, NULL);
    guint8 reply[1];
    frame_protocol_begin(protocol, (const guint8 *)leaf_without_id[_i], lengths[_i], reply, 1);
    ck_assert(!read_call(protocol, all));
    ck_assert_ptr_null(frame_protocol_input_error(protocol)); /* the bytes are well-formed */
    ck_assert(!frame_protocol_reached_end(protocol));
    frame_protocol_begin(protocol, (const guint8 *)nothing_wrong[_i], 1, reply, 1);
    ck_assert(read_call(protocol, all));
    ck_assert(frame_protocol_reached_end(protocol));
}
END_TEST

START_TEST(a_failed_call_reports_its_text_at_the_end_of_the_message)
{
    static const gchar *const cut_off[] = { "\x08", "\x45" };
    g_autoptr(ThriftProtocol) protocol = frame_protocol_new(_i);
    g_autoptr(evyAll) all = g_object_new(EVY_TYPE_ALL, NULL);
    g_autoptr(GError) error = NULL;
    guint8 reply[1];
    frame_protocol_begin(protocol, (const guint8 *)cut_off[_i], strlen(cut_off[_i]), reply, 1);
    ck_assert_int_ge(thrift_struct_read(THRIFT_STRUCT(all), protocol, &error), 0);
    ck_assert_ptr_null(error);
    ck_assert_int_eq(thrift_protocol_read_message_end(protocol, &error), -1);
    ck_assert_str_eq(error->message, frame_protocol_input_error(protocol));
    ck_assert(frame_protocol_reached_end(protocol));
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("protocol_truncation");
    TCase *both = tcase_create("binary and compact");
    tcase_set_timeout(both, 60);
    tcase_add_loop_test(both, a_frame_cut_off_anywhere_is_refused_and_leaks_nothing, 0, KINDS);
    tcase_add_loop_test(both, a_reader_that_gives_up_halfway_is_told_apart, 0, KINDS);
    tcase_add_loop_test(both, a_failed_call_reports_its_text_at_the_end_of_the_message, 0, KINDS);
    suite_add_tcase(suite, both);
    return suite;
}
