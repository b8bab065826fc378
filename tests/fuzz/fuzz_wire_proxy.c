/* fuzz_wire_proxy.c - a PROXY header ends within the bytes that were given, and does so alike
 * however few of them have come before. */
#include "daemon/wire/proxy.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    WireProxy whole, part;
    if (size == 0 || size > WIRE_PROXY_MAX_BYTES)
        return 0;
    const WireVerdict verdict = wire_proxy_read(data, size, &whole);
    if (verdict == WIRE_OK && (whole.bytes == 0 || whole.bytes > size))
        abort();
    if (verdict != WIRE_OK)
        return 0;
    for (gsize n = 1; n < whole.bytes; n++) {
        g_autofree guint8 *copy = g_memdup2(data, n);
        if (wire_proxy_read(copy, n, &part) != WIRE_MORE)
            abort();
    }
    return 0;
}
