/* fuzz_wire_walk.c - any bytes: a struct that is found needs exactly the bytes it takes. */
#include "daemon/wire/walk.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static void walk(WireProtocol protocol, const guint8 *data, gsize size)
{
    gsize end, again;
    if (wire_walk_struct(protocol, data, size, &end) != WIRE_OK)
        return;
    g_assert(end > 0 && end <= size);
    g_assert(wire_walk_whole_struct(protocol, data, end) == WIRE_OK);
    g_assert(wire_walk_struct(protocol, data, end - 1, &again) == WIRE_MORE);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    walk(WIRE_BINARY, data, size);
    walk(WIRE_COMPACT, data, size);
    return 0;
}
