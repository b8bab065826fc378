/* compact_protocol.c - the vfuncs of FrameBase for the compact encoding.
 *
 *   field     ddddtttt              t: type; d: id - last id when 1..15, else 0 and i16 id
 *   bool      a field's is its type (1 true, 2 false); an element's is such a byte
 *   integer   zigzag varint; double: 8 bytes, little endian as c_glib's own protocol has it
 *   list, set sssstttt              s: size; 15: a varint follows
 *   map       varint size, then kkkkvvvv unless it is 0
 *   string    varint length, bytes                                                         */
#include "handlers/host/compact_protocol.h"
#include "handlers/host/frame_base.h"
#include <string.h>

typedef FrameBase CompactProtocol;
typedef FrameBaseClass CompactProtocolClass;
G_DEFINE_TYPE(CompactProtocol, compact_protocol, FRAME_TYPE_BASE)

static const guint8 min_bytes[FRAME_TYPES] = {
    [T_BOOL] = 1,   [T_BYTE] = 1,   [T_I16] = 1, [T_I32] = 1, [T_I64] = 1,  [T_DOUBLE] = 8,
    [T_STRING] = 1, [T_STRUCT] = 1, [T_MAP] = 1, [T_SET] = 1, [T_LIST] = 1,
};

enum { WIRE_TRUE = 1, WIRE_FALSE = 2, WIRE_TYPES = 16, LONG_SIZE = 15, MAX_DELTA = 15 };

static const guint8 type_to_wire[FRAME_TYPES] = {
    [T_BOOL] = WIRE_TRUE, [T_BYTE] = 3,    [T_I16] = 4,  [T_I32] = 5,  [T_I64] = 6,  [T_DOUBLE] = 7,
    [T_STRING] = 8,       [T_STRUCT] = 12, [T_MAP] = 11, [T_SET] = 10, [T_LIST] = 9,
};

/* T_STOP where there is no such type, which the reader then refuses. */
static const guint8 type_from_wire[WIRE_TYPES] = {
    T_STOP,   T_BOOL,   T_BOOL, T_BYTE, T_I16, T_I32,    T_I64,
    T_DOUBLE, T_STRING, T_LIST, T_SET,  T_MAP, T_STRUCT,
};

/* --- writing ----------------------------------------------------------------------------- */

static void write_varint(FrameWriter *out, guint64 value)
{
    guint8 bytes[10];
    gsize used = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[used++] = (guint8)(value | 0x80);
    bytes[used++] = (guint8)value;
    frame_writer_append(out, bytes, used);
}

static void write_zigzag(FrameWriter *out, gint64 value)
{
    write_varint(out, (guint64)value << 1 ^ (value < 0 ? G_MAXUINT64 : 0));
}

static void write_field_header(FrameWriter *out, guint8 wire_type, gint16 id)
{
    gint delta = id - out->last_id[out->depth];
    if (delta >= 1 && delta <= MAX_DELTA) {
        frame_writer_byte(out, (guint8)(delta << 4 | wire_type));
    } else {
        frame_writer_byte(out, wire_type);
        write_zigzag(out, id);
    }
    out->last_id[out->depth] = id;
}

static gint32 write_field_begin(ThriftProtocol *protocol, G_GNUC_UNUSED const gchar *name,
                                const ThriftType type, const gint16 id, FRAME_NO_ERROR)
{
    FrameWriter *out = frame_base_out(protocol);
    out->bool_due = type == T_BOOL;
    out->bool_id = id;
    if (!out->bool_due)
        write_field_header(out, type_to_wire[type], id);
    return 0;
}

static gint32 write_bool(ThriftProtocol *protocol, const gboolean value, FRAME_NO_ERROR)
{
    FrameWriter *out = frame_base_out(protocol);
    guint8 wire = value ? WIRE_TRUE : WIRE_FALSE;
    if (out->bool_due)
        write_field_header(out, wire, out->bool_id);
    else
        frame_writer_byte(out, wire);
    out->bool_due = FALSE;
    return 0;
}

static gint32 write_map_begin(ThriftProtocol *protocol, const ThriftType key,
                              const ThriftType value, const guint32 size, FRAME_NO_ERROR)
{
    FrameWriter *out = frame_base_out(protocol);
    frame_writer_enter(out);
    if (!frame_writer_length_fits(out, size))
        return 0;
    write_varint(out, size);
    if (size > 0)
        frame_writer_byte(out, (guint8)(type_to_wire[key] << 4 | type_to_wire[value]));
    return 0;
}

