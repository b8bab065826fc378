#include "daemon/wire/theader.h"
#include "daemon/wire/sink.h"

#define MAGIC         0x0fffu
#define FIXED_BYTES   10u /* up to and with the count of words */
#define WORD_BYTES    4u
#define INFO_KEYVALUE 1u
#define ID_ZLIB       1u
#define ID_PROTOCOLS  G_N_ELEMENTS(protocol_ids)

static const guint8 protocol_ids[] = { [WIRE_BINARY] = 0, [WIRE_JSON] = 1, [WIRE_COMPACT] = 2 };

gboolean wire_is_theader(const guint8 *frame, gsize length)
{
    return length >= 2 && frame[0] == MAGIC >> 8 && frame[1] == (MAGIC & 0xff);
}

static void read_transforms(WireCursor *cursor, WireTHeader *header)
{
    const guint32 n = wire_take_varint32(cursor);
    for (guint32 i = 0; i < n && cursor->verdict == WIRE_OK; i++) {
        if (wire_take_varint32(cursor) != ID_ZLIB || header->is_zlib)
            wire_refuse(cursor, WIRE_BAD_TRANSFORM);
        header->is_zlib = TRUE;
    }
}

WireVerdict wire_theader_read(const guint8 *frame, gsize length, WireTHeader *header)
{
    WireCursor cursor = { .bytes = frame, .length = length };
    *header = (WireTHeader){ .flags = 0 };
    wire_take(&cursor, 2);
    header->flags = wire_take_u16(&cursor);
    header->seqid = wire_take_u32(&cursor);
    const gsize words = wire_take_u16(&cursor);
    if (cursor.verdict != WIRE_OK || length - FIXED_BYTES < words * WORD_BYTES)
        return WIRE_THEADER;
    header->message_offset = FIXED_BYTES + words * WORD_BYTES;
    cursor.length = header->message_offset;
    header->protocol = wire_take_varint32(&cursor);
    read_transforms(&cursor, header);
    if (cursor.verdict == WIRE_BAD_TRANSFORM)
        return WIRE_BAD_TRANSFORM;
    if (cursor.verdict != WIRE_OK || header->message_offset == length ||
        header->protocol >= ID_PROTOCOLS)
        return WIRE_THEADER;
    header->infos = frame + cursor.at;
    header->infos_bytes = cursor.length - cursor.at;
    return WIRE_OK;
}

/* --- keys and values --------------------------------------------------------------------- */

WireTHeaderPairs wire_theader_pairs(const WireTHeader *header)
{
    return (WireTHeaderPairs){ { .bytes = header->infos, .length = header->infos_bytes }, 0 };
}

static gboolean take_text(WireCursor *cursor, const gchar **text, gsize *bytes)
{
    *bytes = wire_take_varint32(cursor);
    *text = (const gchar *)wire_take(cursor, *bytes);
    return cursor->verdict == WIRE_OK;
}

gboolean wire_theader_next(WireTHeaderPairs *pairs, WireTHeaderPair *pair)
{
    WireCursor *cursor = &pairs->cursor;
    while (pairs->left == 0) {
        if (cursor->at == cursor->length)
            return FALSE;
        if (wire_take_varint32(cursor) != INFO_KEYVALUE)
            return FALSE; /* padding, or what nobody here knows */
        pairs->left = wire_take_varint32(cursor);
        if (cursor->verdict != WIRE_OK)
            return FALSE;
    }
    pairs->left--;
    return take_text(cursor, &pair->key, &pair->key_bytes) &&
           take_text(cursor, &pair->value, &pair->value_bytes);
}

/* --- replies ----------------------------------------------------------------------------- */

static void put_text(WireSink *sink, const gchar *text, gsize bytes)
{
    wire_put_varint(sink, (guint32)bytes);
    wire_put(sink, text, bytes);
}

/* From the protocol on, with its padding. */
static void put_words(WireSink *sink, const WireTHeaderReply *reply)
{
    const gsize begin = sink->bytes;
    wire_put_varint(sink, protocol_ids[reply->protocol]);
    wire_put_varint(sink, reply->is_zlib ? 1 : 0);
    if (reply->is_zlib)
        wire_put_varint(sink, ID_ZLIB);
    if (reply->n_pairs > 0) {
        wire_put_varint(sink, INFO_KEYVALUE);
        wire_put_varint(sink, reply->n_pairs);
        for (guint i = 0; i < reply->n_pairs; i++) {
            put_text(sink, reply->pairs[i].key, reply->pairs[i].key_bytes);
            put_text(sink, reply->pairs[i].value, reply->pairs[i].value_bytes);
        }
    }
    while ((sink->bytes - begin) % WORD_BYTES != 0)
        wire_put_u8(sink, 0);
}

gsize wire_theader_bytes(const WireTHeaderReply *reply)
{
    WireSink count = { NULL, WIRE_FRAME_PREFIX_BYTES + FIXED_BYTES };
    put_words(&count, reply);
    return count.bytes;
}

gsize wire_theader_write(guint8 *out, const WireTHeaderReply *reply, gsize message_bytes)
{
    WireSink sink = { out, 0 };
    const gsize bytes = wire_theader_bytes(reply);
    wire_put_u32(&sink, (guint32)(bytes - WIRE_FRAME_PREFIX_BYTES + message_bytes));
    wire_put_u16(&sink, MAGIC);
    wire_put_u16(&sink, reply->flags);
    wire_put_u32(&sink, reply->seqid);
    wire_put_u16(&sink, (guint16)((bytes - WIRE_FRAME_PREFIX_BYTES - FIXED_BYTES) / WORD_BYTES));
    put_words(&sink, reply);
    return sink.bytes;
}
