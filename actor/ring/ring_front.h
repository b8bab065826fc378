/* ring_front.h - sluiced's side of the ring: announce calls, take them back, collect replies.
 *
 * Thread: one; the loop that owns the service.
 * Owns:   the sealed memfd, its mapping and the eventfd.
 * Keeps:  its own copy of which slot holds which call.  What it reads from shared memory is
 *         compared with that or bounded by it; what does not fit sets `corrupt`, and the
 *         caller then ends the host: nothing that its workers say can be believed any more.
 * Never:  blocks, or allocates per call.                                                    */
#pragma once
#include "actor/ring/ring.h"

typedef struct RingFront RingFront;

#define RING_NO_SLOT G_MAXUINT32

RingFront *ring_front_new(const RingGeometry *geometry, GError **error);
/* The caller has taken every call out before (ring_front_abandon).  NULL is fine. */
void ring_front_free(RingFront *front);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RingFront, ring_front_free)

int ring_front_segment_fd(const RingFront *front); /* borrowed */
int ring_front_event_fd(const RingFront *front);   /* borrowed; readable when replies wait */

/* --- calls on their way to workers ------------------------------------------------------- */

gboolean ring_front_has_room(const RingFront *front); /* a slot is free */

/* Copies `call` into a free slot, announces it and wakes a worker if one sleeps.  `job` is
 * handed back with the reply.  Returns the slot.  Only when there is room; method, peer,
 * headers and args together fit max_call_bytes. */
guint32 ring_front_announce(RingFront *front, const RingCall *call, gpointer job);

/* The same, for this worker alone.  Only when it has no such call that is not claimed. */
guint32 ring_front_announce_to(RingFront *front, guint32 worker, const RingCall *call,
                               gpointer job);

/* TRUE: no worker had it, and none will; the slot is free again.  FALSE: a worker has it. */
gboolean ring_front_take_back(RingFront *front, guint32 slot);

gpointer ring_front_job(const RingFront *front, guint32 slot); /* NULL: the slot is free */

/* Tells the handler that nobody waits for this reply any more. */
void ring_front_cancel(RingFront *front, guint32 slot);

typedef struct {
    guint32 worker;
    guint16 incarnation;
    /* As the worker says, within what is possible; 0: it has not said. */
    gint64 claimed_usec, progress_usec, protect_usec;
} RingClaim;

/* Who has the call, and what it said since; FALSE while nobody has.  A slot whose word fits
 * neither makes the ring corrupt. */
gboolean ring_front_claim(RingFront *front, guint32 slot, gint64 now_usec, RingClaim *claim);

/* --- replies ----------------------------------------------------------------------------- */

typedef struct {
    guint32 slot;
    guint32 worker;
    guint16 incarnation;
    gint64 claimed_usec; /* as in RingClaim */
    gpointer job;
    RingReply reply; /* in shared memory: copy it before you look inside */
} RingDone;

/* The next finished call; FALSE when there is none.  Its slot stays taken until
 * ring_front_release(). */
gboolean ring_front_collect(RingFront *front, RingDone *done);
void ring_front_release(RingFront *front, guint32 slot);

/* --- sleeping ---------------------------------------------------------------------------- */

/* Before the loop sleeps: from now on a finished call writes the eventfd.  TRUE when one
 * finished meanwhile, so that sleeping would be wrong. */
gboolean ring_front_arm(RingFront *front);
void ring_front_disarm(RingFront *front);      /* after the loop woke */
void ring_front_clear_event(RingFront *front); /* when the eventfd is readable */

/* --- workers that end -------------------------------------------------------------------- */

/* Asks a worker to end after the call that it runs. */
void ring_front_stop_worker(RingFront *front, guint32 worker);

/* A seat is used again: forgets what was asked of the worker before. */
void ring_front_reset_seat(RingFront *front, guint32 worker);

/* A call that is taken out; its slot is free.  `claim` NULL: no worker had started it. */
typedef void (*RingLostFunc)(guint32 slot, gpointer job, const RingClaim *claim, gpointer user);

/* After the worker's death was seen: hands out each call that it had claimed and not finished
 * or that was for it alone.  Finished ones come with the next collect.  Wakes another worker
 * if the dead one was the one that had been woken. */
void ring_front_worker_gone(RingFront *front, guint32 worker, guint16 incarnation,
                            RingLostFunc lost, gpointer user);

/* After the host and all its workers are dead or given up: hands every call out. */
void ring_front_abandon(RingFront *front, RingLostFunc func, gpointer user);

gboolean ring_front_is_corrupt(const RingFront *front);
guint ring_front_used_slots(const RingFront *front);
guint32 ring_front_slots(const RingFront *front);
