/* frame_writer.h - bounded writer of the reply's body.
 *
 * Soft failure, as in frame_reader.h: the first write that does not fit stops the writer;
 * what follows is dropped and reported as success.  Generated code thus ends its reply in
 * order and frees what it holds.
 *
 * Thread: one at a time.  Borrows: the reply area, from begin to the next begin.           */
#pragma once
#include "handlers/host/frame_limits.h"

typedef enum {
    FRAME_WRITING,
    FRAME_OVERFLOW,   /* the body does not fit the reply area */
    FRAME_MUTED,      /* an exception message: sluiced encodes that itself */
    FRAME_UNBALANCED, /* more than FRAME_MAX_DEPTH levels open, or one closed too many */
} FrameWriterState;

typedef struct {
    guint8 *start;
    guint8 *at;
    guint8 *end;
    FrameWriterState state;
    guint depth;                         /* structs and containers open */
    guint structs;                       /* structs begun */
    guint stops;                         /* field stops written */
    gint16 last_id[FRAME_MAX_DEPTH + 1]; /* compact: by depth; field ids are differences */
    gint16 bool_id;                      /* compact: the field whose header awaits its value */
    gboolean bool_due;
} FrameWriter;

void frame_writer_begin(FrameWriter *out, guint8 *area, gsize capacity);
void frame_writer_stop(FrameWriter *out, FrameWriterState reason); /* the first reason stays */

/* A struct, or the container whose header is being written, opens a level; leave closes it. */
void frame_writer_enter_struct(FrameWriter *out);
void frame_writer_enter(FrameWriter *out);
void frame_writer_leave(FrameWriter *out);
void frame_writer_field_stop(FrameWriter *out);

/* Every struct begun has had its field stop and its end. */
gboolean frame_writer_balanced(const FrameWriter *out);

/* FALSE, and the writer stops, for what Thrift cannot say: lengths are signed. */
gboolean frame_writer_length_fits(FrameWriter *out, gsize length);

void frame_writer_append(FrameWriter *out, gconstpointer bytes, gsize length);

/* Room for `bytes` bytes, or NULL: stopped. */
static inline guint8 *frame_writer_reserve(FrameWriter *out, gsize bytes)
{
    guint8 *room = out->at;
    if (G_UNLIKELY((gsize)(out->end - room) < bytes)) {
        frame_writer_stop(out, FRAME_OVERFLOW);
        return NULL;
    }
    out->at = room + bytes;
    return room;
}

static inline void frame_writer_byte(FrameWriter *out, guint8 byte)
{
    guint8 *room = frame_writer_reserve(out, 1);
    if (G_LIKELY(room != NULL))
        *room = byte;
}
