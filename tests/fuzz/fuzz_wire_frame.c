/* fuzz_wire_frame.c - any bytes, any limit: a frame that is found lies in the bytes. */
#include "daemon/wire/frame.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    if (size == 0)
        return 0;
    gsize max_frame_bytes = (gsize)1 << data[0] % 31;
    gsize frame_bytes;
    WireVerdict verdict = wire_frame_find(data + 1, size - 1, max_frame_bytes, &frame_bytes);
    g_assert(verdict < WIRE_VERDICT_COUNT);
    if (verdict != WIRE_OK)
        return 0;
    g_assert(frame_bytes > 0 && frame_bytes <= max_frame_bytes && frame_bytes + 4 <= size - 1);
    return 0;
}
