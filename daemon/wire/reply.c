/* reply.c - message heads and exceptions, encoded by hand (sink.h). */
#include "daemon/wire/reply.h"
#include "daemon/wire/sink.h"

/* A length that does not fit would need a frame that put_prefix() refuses. */
static void put_binary_string(WireSink *sink, gconstpointer bytes, gsize count)
{
    wire_put_u32(sink, (guint32)count);
    wire_put(sink, bytes, count);
}

static void put_compact_string(WireSink *sink, gconstpointer bytes, gsize count)
{
    wire_put_varint(sink, (guint32)count);
    wire_put(sink, bytes, count);
}

static void put_prefix(WireSink *sink, const WireAddress *to, gsize message_bytes)
{
    if (to->transport != WIRE_TRANSPORT_FRAMED)
        return;
    g_assert(message_bytes <= G_MAXINT32);
    wire_put_u32(sink, (guint32)message_bytes);
}

static void put_head(WireSink *sink, const WireAddress *to, WireMessageType type)
{
    if (to->protocol == WIRE_BINARY) {
        wire_put_u16(sink, WIRE_BINARY_VERSION);
        wire_put_u16(sink, type);
        put_binary_string(sink, to->name, to->name_bytes);
        wire_put_u32(sink, (guint32)to->seqid);
        return;
    }
    wire_put_u8(sink, WIRE_COMPACT_ID);
    wire_put_u8(sink, (guint8)(type << WIRE_COMPACT_TYPE_SHIFT | WIRE_COMPACT_VERSION));
    wire_put_varint(sink, (guint32)to->seqid);
    put_compact_string(sink, to->name, to->name_bytes);
}

/* struct { 1: string message, 2: i32 type } */
static void put_exception(WireSink *sink, const WireAddress *to, const WireException *what)
{
    put_head(sink, to, WIRE_EXCEPTION);
    if (to->protocol == WIRE_BINARY) {
        wire_put(sink, "\x0b\x00\x01", 3); /* string, id 1 */
        put_binary_string(sink, what->text, what->text_bytes);
        wire_put(sink, "\x08\x00\x02", 3); /* i32, id 2 */
        wire_put_u32(sink, what->type);
    } else {
        wire_put_u8(sink, 0x18); /* id 0 + 1, string */
        put_compact_string(sink, what->text, what->text_bytes);
        wire_put_u8(sink, 0x15);                /* id 1 + 1, i32 */
        wire_put_varint(sink, what->type << 1); /* zigzag of a number that is not negative */
    }
    wire_put_u8(sink, 0);
}

gsize wire_reply_head_bytes(const WireAddress *to)
{
    WireSink count = { .bytes = wire_prefix_bytes(to->transport) };
    put_head(&count, to, WIRE_REPLY);
    return count.bytes;
}

gsize wire_reply_head_write(guint8 *out, const WireAddress *to, gsize body_bytes)
{
    WireSink sink = { .out = out };
    put_prefix(&sink, to,
               wire_reply_head_bytes(to) - wire_prefix_bytes(to->transport) + body_bytes);
    put_head(&sink, to, WIRE_REPLY);
    return sink.bytes;
}

gsize wire_exception_bytes(const WireAddress *to, const WireException *what)
{
    WireSink count = { .bytes = wire_prefix_bytes(to->transport) };
    put_exception(&count, to, what);
    return count.bytes;
}

gsize wire_exception_write(guint8 *out, const WireAddress *to, const WireException *what)
{
    WireSink sink = { .out = out };
    put_prefix(&sink, to, wire_exception_bytes(to, what) - wire_prefix_bytes(to->transport));
    put_exception(&sink, to, what);
    return sink.bytes;
}
