/* theader.h - THeader: a frame that has keys and values, and perhaps a compressed message.
 *
 *   0f ff | u16 flags | u32 seqid | u16 words | varint protocol | varint n, transforms
 *         | infos | zeros up to 4 * words | the message, transformed
 *   info 1: varint n, then n times key and value, each a varint length and its bytes
 *
 * Libraries pad with 0 to 4 zeros; what follows an unknown info is skipped.  The one transform
 * that stock libraries have is zlib.
 *
 * Thread: any; pure.   Borrows: a WireTHeader points into the frame.                         */
#pragma once
#include "daemon/wire/cursor.h"
#include "daemon/wire/protocol.h"

/* A flag: replies may come in another order than their calls (fbthrift). */
#define WIRE_THEADER_OUT_OF_ORDER 0x0001u

typedef struct {
    guint16 flags;
    guint32 seqid; /* of the header; the message has its own */
    guint32 protocol;
    gboolean is_zlib;
    gsize message_offset; /* where the message begins, compressed if is_zlib */
    const guint8 *infos;
    gsize infos_bytes;
} WireTHeader;

gboolean wire_is_theader(const guint8 *frame, gsize length);

/* WIRE_OK, or what is wrong with it; never WIRE_MORE: the frame is whole. */
WireVerdict wire_theader_read(const guint8 *frame, gsize length, WireTHeader *header);

/* Its keys and values, one after the other. */
typedef struct {
    WireCursor cursor;
    guint32 left; /* of the info that is being read */
} WireTHeaderPairs;

typedef struct {
    const gchar *key, *value; /* not terminated, and any bytes */
    gsize key_bytes, value_bytes;
} WireTHeaderPair;

WireTHeaderPairs wire_theader_pairs(const WireTHeader *header);
/* FALSE: there are no more, or what follows is not a pair; then pairs->cursor.verdict says so. */
gboolean wire_theader_next(WireTHeaderPairs *pairs, WireTHeaderPair *pair);

/* --- replies ------------------------------------------------------------------------------ */

typedef struct {
    guint16 flags;
    guint32 seqid;
    WireProtocol protocol;
    gboolean is_zlib;
    const WireTHeaderPair *pairs;
    guint n_pairs;
} WireTHeaderReply;

/* All that stands before a message of so many bytes, its frame's length included. */
gsize wire_theader_bytes(const WireTHeaderReply *reply);
gsize wire_theader_write(guint8 *out, const WireTHeaderReply *reply, gsize message_bytes);
