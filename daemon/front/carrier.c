#include "daemon/front/carrier.h"
#include "daemon/base/deflate.h"
#include "daemon/front/http_reply.h"
#include "daemon/front/reply_headers.h"
#include "daemon/front/websocket.h"
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

/* Also of a call that has no reply, but was not sent as oneway (Go's clients). */
static void wrap_in_http(Request *request, const ReplyHeaders *headers)
{
    GString *out = http_reply_head(request, headers, request->reply_bytes);
    if (request->reply_bytes > 0)
        g_string_append_len(out, (const gchar *)request->reply, (gssize)request->reply_bytes);
    const gsize bytes = out->len;
    request_carry_reply(request, (guint8 *)g_string_free(out, FALSE), bytes);
}

static void wrap_in_websocket(Request *request)
{
    guint8 head[WEBSOCKET_HEAD_MAX_BYTES];
    const gsize room = websocket_write_head(head, request->carrier.is_text, request->reply_bytes);
    guint8 *frame = g_malloc(room + request->reply_bytes);
    memcpy(frame, head, room);
    memcpy(frame + room, request->reply, request->reply_bytes);
    request_carry_reply(request, frame, room + request->reply_bytes);
}

void carrier_wrap(Request *request, gboolean is_going_away, gint64 now_usec)
{
    const CarrierKind kind = request->carrier.kind;
    if (kind == CARRIER_NONE || request->oneway || (request->reply == NULL && kind != CARRIER_HTTP))
        return;
    ReplyHeaders headers = reply_headers_of(request, is_going_away, now_usec);
    if (kind == CARRIER_THEADER)
        wrap_in_theader(request, &headers);
    else if (kind == CARRIER_HTTP)
        wrap_in_http(request, &headers);
    else
        wrap_in_websocket(request);
    reply_headers_clear(&headers);
}
