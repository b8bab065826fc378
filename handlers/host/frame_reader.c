/* frame_reader.c - levels, budget, duplicates and the texts of refusals. */
#include "handlers/host/frame_reader.h"
#include <string.h>

#define FIELD_IDS 65536u

/* What generated code takes for one value of a type, without the bytes of strings: a number
 * sits in a GArray that grows by doubling, a struct or a container is an object of its own.
 * An object with many containers takes more than this; most take less. */
static const guint16 value_bytes[FRAME_TYPES] = {
    [T_BOOL] = 8,  [T_BYTE] = 2,    [T_I16] = 4,     [T_I32] = 8,
    [T_I64] = 16,  [T_DOUBLE] = 16, [T_STRING] = 16, [T_STRUCT] = 256,
    [T_MAP] = 256, [T_SET] = 256,   [T_LIST] = 256,
};
#define HASHED_ENTRY_BYTES 96u /* more, per entry of a set or map: table and blocks */
#define STRING_BYTES       48u
#define STRING_COPIES      3u /* a binary is copied into a GByteArray that grows by doubling */

static const gchar *const type_names[FRAME_TYPES] = {
    [T_BOOL] = "bool", [T_BYTE] = "i8",       [T_I16] = "i16",       [T_I32] = "i32",
    [T_I64] = "i64",   [T_DOUBLE] = "double", [T_STRING] = "string", [T_STRUCT] = "struct",
    [T_MAP] = "map",   [T_SET] = "set",       [T_LIST] = "list",
};

const gchar *frame_reader_type_name(guint8 type)
{
    if (type >= FRAME_TYPES || type_names[type] == NULL)
        return "nothing";
    return type_names[type];
}

void frame_reader_init(FrameReader *in, const guint8 *min_bytes)
{
    in->min_bytes = min_bytes;
    in->seen = g_new0(guint64, FIELD_IDS); /* pages that no field touches are never backed */
    in->level = in->levels;
}

void frame_reader_clear(FrameReader *in)
{
    g_clear_pointer(&in->seen, g_free);
    g_clear_pointer(&in->fields, g_free);
    g_clear_pointer(&in->error, g_free);
}

void frame_reader_begin(FrameReader *in, const guint8 *bytes, gsize length)
{
    while (in->fields_used > 0) /* a call that failed left its structs open */
        in->seen[in->fields[--in->fields_used]] = 0;
    g_clear_pointer(&in->error, g_free);
    in->start = in->at = in->item = bytes;
    in->end = bytes + length;
    in->budget_bytes = FRAME_BUDGET_BYTES;
    in->level = in->levels;
    *in->level = (FrameLevel){ .expects = { T_STRUCT, T_STRUCT } };
}

void frame_reader_fail(FrameReader *in, const gchar *format, ...)
{
    if (in->error != NULL)
        return;
    va_list values;
    va_start(values, format);
    in->error = g_strdup_vprintf(format, values);
    va_end(values);
    in->at = in->end;
    in->level = in->levels;
    *in->level = (FrameLevel){ .expects = { T_STOP, T_STOP } };
}

gsize frame_reader_offset(const FrameReader *in) { return (gsize)(in->item - in->start); }

static gsize bytes_left(const FrameReader *in) { return (gsize)(in->end - in->at); }

void frame_reader_refuse_type(FrameReader *in, guint8 announced, ThriftType type)
{
    frame_reader_fail(in, "value at byte %zu announced as %s but read as %s",
                      frame_reader_offset(in), frame_reader_type_name(announced),
                      frame_reader_type_name((guint8)type));
}

void frame_reader_refuse_short(FrameReader *in, gsize bytes, const gchar *what)
{
    frame_reader_fail(in, "%s at byte %zu is cut off: it needs %zu more bytes and %zu are left",
                      what, frame_reader_offset(in), bytes, bytes_left(in));
}

static gboolean charge(FrameReader *in, guint64 bytes)
{
    if (G_UNLIKELY(bytes > in->budget_bytes)) {
        frame_reader_fail(in, "arguments take more than %" G_GUINT64_FORMAT " MiB, at byte %zu",
                          FRAME_BUDGET_BYTES >> 20, frame_reader_offset(in));
        return FALSE;
    }
    in->budget_bytes -= bytes;
    return TRUE;
}

