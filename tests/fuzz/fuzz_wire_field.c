/* fuzz_wire_field.c - any bytes: a field that is found lies in them. */
#include "daemon/wire/field.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    static const gint16 path[] = { 1, 1 };
    for (guint i = 0; i < 4; i++) {
        WireField field;
        if (wire_find_field(i % 2 == 0 ? WIRE_BINARY : WIRE_COMPACT, data, size, path, 1 + i / 2,
                            &field) == WIRE_FIELD_FOUND &&
            field.bytes != field.number)
            g_assert(field.bytes >= data && field.bytes + field.n_bytes <= data + size);
    }
    return 0;
}
