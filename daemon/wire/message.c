#include "daemon/wire/message.h"
#include "daemon/wire/frame.h"
#include "daemon/wire/head.h"

void wire_scan_begin(WireScan *scan, WireTransport transport)
{
    scan->transport = transport;
    scan->head_bytes = 0;
    scan->json = (WireJsonScan){ 0 };
}

/* Of what is not complete, no more than may be kept. */
static WireVerdict more_or_too_large(WireVerdict verdict, gsize length, gsize max_message_bytes)
{
    return verdict == WIRE_MORE && length > max_message_bytes ? WIRE_FRAME_TOO_LARGE : verdict;
}

static WireVerdict whole(gsize bytes, gsize max_message_bytes, WireExtent *extent)
{
    if (bytes > max_message_bytes)
        return WIRE_FRAME_TOO_LARGE;
    *extent = (WireExtent){ 0, bytes };
    return WIRE_OK;
}

static WireVerdict find_json(WireScan *scan, const guint8 *bytes, gsize length,
                             gsize max_message_bytes, WireExtent *extent)
{
    const WireVerdict verdict = wire_json_find_end(&scan->json, bytes, length);
    if (verdict != WIRE_OK)
        return more_or_too_large(verdict, length, max_message_bytes);
    return whole(scan->json.at, max_message_bytes, extent);
}

static WireVerdict find_unframed(WireScan *scan, const guint8 *bytes, gsize length,
                                 gsize max_message_bytes, WireExtent *extent)
{
    WireVerdict verdict;
    if (length > 0 && wire_is_json(bytes[0]))
        return find_json(scan, bytes, length, max_message_bytes, extent);
    if (scan->head_bytes == 0) {
        WireHead head;
        /* An old head begins as a frame's length does: without frames it cannot be told. */
        if (length > 0 && bytes[0] == 0)
            return WIRE_NOT_THRIFT;
        verdict = wire_head_peek(bytes, length, &head);
        if (verdict != WIRE_OK)
            return more_or_too_large(verdict, length, max_message_bytes);
        scan->head_bytes = head.body_offset;
        wire_walk_begin(&scan->walk, head.protocol);
    }
    verdict = wire_walk_on(&scan->walk, bytes + scan->head_bytes, length - scan->head_bytes);
    if (verdict != WIRE_OK)
        return more_or_too_large(verdict, length, max_message_bytes);
    return whole(scan->head_bytes + scan->walk.at, max_message_bytes, extent);
}

WireVerdict wire_message_find(WireScan *scan, const guint8 *bytes, gsize length,
                              gsize max_message_bytes, WireExtent *extent)
{
    gsize frame = 0;
    *extent = (WireExtent){ 0, 0 };
    if (scan->transport == WIRE_TRANSPORT_UNFRAMED)
        return find_unframed(scan, bytes, length, max_message_bytes, extent);
    const WireVerdict verdict = wire_frame_find(bytes, length, max_message_bytes, &frame);
    if (scan->transport == WIRE_TRANSPORT_UNKNOWN && verdict == WIRE_UNFRAMED) {
        scan->transport = WIRE_TRANSPORT_UNFRAMED;
        return find_unframed(scan, bytes, length, max_message_bytes, extent);
    }
    if (verdict == WIRE_OK || (verdict == WIRE_MORE && frame > 0))
        scan->transport = WIRE_TRANSPORT_FRAMED;
    *extent = (WireExtent){ WIRE_FRAME_PREFIX_BYTES, frame };
    return verdict;
}
