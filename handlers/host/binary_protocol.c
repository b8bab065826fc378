/* binary_protocol.c - the vfuncs of FrameBase for the binary encoding. */
#include "handlers/host/binary_protocol.h"
#include "handlers/host/frame_base.h"
#include <string.h>

typedef FrameBase BinaryProtocol;
typedef FrameBaseClass BinaryProtocolClass;
G_DEFINE_TYPE(BinaryProtocol, binary_protocol, FRAME_TYPE_BASE)

static const guint8 min_bytes[FRAME_TYPES] = {
    [T_BOOL] = 1,   [T_BYTE] = 1,   [T_I16] = 2, [T_I32] = 4, [T_I64] = 8,  [T_DOUBLE] = 8,
    [T_STRING] = 4, [T_STRUCT] = 1, [T_MAP] = 6, [T_SET] = 5, [T_LIST] = 5,
};

/* Wire integers sit at any address. */
static void store_u16(guint8 *to, guint16 value)
{
    value = GUINT16_TO_BE(value);
    memcpy(to, &value, sizeof value);
}

static void store_u32(guint8 *to, guint32 value)
{
    value = GUINT32_TO_BE(value);
    memcpy(to, &value, sizeof value);
}

static void store_u64(guint8 *to, guint64 value)
{
    value = GUINT64_TO_BE(value);
    memcpy(to, &value, sizeof value);
}

static guint16 load_u16(const guint8 *from)
{
    guint16 value;
    memcpy(&value, from, sizeof value);
    return GUINT16_FROM_BE(value);
}

static guint32 load_u32(const guint8 *from)
{
    guint32 value;
    memcpy(&value, from, sizeof value);
    return GUINT32_FROM_BE(value);
}

static guint64 load_u64(const guint8 *from)
{
    guint64 value;
    memcpy(&value, from, sizeof value);
    return GUINT64_FROM_BE(value);
}

/* --- writing ----------------------------------------------------------------------------- */

static gint32 write_field_begin(ThriftProtocol *protocol, G_GNUC_UNUSED const gchar *name,
                                const ThriftType type, const gint16 id, FRAME_NO_ERROR)
{
    guint8 *room = frame_writer_reserve(frame_base_out(protocol), 3);
    if (room == NULL)
        return 0;
    room[0] = (guint8)type;
    store_u16(room + 1, (guint16)id);
    return 0;
}

static gint32 write_map_begin(ThriftProtocol *protocol, const ThriftType key,
                              const ThriftType value, const guint32 size, FRAME_NO_ERROR)
{
    FrameWriter *out = frame_base_out(protocol);
    frame_writer_enter(out);
    guint8 *room = frame_writer_length_fits(out, size) ? frame_writer_reserve(out, 6) : NULL;
    if (room == NULL)
        return 0;
    room[0] = (guint8)key;
    room[1] = (guint8)value;
    store_u32(room + 2, size);
    return 0;
}

/* Lists and sets look alike. */
static gint32 write_sequence_begin(ThriftProtocol *protocol, const ThriftType element,
                                   const guint32 size, FRAME_NO_ERROR)
{
    FrameWriter *out = frame_base_out(protocol);
    frame_writer_enter(out);
    guint8 *room = frame_writer_length_fits(out, size) ? frame_writer_reserve(out, 5) : NULL;
    if (room == NULL)
        return 0;
    room[0] = (guint8)element;
    store_u32(room + 1, size);
    return 0;
}

static gint32 write_bool(ThriftProtocol *protocol, const gboolean value, FRAME_NO_ERROR)
{
    frame_writer_byte(frame_base_out(protocol), value ? 1 : 0);
    return 0;
}

static gint32 write_i16(ThriftProtocol *protocol, const gint16 value, FRAME_NO_ERROR)
{
    guint8 *room = frame_writer_reserve(frame_base_out(protocol), sizeof value);
    if (room != NULL)
        store_u16(room, (guint16)value);
    return 0;
}

static gint32 write_i32(ThriftProtocol *protocol, const gint32 value, FRAME_NO_ERROR)
{
    guint8 *room = frame_writer_reserve(frame_base_out(protocol), sizeof value);
    if (room != NULL)
        store_u32(room, (guint32)value);
    return 0;
}

static gint32 write_i64(ThriftProtocol *protocol, const gint64 value, FRAME_NO_ERROR)
{
    guint8 *room = frame_writer_reserve(frame_base_out(protocol), sizeof value);
    if (room != NULL)
        store_u64(room, (guint64)value);
    return 0;
}

static gint32 write_double(ThriftProtocol *protocol, const gdouble value, FRAME_NO_ERROR)
{
    guint64 bits;
    memcpy(&bits, &value, sizeof bits);
    return write_i64(protocol, (gint64)bits, NULL);
}

static gint32 write_binary(ThriftProtocol *protocol, const gpointer bytes, const guint32 length,
                           FRAME_NO_ERROR)
{
    FrameWriter *out = frame_base_out(protocol);
    if (!frame_writer_length_fits(out, length))
        return 0;
    write_i32(protocol, (gint32)length, NULL);
    frame_writer_append(out, bytes, length);
    return 0;
}

/* --- reading ----------------------------------------------------------------------------- */

/* The bytes of a value of fixed size, or NULL: failed. */
static inline const guint8 *take_value(ThriftProtocol *protocol, ThriftType type, gsize bytes,
                                       const gchar *what)
{
    FrameReader *in = frame_base_in(protocol);
    if (G_UNLIKELY(!frame_reader_expect(in, type)))
        return NULL;
    return frame_reader_take(in, bytes, what);
}

