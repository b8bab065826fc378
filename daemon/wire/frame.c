/* frame.c - the length prefix, and what else a first length may turn out to be. */
#include "daemon/wire/frame.h"
#include "daemon/wire/cursor.h"
#include "daemon/wire/json.h"
#include "daemon/wire/protocol.h"
#include <string.h>

static const gchar *const http_methods[] = {
    "GET ", "POST", "HEAD", "PUT ", "DELE", "OPTI", "PRI "
};

static gboolean is_unframed(guint32 prefix)
{
    guint8 type_and_version = prefix >> 16;
    return prefix >> 16 == WIRE_BINARY_VERSION || wire_is_json((guint8)(prefix >> 24)) ||
           (prefix >> 24 == WIRE_COMPACT_ID &&
            (type_and_version & WIRE_COMPACT_VERSION_MASK) == WIRE_COMPACT_VERSION);
}

/* The client's first bytes, read as a length, are over the limit: what are they? */
static WireVerdict explain_prefix(const guint8 *bytes, guint32 prefix)
{
    for (gsize i = 0; i < G_N_ELEMENTS(http_methods); i++)
        if (memcmp(bytes, http_methods[i], WIRE_FRAME_PREFIX_BYTES) == 0)
            return WIRE_HTTP;
    if (prefix >> 16 == 0x1603) /* a TLS record of type handshake, major version 3 */
        return WIRE_TLS;
    if (is_unframed(prefix))
        return WIRE_UNFRAMED;
    return prefix > G_MAXINT32 ? WIRE_FRAME_NEGATIVE : WIRE_FRAME_TOO_LARGE;
}

WireVerdict wire_frame_find(const guint8 *bytes, gsize length, gsize max_frame_bytes,
                            gsize *frame_bytes)
{
    g_assert(max_frame_bytes <= G_MAXINT32);
    WireCursor cursor = { .bytes = bytes, .length = length };
    guint32 prefix = wire_take_u32(&cursor);
    *frame_bytes = prefix;
    if (cursor.verdict != WIRE_OK)
        return cursor.verdict;
    if (prefix == 0)
        return WIRE_FRAME_EMPTY;
    if (prefix > max_frame_bytes)
        return explain_prefix(bytes, prefix);
    return length - cursor.at < prefix ? WIRE_MORE : WIRE_OK;
}
