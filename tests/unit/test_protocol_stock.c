/* test_protocol_stock.c - our protocols say and understand what Thrift's own ones do. */
#include "tests/unit/protocol_everything.h"
#include "tests/unit/runner.h"
#include <math.h>

static guint8 reply_area[REPLY_BYTES];

typedef struct {
    ThriftType type;
    gint16 id;
    gint64 number;
    gdouble real;
    const gchar *text;
} Value;

/* Every size of varint and zigzag, and every step between field ids, also backwards. */
static const Value values[] = {
    { T_BOOL, 1, 1, 0, NULL },
    { T_BOOL, 16, 0, 0, NULL },
    { T_BYTE, 32, G_MININT8, 0, NULL },
    { T_BYTE, 33, G_MAXINT8, 0, NULL },
    { T_I16, 3, 0, 0, NULL },
    { T_I16, 4, -1, 0, NULL },
    { T_I16, 5, G_MININT16, 0, NULL },
    { T_I16, 6, G_MAXINT16, 0, NULL },
    { T_I32, 255, 63, 0, NULL },
    { T_I32, 256, 64, 0, NULL },
    { T_I32, 257, -65, 0, NULL },
    { T_I32, 258, 8191, 0, NULL },
    { T_I32, 259, -8193, 0, NULL },
    { T_I32, 260, G_MININT32, 0, NULL },
    { T_I32, G_MAXINT16, G_MAXINT32, 0, NULL },
    { T_I64, -1, G_MININT64, 0, NULL },
    { T_I64, G_MININT16, G_MAXINT64, 0, NULL },
    { T_I64, 7, G_GINT64_CONSTANT(1) << 34, 0, NULL },
    { T_DOUBLE, 8, 0, 0.0, NULL },
    { T_DOUBLE, 9, 0, -1.0 / 3, NULL },
    { T_DOUBLE, 10, 0, INFINITY, NULL },
    { T_STRING, 11, 0, 0, "" },
    { T_STRING, 12, 0, 0, "text" },
};

static void write_value(ThriftProtocol *to, const Value *value)
{
    switch ((gint)value->type) {
    case T_BOOL:
        thrift_protocol_write_bool(to, (gboolean)value->number, NULL);
        return;
    case T_BYTE:
        thrift_protocol_write_byte(to, (gint8)value->number, NULL);
        return;
    case T_I16:
        thrift_protocol_write_i16(to, (gint16)value->number, NULL);
        return;
    case T_I32:
        thrift_protocol_write_i32(to, (gint32)value->number, NULL);
        return;
    case T_I64:
        thrift_protocol_write_i64(to, value->number, NULL);
        return;
    case T_DOUBLE:
        thrift_protocol_write_double(to, value->real, NULL);
        return;
    default:
        thrift_protocol_write_string(to, value->text, NULL);
    }
}

static gint64 read_number(ThriftProtocol *from, ThriftType type)
{
    union {
        gboolean flag;
        gint8 i8;
        gint16 i16;
        gint32 i32;
        gint64 i64;
    } got;
    switch ((gint)type) {
    case T_BOOL:
        thrift_protocol_read_bool(from, &got.flag, NULL);
        return got.flag;
    case T_BYTE:
        thrift_protocol_read_byte(from, &got.i8, NULL);
        return got.i8;
    case T_I16:
        thrift_protocol_read_i16(from, &got.i16, NULL);
        return got.i16;
    case T_I32:
        thrift_protocol_read_i32(from, &got.i32, NULL);
        return got.i32;
    default:
        thrift_protocol_read_i64(from, &got.i64, NULL);
        return got.i64;
    }
}

static void check_value(ThriftProtocol *from, const Value *expected)
{
    if (expected->type == T_DOUBLE) {
        gdouble real;
        thrift_protocol_read_double(from, &real, NULL);
        ck_assert_mem_eq(&real, &expected->real, sizeof real);
        return;
    }
    if (expected->type == T_STRING) {
        g_autofree gchar *text = NULL;
        thrift_protocol_read_string(from, &text, NULL);
        ck_assert_str_eq(text, expected->text);
        return;
    }
    ck_assert_int_eq(read_number(from, expected->type), expected->number);
}