static gint32 read_field_begin(ThriftProtocol *protocol, gchar **name, ThriftType *type, gint16 *id,
                               FRAME_NO_ERROR)
{
    FrameReader *in = frame_base_in(protocol);
    *name = NULL;
    *type = T_STOP;
    *id = 0;
    in->item = in->at;
    const guint8 *wire_type = frame_reader_take(in, 1, "field header");
    if (wire_type == NULL || *wire_type == T_STOP)
        return 0;
    const guint8 *wire_id = frame_reader_take(in, 2, "field header");
    if (wire_id == NULL || !frame_reader_field(in, *wire_type, (gint16)load_u16(wire_id)))
        return 0;
    *type = *wire_type;
    *id = (gint16)load_u16(wire_id);
    return 0;
}

static gint32 read_map_begin(ThriftProtocol *protocol, ThriftType *key, ThriftType *value,
                             guint32 *size, FRAME_NO_ERROR)
{
    FrameReader *in = frame_base_in(protocol);
    *key = *value = T_STOP;
    *size = 0;
    const guint8 *head = take_value(protocol, T_MAP, 6, "map");
    if (head == NULL ||
        !frame_reader_enter_container(in, T_MAP, head[0], head[1], load_u32(head + 2)))
        return 0;
    *key = head[0];
    *value = head[1];
    *size = load_u32(head + 2);
    return 0;
}

static gint32 read_sequence(ThriftProtocol *protocol, ThriftType kind, ThriftType *element,
                            guint32 *size)
{
    FrameReader *in = frame_base_in(protocol);
    *element = T_STOP;
    *size = 0;
    const guint8 *head = take_value(protocol, kind, 5, "container");
    if (head == NULL ||
        !frame_reader_enter_container(in, kind, head[0], head[0], load_u32(head + 1)))
        return 0;
    *element = head[0];
    *size = load_u32(head + 1);
    return 0;
}

static gint32 read_list_begin(ThriftProtocol *protocol, ThriftType *element, guint32 *size,
                              FRAME_NO_ERROR)
{
    return read_sequence(protocol, T_LIST, element, size);
}

static gint32 read_set_begin(ThriftProtocol *protocol, ThriftType *element, guint32 *size,
                             FRAME_NO_ERROR)
{
    return read_sequence(protocol, T_SET, element, size);
}

static gint32 read_bool(ThriftProtocol *protocol, gboolean *value, FRAME_NO_ERROR)
{
    const guint8 *at = take_value(protocol, T_BOOL, 1, "bool");
    *value = at != NULL && *at != 0;
    return 0;
}

static gint32 read_i16(ThriftProtocol *protocol, gint16 *value, FRAME_NO_ERROR)
{
    const guint8 *at = take_value(protocol, T_I16, sizeof *value, "i16");
    *value = at != NULL ? (gint16)load_u16(at) : 0;
    return 0;
}

static gint32 read_i32(ThriftProtocol *protocol, gint32 *value, FRAME_NO_ERROR)
{
    const guint8 *at = take_value(protocol, T_I32, sizeof *value, "i32");
    *value = at != NULL ? (gint32)load_u32(at) : FRAME_FAILED_I32;
    return 0;
}

static gint32 read_i64(ThriftProtocol *protocol, gint64 *value, FRAME_NO_ERROR)
{
    const guint8 *at = take_value(protocol, T_I64, sizeof *value, "i64");
    *value = at != NULL ? (gint64)load_u64(at) : 0;
    return 0;
}

static gint32 read_double(ThriftProtocol *protocol, gdouble *value, FRAME_NO_ERROR)
{
    const guint8 *at = take_value(protocol, T_DOUBLE, sizeof *value, "double");
    guint64 bits = at != NULL ? load_u64(at) : 0;
    memcpy(value, &bits, sizeof *value);
    return 0;
}

static gint32 read_binary(ThriftProtocol *protocol, gpointer *bytes, guint32 *length,
                          FRAME_NO_ERROR)
{
    const guint8 *at = take_value(protocol, T_STRING, sizeof *length, "string length");
    *bytes = at != NULL ? frame_reader_string(frame_base_in(protocol), load_u32(at)) : NULL;
    *length = *bytes != NULL ? load_u32(at) : 0;
    return 0;
}

static void binary_protocol_class_init(BinaryProtocolClass *class)
{
    ThriftProtocolClass *vfuncs = &class->parent;
    vfuncs->write_field_begin = write_field_begin;
    vfuncs->write_map_begin = write_map_begin;
    vfuncs->write_list_begin = write_sequence_begin;
    vfuncs->write_set_begin = write_sequence_begin;
    vfuncs->write_bool = write_bool;
    vfuncs->write_i16 = write_i16;
    vfuncs->write_i32 = write_i32;
    vfuncs->write_i64 = write_i64;
    vfuncs->write_double = write_double;
    vfuncs->write_binary = class->write_bytes = write_binary;
    vfuncs->read_field_begin = read_field_begin;
    vfuncs->read_map_begin = read_map_begin;
    vfuncs->read_list_begin = read_list_begin;
    vfuncs->read_set_begin = read_set_begin;
    vfuncs->read_bool = read_bool;
    vfuncs->read_i16 = read_i16;
    vfuncs->read_i32 = read_i32;
    vfuncs->read_i64 = read_i64;
    vfuncs->read_double = read_double;
    vfuncs->read_binary = class->read_bytes = read_binary;
}

static void binary_protocol_init(BinaryProtocol *protocol)
{
    frame_reader_init(&protocol->in, min_bytes);
}
