/* deflate.h - zlib, with a limit: what a client compressed may be any size when it is not.
 *
 * Thread: any; no state.                                                                     */
#pragma once
#include <glib.h>

/* The bytes inflated, for g_free(); NULL: not zlib, or more than `most` bytes of it (then
 * *too_large). */
guint8 *deflate_undo(const guint8 *bytes, gsize length, gsize most, gsize *inflated_bytes,
                     gboolean *too_large);

/* The bytes compressed, behind `room` bytes that are left free; for g_free(). */
guint8 *deflate_do(const guint8 *bytes, gsize length, gsize room, gsize *deflated_bytes);
