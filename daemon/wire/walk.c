/* walk.c - the walk over one struct, without recursion.
 *
 * What is open is kept on a stack of fixed height.  A struct is open until its stop; a
 * container until it has had its values, which for a map are keys and values in turn:
 *
 *     bottom                                             top
 *     +--------+------------------------+----------------+
 *     | struct | map: 3 values to come  | struct         |  <- next: a field of this struct
 *     +--------+------------------------+----------------+
 *
 * The encodings differ in the numbers of their types, which a table holds, and in how lengths
 * and the heads of fields and containers are written; the walk itself is one.               */
#include "daemon/wire/walk.h"
#include "daemon/wire/cursor.h"

typedef enum {
    SHAPE_UNKNOWN,
    SHAPE_FIXED,
    SHAPE_VARINT,
    SHAPE_STRING,
    SHAPE_STRUCT, /* from here on: may hold other values */
    SHAPE_LIST,
    SHAPE_MAP,
} Shape;

typedef struct WireType {
    Shape shape;
    guint8 min_bytes; /* of one element; SHAPE_FIXED: exactly these */
    guint8 max_bytes; /* SHAPE_VARINT only */
} Type;
typedef WireWalkLevel Level;

#define TYPE_NUMBERS  16u /* both encodings stay below */
#define COMPACT_TRUE  1u
#define COMPACT_FALSE 2u

/* An i16 in compact may take as many bytes as an i32: that is how libraries read it. */
static const Type types[][TYPE_NUMBERS] = {
    [WIRE_BINARY] = {
        [2] = { .shape = SHAPE_FIXED, .min_bytes = 1 },   /* bool */
        [3] = { .shape = SHAPE_FIXED, .min_bytes = 1 },   /* byte */
        [4] = { .shape = SHAPE_FIXED, .min_bytes = 8 },   /* double */
        [6] = { .shape = SHAPE_FIXED, .min_bytes = 2 },   /* i16 */
        [8] = { .shape = SHAPE_FIXED, .min_bytes = 4 },   /* i32 */
        [10] = { .shape = SHAPE_FIXED, .min_bytes = 8 },  /* i64 */
        [11] = { .shape = SHAPE_STRING, .min_bytes = 4 }, /* string, binary */
        [12] = { .shape = SHAPE_STRUCT, .min_bytes = 1 },
        [13] = { .shape = SHAPE_MAP, .min_bytes = 6 },
        [14] = { .shape = SHAPE_LIST, .min_bytes = 5 },   /* set */
        [15] = { .shape = SHAPE_LIST, .min_bytes = 5 },
    },
    [WIRE_COMPACT] = {
        [COMPACT_TRUE] = { .shape = SHAPE_FIXED, .min_bytes = 1 },  /* as elements; a field */
        [COMPACT_FALSE] = { .shape = SHAPE_FIXED, .min_bytes = 1 }, /* has them in its type */
        [3] = { .shape = SHAPE_FIXED, .min_bytes = 1 },             /* byte */
        [4] = { .shape = SHAPE_VARINT, .min_bytes = 1, .max_bytes = WIRE_VARINT32_BYTES },
        [5] = { .shape = SHAPE_VARINT, .min_bytes = 1, .max_bytes = WIRE_VARINT32_BYTES },
        [6] = { .shape = SHAPE_VARINT, .min_bytes = 1, .max_bytes = WIRE_VARINT64_BYTES },
        [7] = { .shape = SHAPE_FIXED, .min_bytes = 8 },  /* double */
        [8] = { .shape = SHAPE_STRING, .min_bytes = 1 }, /* string, binary */
        [9] = { .shape = SHAPE_LIST, .min_bytes = 1 },
        [10] = { .shape = SHAPE_LIST, .min_bytes = 1 },  /* set */
        [11] = { .shape = SHAPE_MAP, .min_bytes = 1 },
        [12] = { .shape = SHAPE_STRUCT, .min_bytes = 1 },
    },
};

