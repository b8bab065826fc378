/* cursor.h - the only place here that reads a byte somebody else sent.
 *
 * The first thing that goes wrong sticks: it sets the verdict and moves to the end, and from
 * there every read is empty.  So a decoder reads on without asking after each step, and asks
 * for the verdict once; only its loops must stop at a verdict.
 *
 * Thread: one at a time.   Borrows: the bytes.                                            */
#pragma once
#include "daemon/wire/wire_verdict.h"

#define WIRE_VARINT32_BYTES 5u
#define WIRE_VARINT64_BYTES 10u

typedef struct {
    const guint8 *bytes;
    gsize length;
    gsize at; /* <= length */
    WireVerdict verdict;
} WireCursor;

static inline void wire_refuse(WireCursor *cursor, WireVerdict why)
{
    if (cursor->verdict == WIRE_OK)
        cursor->verdict = why;
    cursor->at = cursor->length;
}

/* The next `count` bytes, or NULL and WIRE_MORE. */
static inline const guint8 *wire_take(WireCursor *cursor, gsize count)
{
    if (cursor->verdict != WIRE_OK || cursor->length - cursor->at < count) {
        wire_refuse(cursor, WIRE_MORE);
        return NULL;
    }
    const guint8 *taken = cursor->bytes + cursor->at;
    cursor->at += count;
    return taken;
}

static inline guint8 wire_take_u8(WireCursor *cursor)
{
    const guint8 *taken = wire_take(cursor, 1);
    return taken != NULL ? taken[0] : 0;
}

static inline guint16 wire_take_u16(WireCursor *cursor)
{
    const guint8 *taken = wire_take(cursor, 2);
    return taken != NULL ? (guint16)(taken[0] << 8 | taken[1]) : 0;
}

static inline guint32 wire_take_u32(WireCursor *cursor)
{
    const guint8 *taken = wire_take(cursor, 4);
    if (taken == NULL)
        return 0;
    return (guint32)taken[0] << 24 | (guint32)taken[1] << 16 | (guint32)taken[2] << 8 | taken[3];
}

/* Seven bits per byte, lowest first; the high bit says that another byte follows. */
static inline guint64 wire_take_varint(WireCursor *cursor, guint max_bytes)
{
    guint64 value = 0;
    for (guint i = 0; i < max_bytes; i++) {
        guint8 byte = wire_take_u8(cursor);
        value |= (guint64)(byte & 0x7f) << (7 * i);
        if (byte < 0x80)
            return value;
    }
    wire_refuse(cursor, WIRE_BAD_VARINT);
    return 0;
}

static inline guint32 wire_take_varint32(WireCursor *cursor)
{
    guint64 value = wire_take_varint(cursor, WIRE_VARINT32_BYTES);
    if (value > G_MAXUINT32)
        wire_refuse(cursor, WIRE_BAD_VARINT);
    return (guint32)value;
}
