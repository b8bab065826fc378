/* frame_base.h - what the binary and the compact protocol class have in common.
 *
 * An abstract ThriftProtocol with a FrameReader and a FrameWriter: messages, structs, bytes
 * and every *_end.  A subclass adds how field headers, containers, numbers and lengths are
 * encoded.  All vfuncs return 0: no generated code uses the number of bytes.
 *
 * Thread: one at a time.  Owns: reader, writer, texts.                                     */
#pragma once
#include "handlers/host/frame_reader.h"
#include "handlers/host/frame_writer.h"

typedef struct {
    ThriftProtocol parent;
    FrameReader in;
    FrameWriter out;
    gboolean reached_end;
    guint messages;
    ThriftMessageType message_type;
    gboolean message_ended;
    gchar *exception_text;
} FrameBase;

/* A string or binary as its encoding writes it. */
typedef struct {
    ThriftProtocolClass parent;
    gint32 (*write_bytes)(ThriftProtocol *protocol, const gpointer bytes, const guint32 length,
                          GError **error);
    gint32 (*read_bytes)(ThriftProtocol *protocol, gpointer *bytes, guint32 *length,
                         GError **error);
} FrameBaseClass;

GType frame_base_get_type(void);
#define FRAME_TYPE_BASE (frame_base_get_type())
#define FRAME_BASE(obj) (G_TYPE_CHECK_INSTANCE_CAST((obj), FRAME_TYPE_BASE, FrameBase))

#define FRAME_BASE_GET_CLASS(protocol) ((FrameBaseClass *)THRIFT_PROTOCOL_GET_CLASS(protocol))

/* Last parameter of the vfuncs: a problem is the reader's or the writer's, never a GError. */
#define FRAME_NO_ERROR G_GNUC_UNUSED GError **error

/* What a failed read_i32 yields.  Not 0: generated readers drop a map entry whose key is the
 * enum value 0 and leak the value. */
#define FRAME_FAILED_I32 1

/* For vfuncs, which are only ever called on their own class: no checked cast per value. */
static inline FrameReader *frame_base_in(ThriftProtocol *protocol)
{
    return &((FrameBase *)protocol)->in;
}

static inline FrameWriter *frame_base_out(ThriftProtocol *protocol)
{
    return &((FrameBase *)protocol)->out;
}