static void write_values(ThriftProtocol *to)
{
    thrift_protocol_write_struct_begin(to, "Values", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        thrift_protocol_write_field_begin(to, "value", values[i].type, values[i].id, NULL);
        write_value(to, &values[i]);
        thrift_protocol_write_field_end(to, NULL);
    }
    thrift_protocol_write_field_stop(to, NULL);
    thrift_protocol_write_struct_end(to, NULL);
}

static void check_values(ThriftProtocol *from)
{
    gchar *name;
    ThriftType type;
    gint16 id;
    thrift_protocol_read_struct_begin(from, &name, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        thrift_protocol_read_field_begin(from, &name, &type, &id, NULL);
        ck_assert_int_eq(type, values[i].type);
        ck_assert_int_eq(id, values[i].id);
        check_value(from, &values[i]);
        thrift_protocol_read_field_end(from, NULL);
    }
    thrift_protocol_read_field_begin(from, &name, &type, &id, NULL);
    ck_assert_int_eq(type, T_STOP);
    thrift_protocol_read_struct_end(from, NULL);
}

static void assert_body_is(ThriftProtocol *ours, gconstpointer bytes, gsize length)
{
    FrameOutput output;
    frame_protocol_output(ours, &output);
    ck_assert_uint_eq(output.body_bytes, length);
    ck_assert_mem_eq(reply_area, bytes, length);
}

START_TEST(every_value_is_written_as_stock_writes_it)
{
    g_auto(Stock) stock = stock_new(_i);
    g_autoptr(ThriftProtocol) ours = frame_protocol_new(_i);
    write_values(stock.protocol);
    frame_protocol_begin(ours, reply_area, 0, reply_area, sizeof reply_area);
    write_values(ours);
    assert_body_is(ours, stock.buffer->buf->data, stock.buffer->buf->len);
}
END_TEST

START_TEST(every_value_stock_writes_is_read)
{
    g_auto(Stock) stock = stock_new(_i);
    g_autoptr(ThriftProtocol) ours = frame_protocol_new(_i);
    write_values(stock.protocol);
    frame_protocol_begin(ours, stock.buffer->buf->data, stock.buffer->buf->len, reply_area, 1);
    check_values(ours);
    ck_assert_ptr_null(frame_protocol_input_error(ours));
}
END_TEST

static const guint32 sizes[] = { 0, 1, 14, 15, 16, 127, 128, 16384, G_MAXINT32 };

static void write_container_headers(ThriftProtocol *to)
{
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        thrift_protocol_write_list_begin(to, T_STRUCT, sizes[i], NULL);
        thrift_protocol_write_set_begin(to, T_BOOL, sizes[i], NULL);
        thrift_protocol_write_map_begin(to, T_STRING, T_DOUBLE, sizes[i], NULL);
    }
}

START_TEST(containers_of_every_size_begin_as_stock_begins_them)
{
    g_auto(Stock) stock = stock_new(_i);
    g_autoptr(ThriftProtocol) ours = frame_protocol_new(_i);
    write_container_headers(stock.protocol);
    frame_protocol_begin(ours, reply_area, 0, reply_area, sizeof reply_area);
    write_container_headers(ours);
    assert_body_is(ours, stock.buffer->buf->data, stock.buffer->buf->len);
}
END_TEST

/* One entry of a map<struct, bool>: the value follows a bool that ended its struct. */
static void write_bool_after_bool_field(ThriftProtocol *to)
{
    thrift_protocol_write_map_begin(to, T_STRUCT, T_BOOL, 1, NULL);
    thrift_protocol_write_struct_begin(to, "Key", NULL);
    thrift_protocol_write_field_begin(to, "flag", T_BOOL, 1, NULL);
    thrift_protocol_write_bool(to, TRUE, NULL);
    thrift_protocol_write_field_end(to, NULL);
    thrift_protocol_write_field_stop(to, NULL);
    thrift_protocol_write_struct_end(to, NULL);
    thrift_protocol_write_bool(to, TRUE, NULL);
    thrift_protocol_write_map_end(to, NULL);
}

START_TEST(a_bool_behind_a_bool_field_is_written_as_stock_writes_it)
{
    g_auto(Stock) stock = stock_new(_i);
    g_autoptr(ThriftProtocol) ours = frame_protocol_new(_i);
    write_bool_after_bool_field(stock.protocol);
    frame_protocol_begin(ours, reply_area, 0, reply_area, sizeof reply_area);
    write_bool_after_bool_field(ours);
    assert_body_is(ours, stock.buffer->buf->data, stock.buffer->buf->len);
}
END_TEST

