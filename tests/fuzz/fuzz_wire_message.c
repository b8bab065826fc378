/* fuzz_wire_message.c - a connection's bytes in pieces: the messages are the same as in one, no
 * byte is read that is not there, and an incomplete one is never larger than the limit. */
#include "daemon/wire/message.h"
#include <stdlib.h>

#define LIMIT_BYTES ((gsize)4096)

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static WireVerdict find(const guint8 *data, gsize size, gsize step, WireExtent *extent)
{
    WireScan scan;
    WireVerdict verdict = WIRE_MORE;
    wire_scan_begin(&scan, WIRE_TRANSPORT_UNKNOWN);
    for (gsize length = step; verdict == WIRE_MORE; length += step) {
        length = MIN(length, size);
        verdict = wire_message_find(&scan, data, length, LIMIT_BYTES, extent);
        if (verdict == WIRE_MORE && length > LIMIT_BYTES + WIRE_FRAME_PREFIX_BYTES)
            abort();
        if (length == size)
            break;
    }
    return verdict;
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    WireExtent whole, pieces;
    const WireVerdict verdict = find(data, size, MAX(size, 1), &whole);
    if (find(data, size, 1 + size % 7, &pieces) != verdict)
        abort();
    if (verdict == WIRE_OK && (whole.offset != pieces.offset || whole.bytes != pieces.bytes ||
                               whole.offset + whole.bytes > size))
        abort();
    return 0;
}
