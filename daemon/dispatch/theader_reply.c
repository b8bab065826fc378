#include "daemon/dispatch/theader_reply.h"
#include "actor/ring/headers.h"
#include "daemon/base/deflate.h"
#include "daemon/wire/theader.h"
#include <string.h>

/* A worker wrote the block: it may end anywhere. */
static GArray *pairs_of(const GByteArray *block)
{
    GArray *pairs = g_array_new(FALSE, FALSE, sizeof(WireTHeaderPair));
    HeaderCursor cursor = { block != NULL ? block->data : NULL, block != NULL ? block->len : 0 };
    const gchar *name, *value;
    while (headers_next(&cursor, &name, &value)) {
        const WireTHeaderPair pair = { name, value, strlen(name), strlen(value) };
        g_array_append_val(pairs, pair);
    }
    return pairs;
}

guint8 *theader_reply_wrap(const Request *request, guint8 *message, gsize bytes, gsize *frame_bytes)
{
    g_autoptr(GArray) pairs = pairs_of(request->reply_headers);
    g_autofree guint8 *plain = message;
    const WireTHeaderReply reply = {
        .flags = 0,
        .seqid = request->carrier.seqid,
        .protocol = request->protocol,
        .is_zlib = request->carrier.is_zlib,
        .pairs = (const WireTHeaderPair *)pairs->data,
        .n_pairs = pairs->len,
    };
    const gsize room = wire_theader_bytes(&reply);
    gsize body = bytes;
    guint8 *frame = NULL;
    if (reply.is_zlib) {
        frame = deflate_do(plain, bytes, room, &body);
    } else {
        frame = g_malloc(room + bytes);
        memcpy(frame + room, plain, bytes);
    }
    wire_theader_write(frame, &reply, body);
    *frame_bytes = room + body;
    return frame;
}
