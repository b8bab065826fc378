/* reply.c - message heads and exceptions, encoded by hand.
 *
 * Every encoder runs twice, first into a sink without memory, which only counts: so the
 * bytes announced and the bytes written cannot differ.                                     */
#include "daemon/wire/reply.h"
#include <string.h>

typedef struct {
    guint8 *out; /* NULL: count only */
    gsize bytes;
} Sink;

static void put(Sink *sink, gconstpointer bytes, gsize count)
{
    if (sink->out != NULL && count > 0)
        memcpy(sink->out + sink->bytes, bytes, count);
    sink->bytes += count;
}

static void put_u8(Sink *sink, guint8 value) { put(sink, &value, 1); }

static void put_u16(Sink *sink, guint16 value)
{
    guint16 big_endian = GUINT16_TO_BE(value);
    put(sink, &big_endian, sizeof big_endian);
}

static void put_u32(Sink *sink, guint32 value)
{
    guint32 big_endian = GUINT32_TO_BE(value);
    put(sink, &big_endian, sizeof big_endian);
}

static void put_varint(Sink *sink, guint32 value)
{
    for (; value >= 0x80; value >>= 7)
        put_u8(sink, (guint8)(value | 0x80));
    put_u8(sink, (guint8)value);
}

/* A length that does not fit would need a frame that put_prefix() refuses. */
static void put_binary_string(Sink *sink, gconstpointer bytes, gsize count)
{
    put_u32(sink, (guint32)count);
    put(sink, bytes, count);
}

static void put_compact_string(Sink *sink, gconstpointer bytes, gsize count)
{
    put_varint(sink, (guint32)count);
    put(sink, bytes, count);
}

static void put_prefix(Sink *sink, const WireAddress *to, gsize message_bytes)
{
    if (to->transport != WIRE_TRANSPORT_FRAMED)
        return;
    g_assert(message_bytes <= G_MAXINT32);
    put_u32(sink, (guint32)message_bytes);
}

static void put_head(Sink *sink, const WireAddress *to, WireMessageType type)
{
    if (to->protocol == WIRE_BINARY) {
        put_u16(sink, WIRE_BINARY_VERSION);
        put_u16(sink, type);
        put_binary_string(sink, to->name, to->name_bytes);
        put_u32(sink, (guint32)to->seqid);
        return;
    }
    put_u8(sink, WIRE_COMPACT_ID);
    put_u8(sink, (guint8)(type << WIRE_COMPACT_TYPE_SHIFT | WIRE_COMPACT_VERSION));
    put_varint(sink, (guint32)to->seqid);
    put_compact_string(sink, to->name, to->name_bytes);
}

/* struct { 1: string message, 2: i32 type } */
static void put_exception(Sink *sink, const WireAddress *to, const WireException *what)
{
    put_head(sink, to, WIRE_EXCEPTION);
    if (to->protocol == WIRE_BINARY) {
        put(sink, "\x0b\x00\x01", 3); /* string, id 1 */
        put_binary_string(sink, what->text, what->text_bytes);
        put(sink, "\x08\x00\x02", 3); /* i32, id 2 */
        put_u32(sink, what->type);
    } else {
        put_u8(sink, 0x18); /* id 0 + 1, string */
        put_compact_string(sink, what->text, what->text_bytes);
        put_u8(sink, 0x15);                /* id 1 + 1, i32 */
        put_varint(sink, what->type << 1); /* zigzag of a number that is not negative */
    }
    put_u8(sink, 0);
}

gsize wire_reply_head_bytes(const WireAddress *to)
{
    Sink count = { .bytes = wire_prefix_bytes(to->transport) };
    put_head(&count, to, WIRE_REPLY);
    return count.bytes;
}

gsize wire_reply_head_write(guint8 *out, const WireAddress *to, gsize body_bytes)
{
    Sink sink = { .out = out };
    put_prefix(&sink, to,
               wire_reply_head_bytes(to) - wire_prefix_bytes(to->transport) + body_bytes);
    put_head(&sink, to, WIRE_REPLY);
    return sink.bytes;
}

gsize wire_exception_bytes(const WireAddress *to, const WireException *what)
{
    Sink count = { .bytes = wire_prefix_bytes(to->transport) };
    put_exception(&count, to, what);
    return count.bytes;
}

gsize wire_exception_write(guint8 *out, const WireAddress *to, const WireException *what)
{
    Sink sink = { .out = out };
    put_prefix(&sink, to, wire_exception_bytes(to, what) - wire_prefix_bytes(to->transport));
    put_exception(&sink, to, what);
    return sink.bytes;
}
