#include "daemon/front/header_frame.h"
#include "actor/ring/headers.h"
#include "daemon/base/deflate.h"

/* FALSE: they are malformed, or more than a call may carry. */
static gboolean collect(const WireTHeader *header, GByteArray **headers)
{
    g_autoptr(GByteArray) block = g_byte_array_new();
    WireTHeaderPairs pairs = wire_theader_pairs(header);
    WireTHeaderPair pair;
    while (wire_theader_next(&pairs, &pair)) {
        if (block->len + pair.key_bytes + pair.value_bytes > HEADERS_MAX_BYTES - 2)
            return FALSE;
        (void)headers_append(block, pair.key, pair.key_bytes, pair.value, pair.value_bytes);
    }
    if (pairs.cursor.verdict != WIRE_OK)
        return FALSE;
    if (block->len > 0)
        *headers = g_steal_pointer(&block);
    return TRUE;
}

static WireVerdict inflate(HeaderFrame *frame, gsize max_message_bytes)
{
    gsize bytes;
    gboolean too_large;
    guint8 *message = deflate_undo(frame->buffer + frame->offset, frame->bytes, max_message_bytes,
                                   &bytes, &too_large);
    if (message == NULL)
        return too_large ? WIRE_ZLIB_TOO_LARGE : WIRE_BAD_ZLIB;
    g_free(frame->buffer);
    frame->buffer = message;
    frame->offset = 0;
    frame->bytes = bytes;
    return WIRE_OK;
}

WireVerdict header_frame_open(guint8 *buffer, gsize offset, gsize bytes, gsize max_message_bytes,
                              HeaderFrame *frame)
{
    *frame = (HeaderFrame){ .buffer = buffer };
    WireVerdict verdict = wire_theader_read(buffer + offset, bytes, &frame->header);
    if (verdict == WIRE_OK && !collect(&frame->header, &frame->headers))
        verdict = WIRE_THEADER;
    frame->offset = offset + frame->header.message_offset;
    frame->bytes = bytes - frame->header.message_offset;
    if (verdict == WIRE_OK && frame->header.is_zlib)
        verdict = inflate(frame, max_message_bytes);
    if (verdict == WIRE_OK)
        return WIRE_OK;
    g_clear_pointer(&frame->headers, g_byte_array_unref);
    g_clear_pointer(&frame->buffer, g_free);
    return verdict;
}
