/* frame_writer.c - what stops a reply, and whether it is whole. */
#include "handlers/host/frame_writer.h"
#include <string.h>

void frame_writer_begin(FrameWriter *out, guint8 *area, gsize capacity)
{
    out->start = out->at = area;
    out->end = area + capacity;
    out->state = FRAME_WRITING;
    out->depth = out->structs = out->stops = 0;
    out->bool_due = FALSE;
}

void frame_writer_stop(FrameWriter *out, FrameWriterState reason)
{
    if (out->state != FRAME_WRITING)
        return;
    out->state = reason;
    out->end = out->at; /* a smaller write must not slip in behind a dropped one */
}

void frame_writer_enter(FrameWriter *out)
{
    if (G_UNLIKELY(out->depth == FRAME_MAX_DEPTH)) {
        frame_writer_stop(out, FRAME_UNBALANCED);
        return;
    }
    out->last_id[++out->depth] = 0;
}

void frame_writer_enter_struct(FrameWriter *out)
{
    out->structs++;
    frame_writer_enter(out);
}

void frame_writer_leave(FrameWriter *out)
{
    if (G_UNLIKELY(out->depth == 0)) {
        frame_writer_stop(out, FRAME_UNBALANCED);
        return;
    }
    out->depth--;
}

void frame_writer_field_stop(FrameWriter *out)
{
    out->stops++;
    frame_writer_byte(out, 0);
}

gboolean frame_writer_balanced(const FrameWriter *out)
{
    return out->state != FRAME_UNBALANCED && out->depth == 0 && out->stops == out->structs;
}

gboolean frame_writer_length_fits(FrameWriter *out, gsize length)
{
    if (G_LIKELY(length <= G_MAXINT32))
        return TRUE;
    frame_writer_stop(out, FRAME_OVERFLOW);
    return FALSE;
}

void frame_writer_append(FrameWriter *out, gconstpointer bytes, gsize length)
{
    if (length == 0) /* an empty binary is NULL, which memcpy must not see */
        return;
    guint8 *room = frame_writer_reserve(out, length);
    if (room != NULL)
        memcpy(room, bytes, length);
}
