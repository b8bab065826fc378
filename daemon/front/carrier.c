#include "daemon/front/carrier.h"
#include "daemon/base/deflate.h"
#include "daemon/front/reply_headers.h"
#include <string.h>

static void wrap_in_theader(Request *request, const ReplyHeaders *headers)
{
    const WireTHeaderReply head = {
        .flags = request->carrier.may_overtake ? WIRE_THEADER_OUT_OF_ORDER : 0,
        .seqid = request->carrier.seqid,
        .protocol = request->protocol,
        .is_zlib = request->carrier.is_zlib,
        .pairs = (const WireTHeaderPair *)headers->pairs->data,
        .n_pairs = headers->pairs->len,
    };
    const gsize room = wire_theader_bytes(&head);
    gsize body = request->reply_bytes;
    guint8 *frame;
    if (head.is_zlib) {
        frame = deflate_do(request->reply, request->reply_bytes, room, &body);
    } else {
        frame = g_malloc(room + body);
        memcpy(frame + room, request->reply, body);
    }
    wire_theader_write(frame, &head, body);
    request_carry_reply(request, frame, room + body);
}

void carrier_wrap(Request *request, gboolean is_going_away, gint64 now_usec)
{
    if (request->carrier.kind == CARRIER_NONE || request->reply == NULL)
        return;
    ReplyHeaders headers = reply_headers_of(request, is_going_away, now_usec);
    wrap_in_theader(request, &headers);
    reply_headers_clear(&headers);
}
