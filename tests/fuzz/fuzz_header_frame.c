/* fuzz_header_frame.c - a THeader frame opened, inflated as well: what is in it is within its
 * buffer, and no larger than allowed when it was compressed. */
#include "daemon/front/header_frame.h"
#include <stdlib.h>

#define MOST ((gsize)1 << 16)

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    HeaderFrame frame;
    if (size == 0 || !wire_is_theader(data, size))
        return 0;
    if (header_frame_open(g_memdup2(data, size), 0, size, MOST, &frame) != WIRE_OK) {
        if (frame.buffer != NULL || frame.headers != NULL)
            abort();
        return 0;
    }
    if (frame.header.is_zlib ? frame.bytes > MOST : frame.offset + frame.bytes != size)
        abort();
    g_free(frame.buffer);
    g_clear_pointer(&frame.headers, g_byte_array_unref);
    return 0;
}
