/* ring_worker.h - a worker's side of the ring: take a call, finish it, sleep.
 *
 * Thread: one thread of one worker process per RingWorker.
 * Owns:   its mapping of the segment.
 * Trusts: sluiced, and as far as it must the other workers of its own service.             */
#pragma once
#include "actor/ring/ring.h"

typedef struct RingWorker RingWorker;

/* What sluiced made the segment for.  FALSE when it is not a ring of this version. */
gboolean ring_geometry_read(int segment_fd, RingGeometry *geometry);

/* Maps `segment_fd` (borrowed) as worker `index` of this incarnation; finished calls are
 * signalled on `event_fd` (borrowed for the object's life). */
RingWorker *ring_worker_new(int segment_fd, int event_fd, const RingGeometry *geometry,
                            guint32 index, guint16 incarnation, GError **error);
void ring_worker_free(RingWorker *worker); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RingWorker, ring_worker_free)

typedef enum { RING_TAKEN, RING_NOTHING, RING_STOP } RingTake;

/* Claims the call in its inbox, else the oldest announced one.  TAKEN: `call` is filled in and its
 * pointers are valid until ring_worker_finish().  STOP: sluiced wants this worker to end. */
RingTake ring_worker_try_take(RingWorker *worker, RingCall *call);

/* The same, and sleeps up to `wait_usec` when there is nothing. */
RingTake ring_worker_take(RingWorker *worker, RingCall *call, gint64 wait_usec);

/* Of the call that was taken. */
RingSignals *ring_worker_signals(RingWorker *worker);

/* Of the call that was taken: where the reply's body, then its headers, are written. */
guint8 *ring_worker_reply_area(RingWorker *worker, gsize *body_capacity);

/* Hands the reply over.  body must be the reply area or NULL with 0 bytes, headers (copied
 * behind the body) at most 16 KiB.  The call's memory is not touched afterwards. */
void ring_worker_finish(RingWorker *worker, const RingReply *reply);