/* Lists and sets look alike. */
static gint32 write_sequence_begin(ThriftProtocol *protocol, const ThriftType element,
                                   const guint32 size, FRAME_NO_ERROR)
{
    FrameWriter *out = frame_base_out(protocol);
    frame_writer_enter(out);
    if (!frame_writer_length_fits(out, size))
        return 0;
    guint8 head = (guint8)(MIN(size, LONG_SIZE) << 4 | type_to_wire[element]);
    frame_writer_byte(out, head);
    if (size >= LONG_SIZE)
        write_varint(out, size);
    return 0;
}

static gint32 write_i16(ThriftProtocol *protocol, const gint16 value, FRAME_NO_ERROR)
{
    write_zigzag(frame_base_out(protocol), value);
    return 0;
}

static gint32 write_i32(ThriftProtocol *protocol, const gint32 value, FRAME_NO_ERROR)
{
    write_zigzag(frame_base_out(protocol), value);
    return 0;
}

static gint32 write_i64(ThriftProtocol *protocol, const gint64 value, FRAME_NO_ERROR)
{
    write_zigzag(frame_base_out(protocol), value);
    return 0;
}

static gint32 write_double(ThriftProtocol *protocol, const gdouble value, FRAME_NO_ERROR)
{
    guint64 bits;
    memcpy(&bits, &value, sizeof bits);
    bits = GUINT64_TO_LE(bits);
    frame_writer_append(frame_base_out(protocol), &bits, sizeof bits);
    return 0;
}

static gint32 write_binary(ThriftProtocol *protocol, const gpointer bytes, const guint32 length,
                           FRAME_NO_ERROR)
{
    FrameWriter *out = frame_base_out(protocol);
    if (!frame_writer_length_fits(out, length))
        return 0;
    write_varint(out, length);
    frame_writer_append(out, bytes, length);
    return 0;
}

/* --- reading ----------------------------------------------------------------------------- */

/* FALSE: failed, also when the value needs more than `bits` bits. */
static gboolean read_varint(FrameReader *in, guint bits, guint64 *value)
{
    *value = 0;
    for (guint shift = 0; shift < bits; shift += 7) {
        const guint8 *byte = frame_reader_take(in, 1, "varint");
        if (byte == NULL)
            return FALSE;
        guint64 part = *byte & 0x7f;
        if (bits - shift < 7 && part >> (bits - shift) != 0)
            break;
        *value |= part << shift;
        if (*byte < 0x80)
            return TRUE;
    }
    frame_reader_fail(in, "varint at byte %zu does not fit %u bits", frame_reader_offset(in), bits);
    return FALSE;
}

static gboolean read_zigzag(FrameReader *in, guint bits, gint64 *value)
{
    guint64 raw;
    if (!read_varint(in, bits, &raw))
        return FALSE;
    *value = (gint64)(raw >> 1) ^ -(gint64)(raw & 1);
    return TRUE;
}

static gboolean read_size(FrameReader *in, guint32 *size)
{
    guint64 raw;
    if (!read_varint(in, 32, &raw))
        return FALSE;
    *size = (guint32)raw;
    return TRUE;
}

/* The id that a field header says, or one outside of 16 bits: failed. */
static gboolean read_field_id(FrameReader *in, guint8 head, gint16 *id)
{
    gint64 wide = in->level->last_id + (head >> 4);
    if (head >> 4 == 0 && !read_zigzag(in, 16, &wide))
        return FALSE;
    if (wide > G_MAXINT16) {
        frame_reader_fail(in, "field id at byte %zu is beyond %d", frame_reader_offset(in),
                          G_MAXINT16);
        return FALSE;
    }
    *id = (gint16)wide;
    return TRUE;
}

static gint32 read_field_begin(ThriftProtocol *protocol, gchar **name, ThriftType *type, gint16 *id,
                               FRAME_NO_ERROR)
{
    FrameReader *in = frame_base_in(protocol);
    *name = NULL;
    *type = T_STOP;
    *id = 0;
    in->item = in->at;
    const guint8 *head = frame_reader_take(in, 1, "field header");
    if (head == NULL || *head == 0)
        return 0;
    guint8 wire_type = *head & 0x0f;
    if (!read_field_id(in, *head, id) || !frame_reader_field(in, type_from_wire[wire_type], *id))
        return 0;
    in->level->last_id = *id;
    in->level->header_bool = wire_type == WIRE_TRUE;
    *type = type_from_wire[wire_type];
    return 0;
}

