/* test_protocol_output.c - what became of a reply: whole, half, too large, an exception. */
#include "tests/unit/protocol_everything.h"
#include "tests/unit/runner.h"
#include <thrift/c_glib/thrift_application_exception.h>

static const guint8 no_args[] = { T_STOP };
static guint8 reply_area[REPLY_BYTES];

static ThriftProtocol *begun(RingProtocol kind, gsize capacity)
{
    ThriftProtocol *protocol = frame_protocol_new(kind);
    frame_protocol_begin(protocol, no_args, sizeof no_args, reply_area, capacity);
    return protocol;
}

static FrameOutput output_of(ThriftProtocol *protocol)
{
    FrameOutput output;
    frame_protocol_output(protocol, &output);
    return output;
}

START_TEST(nothing_written_is_no_message)
{
    g_autoptr(ThriftProtocol) protocol = begun(_i, REPLY_BYTES);
    FrameOutput output = output_of(protocol);
    ck_assert_uint_eq(output.messages, 0);
    ck_assert(!output.complete && !output.overflow);
    ck_assert_uint_eq(output.body_bytes, 0);
}
END_TEST

START_TEST(a_reply_written_to_its_end_is_complete)
{
    g_autoptr(ThriftProtocol) protocol = begun(_i, REPLY_BYTES);
    g_autoptr(evyAll) all = new_everything();
    write_reply(protocol, all);
    FrameOutput output = output_of(protocol);
    ck_assert_uint_eq(output.messages, 1);
    ck_assert_int_eq(output.type, T_REPLY);
    ck_assert(output.complete && !output.overflow);
}
END_TEST

START_TEST(a_reply_fits_its_own_size_and_no_smaller_one)
{
    g_autoptr(evyAll) all = new_everything();
    g_autoptr(GBytes) bytes = stock_encode(_i, all);
    gsize size = g_bytes_get_size(bytes);
    for (gsize capacity = 0; capacity <= size; capacity++) {
        memset(reply_area, 0xee, sizeof reply_area);
        g_autoptr(ThriftProtocol) protocol = begun(_i, capacity);
        write_reply(protocol, all);
        FrameOutput output = output_of(protocol);
        ck_assert_int_eq(output.overflow, capacity < size);
        ck_assert_uint_le(output.body_bytes, capacity);
        ck_assert_mem_eq(reply_area, g_bytes_get_data(bytes, NULL), output.body_bytes);
        ck_assert_uint_eq(reply_area[capacity], 0xee);
        ck_assert(output.complete); /* the writing went to its end all the same */
    }
}
END_TEST

START_TEST(nothing_is_written_behind_what_did_not_fit)
{
    g_autoptr(ThriftProtocol) protocol = begun(_i, 4);
    guint8 ten[10] = { 0 };
    thrift_protocol_write_binary(protocol, ten, sizeof ten, NULL);
    gsize after = output_of(protocol).body_bytes;
    thrift_protocol_write_byte(protocol, 1, NULL);
    ck_assert_uint_eq(output_of(protocol).body_bytes, after);
    ck_assert(output_of(protocol).overflow);
}
END_TEST

START_TEST(a_length_that_thrift_cannot_say_is_an_overflow)
{
    guint8 byte = 0;
    for (guint way = 0; way < 4; way++) {
        g_autoptr(ThriftProtocol) protocol = begun(_i, REPLY_BYTES);
        if (way == 0)
            thrift_protocol_write_binary(protocol, &byte, 1u << 31, NULL);
        else if (way == 1)
            thrift_protocol_write_list_begin(protocol, T_I32, 1u << 31, NULL);
        else if (way == 2)
            thrift_protocol_write_set_begin(protocol, T_I32, 1u << 31, NULL);
        else
            thrift_protocol_write_map_begin(protocol, T_I32, T_I32, 1u << 31, NULL);
        ck_assert(output_of(protocol).overflow);
        ck_assert_uint_eq(output_of(protocol).body_bytes, 0);
    }
}
END_TEST

