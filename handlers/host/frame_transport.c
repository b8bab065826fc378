/* frame_transport.c - read_end, write_end and flush that succeed at once. */
#include "handlers/host/frame_transport.h"

typedef ThriftTransport FrameTransport;
typedef ThriftTransportClass FrameTransportClass;

static GType frame_transport_get_type(void);
G_DEFINE_TYPE(FrameTransport, frame_transport, THRIFT_TYPE_TRANSPORT)

static gboolean nothing_to_do(G_GNUC_UNUSED ThriftTransport *transport,
                              G_GNUC_UNUSED GError **error)
{
    return TRUE;
}

static void frame_transport_class_init(FrameTransportClass *class)
{
    class->read_end = nothing_to_do;
    class->write_end = nothing_to_do;
    class->flush = nothing_to_do;
}

static void frame_transport_init(G_GNUC_UNUSED FrameTransport *transport) {}

ThriftTransport *frame_transport_new(void)
{
    return g_object_new(frame_transport_get_type(), NULL);
}