static gboolean known_type(const FrameReader *in, guint8 type)
{
    return type < FRAME_TYPES && in->min_bytes[type] != 0;
}

static gboolean push(FrameReader *in, guint8 first, guint8 second)
{
    if (G_UNLIKELY(in->level == &in->levels[FRAME_MAX_DEPTH])) {
        frame_reader_fail(in, "more than %u levels at byte %zu", FRAME_MAX_DEPTH,
                          frame_reader_offset(in));
        return FALSE;
    }
    *++in->level = (FrameLevel){ .expects = { first, second },
                                 .header_bool = -1,
                                 .first_field = in->fields_used };
    return TRUE;
}

static guint64 depth_bit(const FrameReader *in)
{
    return (guint64)1 << (in->level - in->levels - 1);
}

gboolean frame_reader_enter_struct(FrameReader *in)
{
    return frame_reader_expect(in, T_STRUCT) && push(in, T_STOP, T_STOP);
}

/* A container without elements may announce any types: nothing of them will be read, and the
 * compact protocol's empty map has none.  All elements are paid for in advance, because the
 * generated reader goes through its whole loop even when one of them fails. */
gboolean frame_reader_enter_container(FrameReader *in, ThriftType container, guint8 first,
                                      guint8 second, guint32 count)
{
    if (count == 0)
        return push(in, first, second);
    if (!known_type(in, first) || !known_type(in, second)) {
        frame_reader_fail(in, "%s at byte %zu has elements of an unknown type",
                          frame_reader_type_name((guint8)container), frame_reader_offset(in));
        return FALSE;
    }
    gboolean pairs = container == T_MAP;
    guint64 min_bytes = in->min_bytes[first] + (pairs ? in->min_bytes[second] : 0u);
    if (count * min_bytes > bytes_left(in)) {
        frame_reader_fail(in, "%s at byte %zu of %u elements is more than the %zu bytes left",
                          frame_reader_type_name((guint8)container), frame_reader_offset(in), count,
                          bytes_left(in));
        return FALSE;
    }
    guint64 cost = value_bytes[first] + (pairs ? value_bytes[second] : 0u);
    if (container != T_LIST)
        cost += HASHED_ENTRY_BYTES;
    return charge(in, count * cost) && push(in, first, second);
}

void frame_reader_leave(FrameReader *in)
{
    FrameLevel *level = in->level;
    if (level == in->levels) /* failed: every level is gone already */
        return;
    while (in->fields_used > level->first_field)
        in->seen[in->fields[--in->fields_used]] &= ~depth_bit(in);
    in->level = level - 1;
}

static gboolean first_of_its_id(FrameReader *in, gint16 id)
{
    guint64 *seen = &in->seen[(guint16)id];
    if (G_UNLIKELY(*seen & depth_bit(in))) {
        frame_reader_fail(in, "field %d at byte %zu is there twice", id, frame_reader_offset(in));
        return FALSE;
    }
    if (G_UNLIKELY(in->fields_used == in->fields_size)) {
        in->fields_size = MAX(64, in->fields_size * 2);
        in->fields = g_renew(guint16, in->fields, in->fields_size);
    }
    in->fields[in->fields_used++] = (guint16)id;
    *seen |= depth_bit(in);
    return TRUE;
}

gboolean frame_reader_field(FrameReader *in, guint8 type, gint16 id)
{
    if (G_UNLIKELY(!known_type(in, type))) {
        frame_reader_fail(in, "field %d at byte %zu has an unknown type", id,
                          frame_reader_offset(in));
        return FALSE;
    }
    if (!first_of_its_id(in, id) || !charge(in, value_bytes[type]))
        return FALSE;
    in->level->expects[0] = in->level->expects[1] = type;
    return TRUE;
}

gchar *frame_reader_string(FrameReader *in, guint32 length)
{
    if (G_UNLIKELY(length > bytes_left(in))) {
        frame_reader_fail(in, "string length %u at byte %zu is more than the %zu bytes left",
                          length, frame_reader_offset(in), bytes_left(in));
        return NULL;
    }
    if (!charge(in, STRING_BYTES + (guint64)length * STRING_COPIES))
        return NULL;
    gchar *text = g_malloc((gsize)length + 1);
    memcpy(text, in->at, length);
    text[length] = '\0';
    in->at += length;
    return text;
}
