/* fuzz_wire_head.c - any bytes: a head lies in them, ends where it says, and needs them all. */
#include "daemon/wire/head.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static gboolean inside(const guint8 *part, gsize part_bytes, const guint8 *data, gsize size)
{
    return part >= data && part_bytes <= size && part + part_bytes <= data + size;
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    WireHead head, again;
    if (wire_head_peek(data, size, &head) != WIRE_OK)
        return 0;
    g_assert(inside(head.name, head.name_bytes, data, head.body_offset));
    if (head.service != NULL)
        g_assert(inside(head.service, head.service_bytes, data, head.body_offset));
    g_assert(wire_head_peek(data, head.body_offset, &again) == WIRE_OK);
    g_assert(wire_head_peek(data, head.body_offset - 1, &again) == WIRE_MORE);
    return 0;
}