START_TEST(a_generated_struct_is_written_as_stock_writes_it)
{
    g_autoptr(evyAll) all = new_everything();
    g_autoptr(GBytes) bytes = stock_encode(_i, all);
    g_autoptr(ThriftProtocol) ours = frame_protocol_new(_i);
    frame_protocol_begin(ours, reply_area, 0, reply_area, sizeof reply_area);
    write_reply(ours, all);
    assert_body_is(ours, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}
END_TEST

START_TEST(a_generated_struct_written_by_stock_comes_back_the_same)
{
    g_autoptr(evyAll) all = new_everything();
    g_autoptr(GBytes) bytes = stock_encode(_i, all);
    g_autoptr(ThriftProtocol) ours = frame_protocol_new(_i);
    for (guint call = 0; call < 3; call++) { /* one object serves many calls */
        g_autoptr(evyAll) read = g_object_new(EVY_TYPE_ALL, NULL);
        gsize length;
        const guint8 *data = g_bytes_get_data(bytes, &length);
        frame_protocol_begin(ours, data, length, reply_area, sizeof reply_area);
        ck_assert(read_call(ours, read));
        ck_assert(frame_protocol_reached_end(ours));
        write_reply(ours, read);
        assert_body_is(ours, data, length);
    }
}
END_TEST

START_TEST(stock_reads_the_struct_we_write)
{
    g_autoptr(evyAll) all = new_everything();
    g_autoptr(evyAll) read = g_object_new(EVY_TYPE_ALL, NULL);
    g_autoptr(ThriftProtocol) ours = frame_protocol_new(_i);
    FrameOutput output;
    frame_protocol_begin(ours, reply_area, 0, reply_area, sizeof reply_area);
    write_reply(ours, all);
    frame_protocol_output(ours, &output);

    g_auto(Stock) stock = stock_new(_i);
    thrift_transport_write(THRIFT_TRANSPORT(stock.buffer), reply_area, (guint32)output.body_bytes,
                           NULL);
    ck_assert_int_ge(thrift_struct_read(THRIFT_STRUCT(read), stock.protocol, NULL), 0);
    g_autoptr(GBytes) bytes = stock_encode(_i, read);
    assert_body_is(ours, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}
END_TEST

START_TEST(unknown_fields_of_every_kind_are_skipped)
{
    g_autoptr(evyAll) all = new_everything();
    g_autoptr(GBytes) bytes = stock_encode(_i, all);
    g_autoptr(ThriftProtocol) ours = frame_protocol_new(_i);
    frame_protocol_begin(ours, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), reply_area,
                         1);
    gchar *name;
    ThriftType type = T_STRUCT;
    gint16 id;
    guint fields = 0;
    thrift_protocol_read_struct_begin(ours, &name, NULL);
    while (thrift_protocol_read_field_begin(ours, &name, &type, &id, NULL) == 0 && type != T_STOP) {
        ck_assert_int_eq(thrift_protocol_skip(ours, type, NULL), 0);
        fields++;
    }
    ck_assert_uint_eq(fields, 28);
    ck_assert_ptr_null(frame_protocol_input_error(ours));
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("protocol_stock");
    TCase *both = tcase_create("binary and compact");
    tcase_add_loop_test(both, every_value_is_written_as_stock_writes_it, 0, KINDS);
    tcase_add_loop_test(both, every_value_stock_writes_is_read, 0, KINDS);
    tcase_add_loop_test(both, containers_of_every_size_begin_as_stock_begins_them, 0, KINDS);
    tcase_add_loop_test(both, a_bool_behind_a_bool_field_is_written_as_stock_writes_it, 0, KINDS);
    tcase_add_loop_test(both, a_generated_struct_is_written_as_stock_writes_it, 0, KINDS);
    tcase_add_loop_test(both, a_generated_struct_written_by_stock_comes_back_the_same, 0, KINDS);
    tcase_add_loop_test(both, stock_reads_the_struct_we_write, 0, KINDS);
    tcase_add_loop_test(both, unknown_fields_of_every_kind_are_skipped, 0, KINDS);
    suite_add_tcase(suite, both);
    return suite;
}
