#include "daemon/front/refusal.h"
#include "daemon/wire/head.h"
#include "daemon/wire/reply.h"
#include <string.h>

DaemonCounter refusal_counter(WireVerdict verdict)
{
    static const DaemonCounter counters[WIRE_VERDICT_COUNT] = {
        [WIRE_FRAME_EMPTY] = CTR_PROTOCOL_FRAME_EMPTY,
        [WIRE_FRAME_TOO_LARGE] = CTR_PROTOCOL_FRAME_TOO_LARGE,
        [WIRE_FRAME_NEGATIVE] = CTR_PROTOCOL_FRAME_NEGATIVE,
        [WIRE_HTTP] = CTR_PROTOCOL_HTTP,
        [WIRE_WEBSOCKET] = CTR_PROTOCOL_WEBSOCKET,
        [WIRE_TRAILING] = CTR_PROTOCOL_TRAILING,
        [WIRE_TLS] = CTR_PROTOCOL_TLS,
        [WIRE_BAD_PROXY] = CTR_PROTOCOL_BAD_PROXY,
        [WIRE_UNFRAMED] = CTR_PROTOCOL_UNFRAMED, /* behind frames */
        [WIRE_THEADER] = CTR_PROTOCOL_THEADER,
        [WIRE_BAD_TRANSFORM] = CTR_PROTOCOL_BAD_TRANSFORM,
        [WIRE_BAD_ZLIB] = CTR_PROTOCOL_BAD_ZLIB,
        [WIRE_ZLIB_TOO_LARGE] = CTR_PROTOCOL_ZLIB_TOO_LARGE,
        [WIRE_NOT_THRIFT] = CTR_PROTOCOL_NOT_THRIFT,
        [WIRE_BAD_VERSION] = CTR_PROTOCOL_BAD_VERSION,
        [WIRE_BAD_TYPE] = CTR_PROTOCOL_BAD_TYPE,
        [WIRE_BAD_NAME] = CTR_PROTOCOL_BAD_NAME,
        [WIRE_BAD_JSON] = CTR_PROTOCOL_BAD_JSON,
        [WIRE_BAD_VARINT] = CTR_PROTOCOL_BAD_VARINT,
        [WIRE_TRUNCATED] = CTR_PROTOCOL_TRUNCATED,
        [WIRE_BAD_FIELD_TYPE] = CTR_PROTOCOL_BAD_FIELD_TYPE,
        [WIRE_BAD_LENGTH] = CTR_PROTOCOL_BAD_LENGTH,
        [WIRE_BAD_COUNT] = CTR_PROTOCOL_BAD_COUNT,
        [WIRE_TOO_DEEP] = CTR_PROTOCOL_TOO_DEEP,
    };
    g_assert(counters[verdict] != 0);
    return counters[verdict];
}

guint8 *refusal_of_large_message(WireTransport transport, const guint8 *bytes, gsize length,
                                 guint64 limit_bytes, gsize *reply_bytes)
{
    /* Whose first length is too large has shown nothing else. */
    const WireTransport by =
        transport == WIRE_TRANSPORT_UNKNOWN ? WIRE_TRANSPORT_FRAMED : transport;
    const gsize prefix = wire_prefix_bytes(by);
    WireHead head;
    if (length < prefix || wire_head_peek(bytes + prefix, length - prefix, &head) != WIRE_OK ||
        head.type != WIRE_CALL)
        return NULL;
    g_autofree gchar *text = g_strdup_printf(
        "frame_too_large: the limit is max-frame-bytes = %" G_GUINT64_FORMAT, limit_bytes);
    const WireAddress to = { by, head.protocol, head.seqid, head.name, head.name_bytes };
    const WireException what = { WIRE_EXCEPTION_PROTOCOL_ERROR, text, strlen(text) };
    *reply_bytes = wire_exception_bytes(&to, &what);
    guint8 *reply = g_malloc(*reply_bytes);
    wire_exception_write(reply, &to, &what);
    return reply;
}
