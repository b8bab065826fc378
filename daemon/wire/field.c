#include "daemon/wire/field.h"
#include "daemon/wire/cursor.h"
#include "daemon/wire/walk.h"
#include <string.h>

/* Types that may be a key, whatever their number in a protocol. */
typedef enum {
    VALUE_OTHER,
    VALUE_TRUE,
    VALUE_FALSE,
    VALUE_INTEGER,
    VALUE_DOUBLE,
    VALUE_TEXT
} Value;

typedef struct {
    Value value;
    guint8 bytes; /* INTEGER of the binary protocol: its size; of compact: 1, or 0: a varint */
} Scalar;

#define TYPE_NUMBERS 16u
#define TYPE_STRUCT  12u /* in both */

static const Scalar scalars[][TYPE_NUMBERS] = {
    [WIRE_BINARY] = { [2] = { VALUE_INTEGER, 1 },
                      [3] = { VALUE_INTEGER, 1 },
                      [4] = { VALUE_DOUBLE, 8 },
                      [6] = { VALUE_INTEGER, 2 },
                      [8] = { VALUE_INTEGER, 4 },
                      [10] = { VALUE_INTEGER, 8 },
                      [11] = { VALUE_TEXT, 0 } },
    [WIRE_COMPACT] = { [1] = { VALUE_TRUE, 0 },
                       [2] = { VALUE_FALSE, 0 },
                       [3] = { VALUE_INTEGER, 1 },
                       [4] = { VALUE_INTEGER, 0 },
                       [5] = { VALUE_INTEGER, 0 },
                       [6] = { VALUE_INTEGER, 0 },
                       [7] = { VALUE_DOUBLE, 8 },
                       [8] = { VALUE_TEXT, 0 } },
};

typedef struct {
    WireCursor cursor;
    WireProtocol protocol;
    gint16 last_id; /* compact writes the difference to it */
} Search;

static gint64 unzigzag(guint64 n) { return (gint64)(n >> 1) ^ -(gint64)(n & 1); }

/* FALSE: the struct has ended. */
static gboolean take_head(Search *search, guint8 *type, gint16 *id)
{
    const guint8 head = wire_take_u8(&search->cursor);
    *type = head & (search->protocol == WIRE_COMPACT ? 0x0f : 0xff);
    if (head == 0)
        return FALSE;
    if (search->protocol == WIRE_BINARY)
        *id = (gint16)wire_take_u16(&search->cursor);
    else if (head >> 4 != 0)
        *id = (gint16)(search->last_id + (head >> 4));
    else
        *id = (gint16)unzigzag(wire_take_varint32(&search->cursor));
    search->last_id = *id;
    return search->cursor.verdict == WIRE_OK;
}

static Scalar scalar_of(const Search *search, guint8 type)
{
    return type < TYPE_NUMBERS ? scalars[search->protocol][type] : (Scalar){ VALUE_OTHER, 0 };
}

static void step_over(Search *search, guint8 type)
{
    WireCursor *cursor = &search->cursor;
    const Value value = scalar_of(search, type).value;
    gsize end = 0;
    if (value == VALUE_TRUE || value == VALUE_FALSE)
        return; /* the type is the value */
    const WireVerdict verdict = wire_walk_value(search->protocol, type, cursor->bytes + cursor->at,
                                                cursor->length - cursor->at, &end);
    if (verdict == WIRE_OK)
        wire_take(cursor, end);
    else
        wire_refuse(cursor, verdict);
}

/* --- the value --------------------------------------------------------------------------- */

static void set_number(WireField *field, guint64 number)
{
    for (guint i = 0; i < sizeof field->number; i++)
        field->number[i] = (guint8)(number >> (8 * (sizeof field->number - 1 - i)));
    field->bytes = field->number;
    field->n_bytes = sizeof field->number;
}

static gint64 take_integer(Search *search, guint bytes)
{
    if (bytes == 0)
        return unzigzag(wire_take_varint(&search->cursor, WIRE_VARINT64_BYTES));
    const guint8 *taken = wire_take(&search->cursor, bytes);
    guint64 number = taken != NULL && taken[0] >= 0x80 ? G_MAXUINT64 : 0;
    for (guint i = 0; taken != NULL && i < bytes; i++)
        number = number << 8 | taken[i];
    return (gint64)number;
}

/* Compact writes doubles little-endian, binary big-endian. */
static void take_double(Search *search, WireField *field)
{
    const guint8 *taken = wire_take(&search->cursor, sizeof field->number);
    for (guint i = 0; taken != NULL && i < sizeof field->number; i++)
        field->number[i] =
            taken[search->protocol == WIRE_COMPACT ? sizeof field->number - 1 - i : i];
    field->bytes = field->number;
    field->n_bytes = sizeof field->number;
}

static void take_text(Search *search, WireField *field)
{
    const guint32 bytes = search->protocol == WIRE_BINARY ? wire_take_u32(&search->cursor)
                                                          : wire_take_varint32(&search->cursor);
    field->bytes = wire_take(&search->cursor, bytes);
    field->n_bytes = bytes;
}

static WireFieldResult take_value(Search *search, guint8 type, WireField *field)
{
    const Scalar scalar = scalar_of(search, type);
    switch (scalar.value) {
    case VALUE_OTHER:
        return WIRE_FIELD_NO_SCALAR;
    case VALUE_TRUE:
    case VALUE_FALSE:
        set_number(field, scalar.value == VALUE_TRUE);
        break;
    case VALUE_INTEGER:
        set_number(field, (guint64)take_integer(search, scalar.bytes));
        break;
    case VALUE_DOUBLE:
        take_double(search, field);
        break;
    case VALUE_TEXT:
        take_text(search, field);
        break;
    }
    return search->cursor.verdict == WIRE_OK ? WIRE_FIELD_FOUND : WIRE_FIELD_MALFORMED;
}

WireFieldResult wire_find_field(WireProtocol protocol, const guint8 *bytes, gsize length,
                                const gint16 *path, guint depth, WireField *field)
{
    Search search = { .cursor = { .bytes = bytes, .length = length }, .protocol = protocol };
    guint level = 0;
    guint8 type;
    gint16 id;
    while (take_head(&search, &type, &id)) {
        if (id != path[level]) {
            step_over(&search, type);
        } else if (level + 1 == depth) {
            return take_value(&search, type, field);
        } else if (type != TYPE_STRUCT) {
            return WIRE_FIELD_NO_SCALAR;
        } else {
            level++;
            search.last_id = 0;
        }
        if (search.cursor.verdict != WIRE_OK)
            break;
    }
    return search.cursor.verdict == WIRE_OK ? WIRE_FIELD_ABSENT : WIRE_FIELD_MALFORMED;
}