START_TEST(no_string_and_no_binary_are_written_as_empty_ones)
{
    g_autoptr(ThriftProtocol) protocol = begun(_i, REPLY_BYTES);
    thrift_protocol_write_string(protocol, NULL, NULL);
    gsize one = output_of(protocol).body_bytes;
    thrift_protocol_write_binary(protocol, NULL, 0, NULL);
    ck_assert_uint_eq(one, _i == RING_BINARY ? 4 : 1);
    ck_assert_uint_eq(output_of(protocol).body_bytes, 2 * one);
    for (gsize i = 0; i < 2 * one; i++)
        ck_assert_uint_eq(reply_area[i], 0);
}
END_TEST

START_TEST(a_reply_without_its_end_is_not_complete)
{
    g_autoptr(ThriftProtocol) protocol = begun(_i, REPLY_BYTES);
    g_autoptr(evyAll) all = new_everything();
    thrift_protocol_write_message_begin(protocol, "echo", T_REPLY, 1, NULL);
    thrift_struct_write(THRIFT_STRUCT(all), protocol, NULL);
    ck_assert(!output_of(protocol).complete);
}
END_TEST

/* As generated code does for a struct that the handler left NULL, were it to go on. */
START_TEST(a_struct_without_stop_or_end_is_not_complete)
{
    for (guint missing = 0; missing < 2; missing++) {
        g_autoptr(ThriftProtocol) protocol = begun(_i, REPLY_BYTES);
        thrift_protocol_write_message_begin(protocol, "echo", T_REPLY, 1, NULL);
        thrift_protocol_write_struct_begin(protocol, "Result", NULL);
        if (missing == 0)
            thrift_protocol_write_field_stop(protocol, NULL);
        else
            thrift_protocol_write_struct_end(protocol, NULL);
        thrift_protocol_write_message_end(protocol, NULL);
        ck_assert(!output_of(protocol).complete);
    }
}
END_TEST

static gboolean complete_with_nested_structs(RingProtocol kind, guint structs)
{
    g_autoptr(ThriftProtocol) protocol = begun(kind, REPLY_BYTES);
    thrift_protocol_write_message_begin(protocol, "echo", T_REPLY, 1, NULL);
    for (guint i = 0; i < structs; i++)
        thrift_protocol_write_struct_begin(protocol, "Nested", NULL);
    for (guint i = 0; i < structs; i++) {
        thrift_protocol_write_field_stop(protocol, NULL);
        thrift_protocol_write_struct_end(protocol, NULL);
    }
    thrift_protocol_write_message_end(protocol, NULL);
    return output_of(protocol).complete;
}

START_TEST(a_reply_is_at_most_sixty_four_structs_deep)
{
    ck_assert(complete_with_nested_structs(_i, 64));
    ck_assert(!complete_with_nested_structs(_i, 65));
    ck_assert(!complete_with_nested_structs(_i, 1000));
}
END_TEST

/* As a client's reader counts: one level for each struct and one for each list around it. */
static gboolean complete_with_nested_lists(RingProtocol kind, guint lists)
{
    g_autoptr(ThriftProtocol) protocol = begun(kind, REPLY_BYTES);
    thrift_protocol_write_message_begin(protocol, "echo", T_REPLY, 1, NULL);
    thrift_protocol_write_struct_begin(protocol, "Result", NULL);
    thrift_protocol_write_field_begin(protocol, "success", T_LIST, 0, NULL);
    for (guint i = 0; i < lists; i++)
        thrift_protocol_write_list_begin(protocol, T_LIST, 1, NULL);
    for (guint i = 0; i < lists; i++)
        thrift_protocol_write_list_end(protocol, NULL);
    thrift_protocol_write_field_stop(protocol, NULL);
    thrift_protocol_write_struct_end(protocol, NULL);
    thrift_protocol_write_message_end(protocol, NULL);
    return output_of(protocol).complete;
}

