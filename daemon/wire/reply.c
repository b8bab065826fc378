/* reply.c - message heads and exceptions, encoded by hand (sink.h). */
#include "daemon/wire/reply.h"
#include "daemon/wire/json.h"
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

/* What it begins, JSON_TAIL ends. */
#define JSON_TAIL "]"
static void put_json_head(WireSink *sink, const WireAddress *to, WireMessageType type)
{
    wire_put(sink, "[1,", 3);
    wire_json_put_text(sink, (const gchar *)to->name, to->name_bytes);
    wire_put_u8(sink, ',');
    wire_json_put_integer(sink, type);
    wire_put_u8(sink, ',');
    wire_json_put_integer(sink, to->seqid);
    wire_put_u8(sink, ',');
}

static void put_head(WireSink *sink, const WireAddress *to, WireMessageType type)
{
    if (to->protocol == WIRE_JSON) {
        put_json_head(sink, to, type);
        return;
    }
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

static void put_words(WireSink *sink, const gchar *words) { wire_put(sink, words, strlen(words)); }

/* struct { 1: string message, 2: i32 type } */
static void put_exception(WireSink *sink, const WireAddress *to, const WireException *what)
{
    put_head(sink, to, WIRE_EXCEPTION);
    if (to->protocol == WIRE_BINARY) {
        wire_put(sink, "\x0b\x00\x01", 3); /* string, id 1 */
        put_binary_string(sink, what->text, what->text_bytes);
        wire_put(sink, "\x08\x00\x02", 3); /* i32, id 2 */
        wire_put_u32(sink, what->type);
        wire_put_u8(sink, 0);
    } else if (to->protocol == WIRE_JSON) {
        put_words(sink, "{\"1\":{\"str\":");
        wire_json_put_text(sink, what->text, what->text_bytes);
        put_words(sink, "},\"2\":{\"i32\":");
        wire_json_put_integer(sink, what->type);
        put_words(sink, "}}" JSON_TAIL);
    } else {
        wire_put_u8(sink, 0x18); /* id 0 + 1, string */
        put_compact_string(sink, what->text, what->text_bytes);
        wire_put_u8(sink, 0x15);                /* id 1 + 1, i32 */
        wire_put_varint(sink, what->type << 1); /* zigzag of a number that is not negative */
        wire_put_u8(sink, 0);
    }
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

static gboolean put_json_reply(WireSink *sink, const WireAddress *to, const guint8 *body,
                               gsize body_bytes)
{
    put_json_head(sink, to, WIRE_REPLY);
    const gboolean can = wire_json_put_struct(sink, body, body_bytes);
    put_words(sink, JSON_TAIL);
    return can;
}

gsize wire_json_reply_bytes(const WireAddress *to, const guint8 *body, gsize body_bytes)
{
    WireSink count = { .bytes = wire_prefix_bytes(to->transport) };
    return put_json_reply(&count, to, body, body_bytes) ? count.bytes : 0;
}

gsize wire_json_reply_write(guint8 *out, const WireAddress *to, const guint8 *body,
                            gsize body_bytes)
{
    const gsize prefix = wire_prefix_bytes(to->transport);
    WireSink message = { .out = out + prefix }, sink = { .out = out };
    put_json_reply(&message, to, body, body_bytes);
    put_prefix(&sink, to, message.bytes);
    return prefix + message.bytes;
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