typedef struct {
    WireCursor cursor;
    WireProtocol protocol;
    guint depth; /* levels in use */
    Level *levels;
} Walk;

static const Type *find_type(const Walk *walk, guint8 number)
{
    return &types[walk->protocol][number < TYPE_NUMBERS ? number : 0];
}

static guint32 take_size(Walk *walk)
{
    return walk->protocol == WIRE_BINARY ? wire_take_u32(&walk->cursor)
                                         : wire_take_varint32(&walk->cursor);
}

static void walk_string(Walk *walk)
{
    guint32 bytes = take_size(walk);
    if (bytes > WIRE_MAX_MESSAGE_BYTES)
        wire_refuse(&walk->cursor, WIRE_BAD_LENGTH);
    wire_take(&walk->cursor, bytes);
}

static void open_level(Walk *walk, Level level)
{
    g_assert(walk->depth < WIRE_MAX_DEPTH);
    walk->levels[walk->depth++] = level;
}

/* Values of fixed size are stepped over at once; of the others each takes a byte at least, so
 * that a count without its bytes ends the walk soon.  A container without values may announce any
 * types, as some libraries do.  A negative count, read as unsigned, is one that no message can
 * hold. */
static void walk_values(Walk *walk, guint64 values, const Type *even, const Type *odd)
{
    WireCursor *cursor = &walk->cursor;
    if (values == 0)
        return;
    if (even->shape == SHAPE_UNKNOWN || odd->shape == SHAPE_UNKNOWN) {
        wire_refuse(cursor, WIRE_BAD_FIELD_TYPE);
        return;
    }
    guint64 min_bytes = values * (even->min_bytes + odd->min_bytes) / 2;
    if (min_bytes > WIRE_MAX_MESSAGE_BYTES) {
        wire_refuse(cursor, WIRE_BAD_COUNT);
        return;
    }
    if (even->shape == SHAPE_FIXED && odd->shape == SHAPE_FIXED) {
        wire_take(cursor, min_bytes);
        return;
    }
    open_level(walk, (Level){ .values_left = values, .even = even, .odd = odd });
}

static void walk_list(Walk *walk)
{
    guint8 head = wire_take_u8(&walk->cursor);
    if (walk->protocol == WIRE_BINARY) {
        const Type *element = find_type(walk, head);
        walk_values(walk, take_size(walk), element, element);
        return;
    }
    const Type *element = find_type(walk, head & 0x0f);
    guint32 count = head >> 4;
    if (count == 15) /* does not fit the head */
        count = take_size(walk);
    walk_values(walk, count, element, element);
}

static void walk_map(Walk *walk)
{
    if (walk->protocol == WIRE_BINARY) {
        const Type *key = find_type(walk, wire_take_u8(&walk->cursor));
        const Type *value = find_type(walk, wire_take_u8(&walk->cursor));
        walk_values(walk, (guint64)take_size(walk) * 2, key, value);
        return;
    }
    guint32 count = take_size(walk);
    if (count == 0) /* has no types */
        return;
    guint8 key_and_value = wire_take_u8(&walk->cursor);
    const Type *key = find_type(walk, key_and_value >> 4);
    const Type *value = find_type(walk, key_and_value & 0x0f);
    walk_values(walk, (guint64)count * 2, key, value);
}

static void walk_value(Walk *walk, const Type *type)
{
    if (type->shape >= SHAPE_STRUCT && walk->depth == WIRE_MAX_DEPTH) {
        wire_refuse(&walk->cursor, WIRE_TOO_DEEP);
        return;
    }
    switch (type->shape) {
    case SHAPE_UNKNOWN:
        wire_refuse(&walk->cursor, WIRE_BAD_FIELD_TYPE);
        return;
    case SHAPE_FIXED:
        wire_take(&walk->cursor, type->min_bytes);
        return;
    case SHAPE_VARINT:
        wire_take_varint(&walk->cursor, type->max_bytes);
        return;
    case SHAPE_STRING:
        walk_string(walk);
        return;
    case SHAPE_STRUCT:
        open_level(walk, (Level){ .is_struct = TRUE });
        return;
    case SHAPE_LIST:
        walk_list(walk);
        return;
    case SHAPE_MAP:
        walk_map(walk);
        return;
    }
}

