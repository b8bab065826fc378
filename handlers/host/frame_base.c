/* frame_base.c - messages, structs, bytes and ends: the same in both protocols. */
#include "handlers/host/frame_base.h"
#include <string.h>

G_DEFINE_ABSTRACT_TYPE(FrameBase, frame_base, THRIFT_TYPE_PROTOCOL)

/* --- writing ----------------------------------------------------------------------------- */

static gint32 write_message_begin(ThriftProtocol *protocol, G_GNUC_UNUSED const gchar *name,
                                  const ThriftMessageType type, G_GNUC_UNUSED const gint32 seqid,
                                  FRAME_NO_ERROR)
{
    FrameBase *base = (FrameBase *)protocol;
    if (base->messages++ > 0)
        return 0;
    base->message_type = type;
    if (type == T_EXCEPTION)
        frame_writer_stop(&base->out, FRAME_MUTED);
    return 0;
}

static gint32 write_message_end(ThriftProtocol *protocol, FRAME_NO_ERROR)
{
    ((FrameBase *)protocol)->message_ended = TRUE;
    return 0;
}

static gint32 write_struct_begin(ThriftProtocol *protocol, G_GNUC_UNUSED const gchar *name,
                                 FRAME_NO_ERROR)
{
    frame_writer_enter_struct(frame_base_out(protocol));
    return 0;
}

/* Of a struct or a container. */
static gint32 write_end(ThriftProtocol *protocol, FRAME_NO_ERROR)
{
    frame_writer_leave(frame_base_out(protocol));
    return 0;
}

static gint32 write_field_stop(ThriftProtocol *protocol, FRAME_NO_ERROR)
{
    frame_writer_field_stop(frame_base_out(protocol));
    return 0;
}

static gint32 write_byte(ThriftProtocol *protocol, const gint8 value, FRAME_NO_ERROR)
{
    frame_writer_byte(frame_base_out(protocol), (guint8)value);
    return 0;
}

static gint32 write_string(ThriftProtocol *protocol, const gchar *text, GError **error)
{
    FrameBase *base = (FrameBase *)protocol;
    if (base->out.state == FRAME_MUTED) {
        if (base->exception_text == NULL)
            base->exception_text = g_strdup(text);
        return 0;
    }
    gsize length = text != NULL ? strlen(text) : 0;
    if (!frame_writer_length_fits(&base->out, length))
        return 0;
    return FRAME_BASE_GET_CLASS(protocol)->write_bytes(protocol, (gpointer)text, (guint32)length,
                                                       error);
}

/* --- reading ----------------------------------------------------------------------------- */

static gint32 read_message_begin(G_GNUC_UNUSED ThriftProtocol *protocol, G_GNUC_UNUSED gchar **name,
                                 G_GNUC_UNUSED ThriftMessageType *type, G_GNUC_UNUSED gint32 *seqid,
                                 FRAME_NO_ERROR)
{
    g_assert_not_reached(); /* sluiced has read the head; process functions do not ask for it */
}

static gint32 read_message_end(ThriftProtocol *protocol, GError **error)
{
    FrameBase *base = (FrameBase *)protocol;
    base->reached_end = TRUE;
    if (base->in.error == NULL)
        return 0;
    g_set_error_literal(error, THRIFT_PROTOCOL_ERROR, THRIFT_PROTOCOL_ERROR_INVALID_DATA,
                        base->in.error);
    return -1;
}

static gint32 read_struct_begin(ThriftProtocol *protocol, gchar **name, FRAME_NO_ERROR)
{
    *name = NULL;
    frame_reader_enter_struct(frame_base_in(protocol));
    return 0;
}

static gint32 read_byte(ThriftProtocol *protocol, gint8 *value, FRAME_NO_ERROR)
{
    FrameReader *in = frame_base_in(protocol);
    const guint8 *byte = NULL;
    if (frame_reader_expect(in, T_BYTE))
        byte = frame_reader_take(in, 1, "i8");
    *value = byte != NULL ? (gint8)*byte : 0;
    return 0;
}

/* "" for a string that could not be read: a map entry without key would be leaked.  One with a
 * NUL would be another for the handler than for the client, and for `key` than for the handler. */
static gint32 read_string(ThriftProtocol *protocol, gchar **text, GError **error)
{
    FrameReader *in = frame_base_in(protocol);
    gpointer bytes;
    guint32 length;
    FRAME_BASE_GET_CLASS(protocol)->read_bytes(protocol, &bytes, &length, error);
    const gchar *nul = bytes != NULL ? memchr(bytes, '\0', length) : NULL;
    if (G_UNLIKELY(nul != NULL))
        frame_reader_fail(in,
                          "string at byte %zu has a NUL at its byte %zu, and C code would see it "
                          "end there",
                          frame_reader_offset(in), (gsize)(nul - (const gchar *)bytes));
    *text = bytes != NULL ? bytes : g_strdup("");
    return 0;
}

static gint32 leave(ThriftProtocol *protocol, FRAME_NO_ERROR)
{
    frame_reader_leave(frame_base_in(protocol));
    return 0;
}

/* --- both -------------------------------------------------------------------------------- */

static gint32 nothing_to_do(G_GNUC_UNUSED ThriftProtocol *protocol, FRAME_NO_ERROR) { return 0; }

static gint min_serialized_size(ThriftProtocol *protocol, ThriftType type, GError **error)
{
    guint8 bytes = type < FRAME_TYPES ? frame_base_in(protocol)->min_bytes[type] : 0;
    if (bytes > 0)
        return bytes;
    g_set_error(error, THRIFT_PROTOCOL_ERROR, THRIFT_PROTOCOL_ERROR_INVALID_DATA,
                "type %d has no encoding", type);
    return -1;
}

static void frame_base_finalize(GObject *object)
{
    FrameBase *base = FRAME_BASE(object);
    frame_reader_clear(&base->in);
    g_free(base->exception_text);
    G_OBJECT_CLASS(frame_base_parent_class)->finalize(object);
}

static void frame_base_class_init(FrameBaseClass *class)
{
    G_OBJECT_CLASS(class)->finalize = frame_base_finalize;
    ThriftProtocolClass *vfuncs = &class->parent;
    vfuncs->write_message_begin = write_message_begin;
    vfuncs->write_message_end = write_message_end;
    vfuncs->write_struct_begin = write_struct_begin;
    vfuncs->write_struct_end = write_end;
    vfuncs->write_field_end = nothing_to_do;
    vfuncs->write_field_stop = write_field_stop;
    vfuncs->write_map_end = write_end;
    vfuncs->write_list_end = write_end;
    vfuncs->write_set_end = write_end;
    vfuncs->write_byte = write_byte;
    vfuncs->write_string = write_string;
    vfuncs->read_message_begin = read_message_begin;
    vfuncs->read_message_end = read_message_end;
    vfuncs->read_struct_begin = read_struct_begin;
    vfuncs->read_struct_end = leave;
    vfuncs->read_field_end = nothing_to_do;
    vfuncs->read_map_end = leave;
    vfuncs->read_list_end = leave;
    vfuncs->read_set_end = leave;
    vfuncs->read_byte = read_byte;
    vfuncs->read_string = read_string;
    vfuncs->get_min_serialized_size = min_serialized_size;
}

static void frame_base_init(G_GNUC_UNUSED FrameBase *base) {}