static gint32 read_map_begin(ThriftProtocol *protocol, ThriftType *key, ThriftType *value,
                             guint32 *size, FRAME_NO_ERROR)
{
    static const guint8 no_types = 0;
    FrameReader *in = frame_base_in(protocol);
    guint32 count;
    *key = *value = T_STOP;
    *size = 0;
    if (!frame_reader_expect(in, T_MAP) || !read_size(in, &count))
        return 0;
    const guint8 *types = count > 0 ? frame_reader_take(in, 1, "map") : &no_types;
    if (types == NULL || !frame_reader_enter_container(in, T_MAP, type_from_wire[*types >> 4],
                                                       type_from_wire[*types & 0x0f], count))
        return 0;
    *key = type_from_wire[*types >> 4];
    *value = type_from_wire[*types & 0x0f];
    *size = count;
    return 0;
}

static gint32 read_sequence(ThriftProtocol *protocol, ThriftType kind, ThriftType *element,
                            guint32 *size)
{
    FrameReader *in = frame_base_in(protocol);
    *element = T_STOP;
    *size = 0;
    if (!frame_reader_expect(in, kind))
        return 0;
    const guint8 *head = frame_reader_take(in, 1, "container");
    if (head == NULL)
        return 0;
    guint32 count = *head >> 4;
    guint8 type = type_from_wire[*head & 0x0f];
    if (count == LONG_SIZE && !read_size(in, &count))
        return 0;
    if (!frame_reader_enter_container(in, kind, type, type, count))
        return 0;
    *element = type;
    *size = count;
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
    FrameReader *in = frame_base_in(protocol);
    *value = FALSE;
    if (!frame_reader_expect(in, T_BOOL))
        return 0;
    if (in->level->header_bool >= 0) {
        *value = in->level->header_bool != 0;
        return 0;
    }
    const guint8 *at = frame_reader_take(in, 1, "bool");
    *value = at != NULL && *at == WIRE_TRUE;
    return 0;
}

/* An integer of `bits` bits, or `otherwise` when that failed. */
static gint64 read_integer(ThriftProtocol *protocol, ThriftType type, guint bits, gint64 otherwise)
{
    FrameReader *in = frame_base_in(protocol);
    gint64 value;
    if (!frame_reader_expect(in, type) || !read_zigzag(in, bits, &value))
        return otherwise;
    return value;
}

static gint32 read_i16(ThriftProtocol *protocol, gint16 *value, FRAME_NO_ERROR)
{
    *value = (gint16)read_integer(protocol, T_I16, 16, 0);
    return 0;
}

static gint32 read_i32(ThriftProtocol *protocol, gint32 *value, FRAME_NO_ERROR)
{
    *value = (gint32)read_integer(protocol, T_I32, 32, FRAME_FAILED_I32);
    return 0;
}

static gint32 read_i64(ThriftProtocol *protocol, gint64 *value, FRAME_NO_ERROR)
{
    *value = read_integer(protocol, T_I64, 64, 0);
    return 0;
}

static gint32 read_double(ThriftProtocol *protocol, gdouble *value, FRAME_NO_ERROR)
{
    FrameReader *in = frame_base_in(protocol);
    guint64 bits = 0;
    const guint8 *at = NULL;
    if (frame_reader_expect(in, T_DOUBLE))
        at = frame_reader_take(in, sizeof bits, "double");
    if (at != NULL)
        memcpy(&bits, at, sizeof bits);
    bits = GUINT64_FROM_LE(bits);
    memcpy(value, &bits, sizeof *value);
    return 0;
}

static gint32 read_binary(ThriftProtocol *protocol, gpointer *bytes, guint32 *length,
                          FRAME_NO_ERROR)
{
    FrameReader *in = frame_base_in(protocol);
    *bytes = NULL;
    if (frame_reader_expect(in, T_STRING) && read_size(in, length))
        *bytes = frame_reader_string(in, *length);
    if (*bytes == NULL)
        *length = 0;
    return 0;
}

static void compact_protocol_class_init(CompactProtocolClass *class)
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

static void compact_protocol_init(CompactProtocol *protocol)
{
    frame_reader_init(&protocol->in, min_bytes);
}
