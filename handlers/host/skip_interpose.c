/* skip_interpose.c - the host's own thrift_protocol_skip(), with which generated code steps over
 * fields that it does not know.
 *
 * No header: callers know it from <thrift/c_glib/protocol/thrift_protocol.h>.  See
 * gtype_interpose.c for how it comes to be found first.
 *
 * Why: libthrift's reads a string as a binary.  Of a call that came in JSON (json_protocol.h) a
 * binary is Base64, and a text that is none would be refused: a newer client could not be served.
 * Here the bytes are stepped over as they are.
 *
 * Calls itself for values in values, at most FRAME_MAX_DEPTH deep whatever the protocol.
 *
 * Thread: any.                                                                           */
#include "handlers/host/frame_base.h"

static gint32 skip(ThriftProtocol *protocol, ThriftType type, guint depth, GError **error);

static gint32 skip_string(ThriftProtocol *protocol, GError **error)
{
    gpointer bytes = NULL;
    guint32 length;
    const gboolean ours = G_TYPE_CHECK_INSTANCE_TYPE(protocol, FRAME_TYPE_BASE);
    const gint32 result =
        ours ? FRAME_BASE_GET_CLASS(protocol)->read_bytes(protocol, &bytes, &length, error)
             : thrift_protocol_read_binary(protocol, &bytes, &length, error);
    g_free(bytes);
    return result;
}

static gint32 skip_struct(ThriftProtocol *protocol, guint depth, GError **error)
{
    ThriftType type;
    gint16 id;
    gchar *name = NULL;
    gint32 result = thrift_protocol_read_struct_begin(protocol, &name, error);
    g_clear_pointer(&name, g_free);
    while (result >= 0) {
        result = thrift_protocol_read_field_begin(protocol, &name, &type, &id, error);
        g_clear_pointer(&name, g_free);
        if (result >= 0 && type == T_STOP)
            return thrift_protocol_read_struct_end(protocol, error);
        if (result >= 0)
            result = skip(protocol, type, depth, error);
        if (result >= 0)
            result = thrift_protocol_read_field_end(protocol, error);
    }
    return result;
}

static gint32 skip_map(ThriftProtocol *protocol, guint depth, GError **error)
{
    ThriftType key, value;
    guint32 size = 0;
    gint32 result = thrift_protocol_read_map_begin(protocol, &key, &value, &size, error);
    for (guint32 i = 0; i < size && result >= 0; i++) {
        result = skip(protocol, key, depth, error);
        if (result >= 0)
            result = skip(protocol, value, depth, error);
    }
    return result < 0 ? result : thrift_protocol_read_map_end(protocol, error);
}

static gint32 skip_list(ThriftProtocol *protocol, ThriftType kind, guint depth, GError **error)
{
    ThriftType element;
    guint32 size = 0;
    gint32 result = kind == T_SET
                        ? thrift_protocol_read_set_begin(protocol, &element, &size, error)
                        : thrift_protocol_read_list_begin(protocol, &element, &size, error);
    for (guint32 i = 0; i < size && result >= 0; i++)
        result = skip(protocol, element, depth, error);
    if (result < 0)
        return result;
    return kind == T_SET ? thrift_protocol_read_set_end(protocol, error)
                         : thrift_protocol_read_list_end(protocol, error);
}

static gint32 skip_number(ThriftProtocol *protocol, ThriftType type, GError **error)
{
    union {
        gboolean truth;
        gint8 i8;
        gint16 i16;
        gint32 i32;
        gint64 i64;
        gdouble real;
    } value;
    if (type == T_BOOL)
        return thrift_protocol_read_bool(protocol, &value.truth, error);
    if (type == T_BYTE)
        return thrift_protocol_read_byte(protocol, &value.i8, error);
    if (type == T_I16)
        return thrift_protocol_read_i16(protocol, &value.i16, error);
    if (type == T_I32)
        return thrift_protocol_read_i32(protocol, &value.i32, error);
    if (type == T_I64)
        return thrift_protocol_read_i64(protocol, &value.i64, error);
    if (type == T_DOUBLE)
        return thrift_protocol_read_double(protocol, &value.real, error);
    g_set_error(error, THRIFT_PROTOCOL_ERROR, THRIFT_PROTOCOL_ERROR_INVALID_DATA,
                "a field to skip has the unknown type %d", (gint)type);
    return -1;
}

static gint32 skip(ThriftProtocol *protocol, ThriftType type, guint depth, GError **error)
{
    if (depth == FRAME_MAX_DEPTH) {
        g_set_error(error, THRIFT_PROTOCOL_ERROR, THRIFT_PROTOCOL_ERROR_DEPTH_LIMIT,
                    "a field to skip has more than %u levels", FRAME_MAX_DEPTH);
        return -1;
    }
    if (type == T_STRING)
        return skip_string(protocol, error);
    if (type == T_STRUCT)
        return skip_struct(protocol, depth + 1, error);
    if (type == T_MAP)
        return skip_map(protocol, depth + 1, error);
    if (type == T_SET || type == T_LIST)
        return skip_list(protocol, type, depth + 1, error);
    return skip_number(protocol, type, error);
}

gint32 thrift_protocol_skip(ThriftProtocol *protocol, ThriftType type, GError **error)
{
    return skip(protocol, type, 0, error);
}