static void walk_field(Walk *walk)
{
    guint8 head = wire_take_u8(&walk->cursor);
    if (head == 0) { /* the stop of this struct, in both encodings */
        walk->depth--;
        return;
    }
    if (walk->protocol == WIRE_BINARY) {
        wire_take(&walk->cursor, 2); /* the id */
        walk_value(walk, find_type(walk, head));
        return;
    }
    if (head >> 4 == 0) /* no id relative to the last field's: a whole one follows */
        wire_take_varint32(&walk->cursor);
    guint8 number = head & 0x0f;
    if (number != COMPACT_TRUE && number != COMPACT_FALSE)
        walk_value(walk, find_type(walk, number));
}

static void walk_step(Walk *walk)
{
    Level *top = &walk->levels[walk->depth - 1];
    if (top->is_struct) {
        walk_field(walk);
        return;
    }
    if (top->values_left == 0) {
        walk->depth--;
        return;
    }
    const Type *type = top->values_left % 2 == 0 ? top->even : top->odd;
    top->values_left--;
    walk_value(walk, type);
}

/* What is open is closed. */
static WireVerdict walk_on(Walk *walk, gsize *end)
{
    while (walk->depth > 0 && walk->cursor.verdict == WIRE_OK)
        walk_step(walk);
    *end = walk->cursor.at;
    return walk->cursor.verdict;
}

WireVerdict wire_walk_struct(WireProtocol protocol, const guint8 *bytes, gsize length, gsize *end)
{
    Level levels[WIRE_MAX_DEPTH];
    Walk walk = { { .bytes = bytes, .length = length }, protocol, 0, levels };
    open_level(&walk, (Level){ .is_struct = TRUE });
    return walk_on(&walk, end);
}

WireVerdict wire_walk_value(WireProtocol protocol, guint8 type, const guint8 *bytes, gsize length,
                            gsize *end)
{
    Level levels[WIRE_MAX_DEPTH];
    Walk walk = { { .bytes = bytes, .length = length }, protocol, 0, levels };
    walk_value(&walk, find_type(&walk, type));
    return walk_on(&walk, end);
}

WireVerdict wire_walk_whole_struct(WireProtocol protocol, const guint8 *bytes, gsize length)
{
    gsize end;
    WireVerdict verdict = wire_walk_struct(protocol, bytes, length, &end);
    if (verdict == WIRE_OK && end < length)
        return WIRE_TRAILING;
    return wire_verdict_at_end(verdict);
}

/* --- in pieces --------------------------------------------------------------------------- */

void wire_walk_begin(WireWalk *walk, WireProtocol protocol)
{
    walk->protocol = protocol;
    walk->at = 0;
    walk->depth = 1;
    walk->levels[0] = (Level){ .is_struct = TRUE };
}

/* A step that lacks bytes leaves no trace: it changes the top level at most, and opens none
 * before it has all of its own bytes. */
WireVerdict wire_walk_on(WireWalk *walk, const guint8 *bytes, gsize length)
{
    Walk now = { { .bytes = bytes, .length = length, .at = walk->at },
                 walk->protocol,
                 walk->depth,
                 walk->levels };
    while (now.depth > 0) {
        const guint depth = now.depth;
        const Level top = now.levels[depth - 1];
        const gsize at = now.cursor.at;
        walk_step(&now);
        if (now.cursor.verdict == WIRE_OK)
            continue;
        walk->at = at;
        walk->depth = depth;
        walk->levels[depth - 1] = top;
        return now.cursor.verdict;
    }
    walk->at = now.cursor.at;
    walk->depth = 0;
    return WIRE_OK;
}