START_TEST(containers_count_as_levels_of_a_reply)
{
    ck_assert(complete_with_nested_lists(_i, 63));
    ck_assert(!complete_with_nested_lists(_i, 64));
}
END_TEST

START_TEST(of_an_exception_message_only_its_text_is_kept)
{
    g_autoptr(ThriftProtocol) protocol = begun(_i, REPLY_BYTES);
    g_autoptr(GObject) exception =
        g_object_new(THRIFT_TYPE_APPLICATION_EXCEPTION, "type", 6, "message", "it broke", NULL);
    thrift_protocol_write_message_begin(protocol, "echo", T_EXCEPTION, 1, NULL);
    ck_assert_int_eq(thrift_struct_write(THRIFT_STRUCT(exception), protocol, NULL), 0);
    thrift_protocol_write_message_end(protocol, NULL);
    FrameOutput output = output_of(protocol);
    ck_assert_int_eq(output.type, T_EXCEPTION);
    ck_assert_str_eq(output.exception_text, "it broke");
    ck_assert_uint_eq(output.body_bytes, 0);
    ck_assert(output.complete && !output.overflow);

    frame_protocol_begin(protocol, no_args, sizeof no_args, reply_area, REPLY_BYTES);
    ck_assert_ptr_null(output_of(protocol).exception_text);
}
END_TEST

START_TEST(an_exception_message_without_text_has_none)
{
    g_autoptr(ThriftProtocol) protocol = begun(_i, REPLY_BYTES);
    thrift_protocol_write_message_begin(protocol, "echo", T_EXCEPTION, 1, NULL);
    thrift_protocol_write_string(protocol, NULL, NULL);
    ck_assert_ptr_null(output_of(protocol).exception_text);
}
END_TEST

START_TEST(every_message_is_counted_and_the_first_one_gives_the_type)
{
    g_autoptr(ThriftProtocol) protocol = begun(_i, REPLY_BYTES);
    thrift_protocol_write_message_begin(protocol, "echo", T_REPLY, 1, NULL);
    thrift_protocol_write_message_begin(protocol, "echo", T_EXCEPTION, 1, NULL);
    ck_assert_uint_eq(output_of(protocol).messages, 2);
    ck_assert_int_eq(output_of(protocol).type, T_REPLY);
}
END_TEST

