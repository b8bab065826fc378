/* in_buffer.h - the bytes of a frame that is not complete yet.
 *
 * A connection that is between two frames holds no memory.  Growth follows the bytes that
 * have come, never the length that a prefix claims.
 *
 * Thread: the loop's.                                                                       */
#pragma once
#include <glib.h>
#include <string.h>

#define IN_BUFFER_MIN_BYTES ((gsize)4096)

typedef struct {
    guint8 *bytes;
    gsize used;
    gsize size;
} InBuffer;

static inline void in_buffer_clear(InBuffer *in)
{
    g_free(in->bytes);
    *in = (InBuffer){ NULL, 0, 0 };
}

/* Where the next bytes may be read to.  *room is at least 1: at most twice what is there,
 * and not beyond `wanted` bytes in all. */
static inline guint8 *in_buffer_reserve(InBuffer *in, gsize wanted, gsize *room)
{
    g_assert(wanted > in->used);
    if (in->used == in->size) {
        in->size = MIN(wanted, MAX(IN_BUFFER_MIN_BYTES, in->size * 2));
        in->bytes = g_realloc(in->bytes, in->size);
    }
    *room = in->size - in->used;
    return in->bytes + in->used;
}

/* Starts a frame with what came of it behind others. */
static inline void in_buffer_start(InBuffer *in, const guint8 *bytes, gsize length)
{
    g_assert(in->used == 0);
    in->size = MAX(IN_BUFFER_MIN_BYTES, length);
    in->bytes = g_malloc(in->size);
    in->used = length;
    memcpy(in->bytes, bytes, length);
}

/* The bytes become the caller's. */
static inline guint8 *in_buffer_steal(InBuffer *in)
{
    guint8 *bytes = in->bytes;
    *in = (InBuffer){ NULL, 0, 0 };
    return bytes;
}
