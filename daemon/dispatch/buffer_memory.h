/* buffer_memory.h - what clients make the daemon hold, over all connections: requests that are
 * not complete and replies that are not sent.
 *
 * A client bounds its own part (write-buffer, max-frame-bytes), but there may be thousands.
 * Calls that wait are counted by their service (queue-bytes), those that run by its ring.
 *
 * Thread: the loop's.                                                                       */
#pragma once
#include <glib.h>

typedef struct {
    gint64 *held_bytes; /* the exported gauge */
    gint64 limit_bytes;
} BufferMemory;

static inline gboolean buffer_memory_is_full(const BufferMemory *memory)
{
    return *memory->held_bytes >= memory->limit_bytes;
}
