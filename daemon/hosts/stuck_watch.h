/* stuck_watch.h - finds workers whose call has run for too long.
 *
 * When a worker takes a call is not announced, so the calls in workers' hands are looked at
 * from time to time: a call's clock starts when it is first seen to be claimed.  While no
 * call is out, nothing runs.
 *
 * Thread: the loop's.   Borrows: the ring it was given last.                                  */
#pragma once
#include "actor/ring/ring_front.h"
#include "daemon/base/loop.h"

typedef struct StuckWatch StuckWatch;

/* `stuck` may be called again for the same worker until its call is out of the ring. */
typedef void (*StuckFunc)(guint32 worker, guint16 incarnation, gpointer user);

StuckWatch *stuck_watch_new(Loop *loop, gint64 limit_usec, StuckFunc stuck, gpointer user);
void stuck_watch_free(StuckWatch *watch);

/* Another ring, with no call in it; NULL: none. */
void stuck_watch_set_ring(StuckWatch *watch, RingFront *ring);
void stuck_watch_add(StuckWatch *watch, guint32 slot);
void stuck_watch_remove(StuckWatch *watch, guint32 slot);
