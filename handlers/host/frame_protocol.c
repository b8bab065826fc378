/* frame_protocol.c - one call through a protocol object: begin, verdict, output. */
#include "handlers/host/frame_protocol.h"
#include "handlers/host/binary_protocol.h"
#include "handlers/host/compact_protocol.h"
#include "handlers/host/frame_base.h"
#include "handlers/host/frame_transport.h"
#include "handlers/host/json_protocol.h"

ThriftProtocol *frame_protocol_new(RingProtocol kind)
{
    const GType types[RING_PROTOCOLS] = {
        [RING_BINARY] = BINARY_TYPE_PROTOCOL,
        [RING_COMPACT] = COMPACT_TYPE_PROTOCOL,
        [RING_JSON] = JSON_TYPE_PROTOCOL,
    };
    g_autoptr(GObject) transport = G_OBJECT(frame_transport_new());
    return g_object_new(types[kind], "transport", transport, NULL);
}

void frame_protocol_begin(ThriftProtocol *protocol, const guint8 *args, gsize args_bytes,
                          guint8 *reply, gsize reply_capacity)
{
    g_assert(args != NULL && reply != NULL);
    FrameBase *base = FRAME_BASE(protocol);
    frame_reader_begin(&base->in, args, args_bytes);
    frame_writer_begin(&base->out, reply, reply_capacity);
    g_clear_pointer(&base->exception_text, g_free);
    base->reached_end = base->message_ended = FALSE;
    base->messages = 0;
}

const gchar *frame_protocol_input_error(ThriftProtocol *protocol)
{
    return FRAME_BASE(protocol)->in.error;
}

gboolean frame_protocol_reached_end(ThriftProtocol *protocol)
{
    return FRAME_BASE(protocol)->reached_end;
}

void frame_protocol_output(ThriftProtocol *protocol, FrameOutput *output)
{
    const FrameBase *base = FRAME_BASE(protocol);
    *output = (FrameOutput){
        .messages = base->messages,
        .type = base->message_type,
        .complete = base->message_ended && frame_writer_balanced(&base->out),
        .overflow = base->out.state == FRAME_OVERFLOW,
        .body_bytes = (gsize)(base->out.at - base->out.start),
        .exception_text = base->exception_text,
    };
}
