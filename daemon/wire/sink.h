/* sink.h - where encoders write.  Each runs twice, first into a sink without memory, which only
 * counts: so the bytes announced and the bytes written cannot differ.
 *
 * Thread: one at a time.   Borrows: the memory, which is as large as was counted.            */
#pragma once
#include <glib.h>
#include <string.h>

typedef struct {
    guint8 *out; /* NULL: count only */
    gsize bytes;
} WireSink;

static inline void wire_put(WireSink *sink, gconstpointer bytes, gsize count)
{
    if (sink->out != NULL && count > 0)
        memcpy(sink->out + sink->bytes, bytes, count);
    sink->bytes += count;
}

static inline void wire_put_u8(WireSink *sink, guint8 value) { wire_put(sink, &value, 1); }

static inline void wire_put_u16(WireSink *sink, guint16 value)
{
    guint16 big_endian = GUINT16_TO_BE(value);
    wire_put(sink, &big_endian, sizeof big_endian);
}

static inline void wire_put_u32(WireSink *sink, guint32 value)
{
    guint32 big_endian = GUINT32_TO_BE(value);
    wire_put(sink, &big_endian, sizeof big_endian);
}

static inline void wire_put_varint(WireSink *sink, guint32 value)
{
    for (; value >= 0x80; value >>= 7)
        wire_put_u8(sink, (guint8)(value | 0x80));
    wire_put_u8(sink, (guint8)value);
}
