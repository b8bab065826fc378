/* frame_reader.h - bounds-checked cursor over the arguments of one call.
 *
 * It knows what both protocols have in common: bytes left, the memory budget, and the levels
 * (structs and containers) that are open.  A level remembers which types were announced for
 * its next values, so that a value read as something else is noticed; generated readers do
 * not look at a container's element types themselves.
 *
 * Soft failure: the first problem is kept as text, and the reader then stands at the end of
 * its input on a level that expects nothing.  The checks that every read makes anyway fail
 * from there on; nothing on the fast path asks whether there was a failure.
 *
 * Duplicate fields: one word per field id, one bit in it per depth.  The ids of the open
 * structs are also kept in a stack, so leaving a struct takes its bits out again.  Hence a
 * field costs the same whatever its id and however many came before.
 *
 * Thread: one at a time.  Borrows: the input, from begin to the next begin.                */
#pragma once
#include "handlers/host/frame_limits.h"
#include <thrift/c_glib/protocol/thrift_protocol.h>

#define FRAME_TYPES (T_LIST + 1) /* ThriftTypes that can be on the wire are below */

typedef struct {
    guint8 expects[2]; /* types of the next values, in turn: a map's key and value; else alike */
    guint8 turn;
    gint8 header_bool;   /* compact: a bool field's value, which comes in its header; else -1 */
    gint16 last_id;      /* compact: field ids are differences */
    guint32 first_field; /* where the level's own ids begin in FrameReader.fields */
} FrameLevel;

typedef struct {
    const guint8 *start;
    const guint8 *at;
    const guint8 *end;
    const guint8 *item;      /* where the value or field being read begins: for error texts */
    const guint8 *min_bytes; /* the protocol's smallest encoding per type; 0: no such type */
    gchar *error;
    guint64 budget_bytes;
    guint64 *seen;   /* by field id: bit d is set when the open struct at depth d has had it */
    guint16 *fields; /* ids of all open structs, outermost first */
    guint32 fields_used;
    guint32 fields_size;
    FrameLevel *level; /* the innermost open one; levels[0] holds the argument struct */
    FrameLevel levels[FRAME_MAX_DEPTH + 1];
} FrameReader;

/* `min_bytes` has FRAME_TYPES entries and must outlive the reader. */
void frame_reader_init(FrameReader *in, const guint8 *min_bytes);
void frame_reader_clear(FrameReader *in);
void frame_reader_begin(FrameReader *in, const guint8 *bytes, gsize length);

/* Keeps the text unless there is one already, and lets every later read fail. */
void frame_reader_fail(FrameReader *in, const gchar *format, ...) G_GNUC_PRINTF(2, 3);
gsize frame_reader_offset(const FrameReader *in); /* of the item being read */

/* The value after this is a struct: opens its level.  FALSE: failed. */
gboolean frame_reader_enter_struct(FrameReader *in);

/* Opens the level of a T_LIST, T_SET or T_MAP whose header was read; for the first two both
 * types are the element's.  FALSE: failed. */
gboolean frame_reader_enter_container(FrameReader *in, ThriftType container, guint8 first,
                                      guint8 second, guint32 count);
void frame_reader_leave(FrameReader *in);

/* A field's header was read: its value comes next.  FALSE: failed. */
gboolean frame_reader_field(FrameReader *in, guint8 type, gint16 id);

/* The bytes of a string whose length was read, in memory of its own with a NUL after them.
 * A NUL among them is the caller's to judge: binary may have it.  NULL: failed. */
gchar *frame_reader_string(FrameReader *in, guint32 length);

/* Slow ends of the functions below. */
void frame_reader_refuse_type(FrameReader *in, guint8 announced, ThriftType type);
void frame_reader_refuse_short(FrameReader *in, gsize bytes, const gchar *what);
const gchar *frame_reader_type_name(guint8 type);

/* Every read of a value begins here.  FALSE: failed, or another type was announced. */
static inline gboolean frame_reader_expect(FrameReader *in, ThriftType type)
{
    FrameLevel *level = in->level;
    guint8 announced = level->expects[level->turn];
    level->turn ^= 1;
    in->item = in->at;
    if (G_LIKELY(announced == type))
        return TRUE;
    frame_reader_refuse_type(in, announced, type);
    return FALSE;
}

/* The next `bytes` bytes, or NULL: failed. */
static inline const guint8 *frame_reader_take(FrameReader *in, gsize bytes, const gchar *what)
{
    const guint8 *taken = in->at;
    if (G_UNLIKELY((gsize)(in->end - taken) < bytes)) {
        frame_reader_refuse_short(in, bytes, what);
        return NULL;
    }
    in->at = taken + bytes;
    return taken;
}