START_TEST(a_broken_reply_leaves_nothing_to_the_next_call)
{
    g_autoptr(evyAll) all = new_everything();
    g_autoptr(GBytes) bytes = stock_encode(_i, all);
    g_autoptr(ThriftProtocol) protocol = begun(_i, 10);
    thrift_protocol_write_message_begin(protocol, "echo", T_REPLY, 1, NULL);
    thrift_protocol_write_struct_begin(protocol, "Result", NULL);
    thrift_protocol_write_field_begin(protocol, "flag", T_BOOL, 9, NULL); /* and no value */
    frame_protocol_begin(protocol, no_args, sizeof no_args, reply_area, REPLY_BYTES);
    write_reply(protocol, all);
    ck_assert(output_of(protocol).complete);
    ck_assert_uint_eq(output_of(protocol).body_bytes, g_bytes_get_size(bytes));
    ck_assert_mem_eq(reply_area, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}
END_TEST

START_TEST(a_new_call_forgets_the_last_one)
{
    g_autoptr(evyAll) all = new_everything();
    g_autoptr(ThriftProtocol) protocol = begun(_i, REPLY_BYTES);
    ck_assert(read_call(protocol, all));
    write_reply(protocol, all);
    thrift_protocol_write_field_begin(protocol, "flag", T_BOOL, 9, NULL); /* and no value */

    frame_protocol_begin(protocol, no_args, sizeof no_args, reply_area, REPLY_BYTES);
    FrameOutput output = output_of(protocol);
    ck_assert_uint_eq(output.messages, 0);
    ck_assert_uint_eq(output.body_bytes, 0);
    ck_assert(!output.complete && !frame_protocol_reached_end(protocol));
    thrift_protocol_write_bool(protocol, TRUE, NULL);
    ck_assert_uint_eq(output_of(protocol).body_bytes, 1);
    ck_assert_uint_eq(reply_area[0], 1);
}
END_TEST

START_TEST(generated_code_finds_a_transport_that_takes_every_end)
{
    ThriftProtocol *protocol = frame_protocol_new(_i);
    ThriftTransport *transport = NULL;
    g_object_get(protocol, "transport", &transport, NULL);
    ck_assert_ptr_nonnull(transport);
    ck_assert(thrift_transport_read_end(transport, NULL));
    ck_assert(thrift_transport_write_end(transport, NULL));
    ck_assert(thrift_transport_flush(transport, NULL));
    g_object_unref(transport);
    g_object_add_weak_pointer(G_OBJECT(transport), (gpointer *)&transport);
    g_object_unref(protocol);
    ck_assert_ptr_null(transport); /* it goes with its protocol */
}
END_TEST

START_TEST(the_smallest_encoding_of_a_type_is_known)
{
    g_autoptr(ThriftProtocol) protocol = frame_protocol_new(_i);
    g_autoptr(GError) error = NULL;
    ck_assert_int_eq(thrift_protocol_get_min_serialized_size(protocol, T_MAP, &error),
                     _i == RING_BINARY ? 6 : 1);
    ck_assert_int_eq(thrift_protocol_get_min_serialized_size(protocol, T_UTF16, &error), -1);
    ck_assert_ptr_nonnull(error);
}
END_TEST

static TCase *body_case(void)
{
    TCase *tcase = tcase_create("body");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_reply_written_to_its_end_is_complete, 0, KINDS);
    tcase_add_loop_test(tcase, a_reply_fits_its_own_size_and_no_smaller_one, 0, KINDS);
    tcase_add_loop_test(tcase, nothing_is_written_behind_what_did_not_fit, 0, KINDS);
    tcase_add_loop_test(tcase, a_length_that_thrift_cannot_say_is_an_overflow, 0, KINDS);
    tcase_add_loop_test(tcase, no_string_and_no_binary_are_written_as_empty_ones, 0, KINDS);
    tcase_add_loop_test(tcase, a_reply_is_at_most_sixty_four_structs_deep, 0, KINDS);
    tcase_add_loop_test(tcase, containers_count_as_levels_of_a_reply, 0, KINDS);
    return tcase;
}

static TCase *message_case(void)
{
    TCase *tcase = tcase_create("message");
    tcase_add_loop_test(tcase, nothing_written_is_no_message, 0, KINDS);
    tcase_add_loop_test(tcase, a_reply_without_its_end_is_not_complete, 0, KINDS);
    tcase_add_loop_test(tcase, a_struct_without_stop_or_end_is_not_complete, 0, KINDS);
    tcase_add_loop_test(tcase, of_an_exception_message_only_its_text_is_kept, 0, KINDS);
    tcase_add_loop_test(tcase, an_exception_message_without_text_has_none, 0, KINDS);
    tcase_add_loop_test(tcase, every_message_is_counted_and_the_first_one_gives_the_type, 0, KINDS);
    tcase_add_loop_test(tcase, a_broken_reply_leaves_nothing_to_the_next_call, 0, KINDS);
    tcase_add_loop_test(tcase, a_new_call_forgets_the_last_one, 0, KINDS);
    tcase_add_loop_test(tcase, generated_code_finds_a_transport_that_takes_every_end, 0, KINDS);
    tcase_add_loop_test(tcase, the_smallest_encoding_of_a_type_is_known, 0, KINDS);
    return tcase;
}

Suite *test_suite(void)
{
    Suite *suite = suite_create("protocol_output");
    suite_add_tcase(suite, body_case());
    suite_add_tcase(suite, message_case());
    return suite;
}
