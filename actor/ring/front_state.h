/* front_state.h - what sluiced knows of a ring.  Private to actor/ring: of ring_front.c, which
 * hands calls over and collects replies, and front_ends.c, which sees to what the dead left.  */
#pragma once
#include "actor/ring/layout.h"
#include "actor/ring/ring_front.h"

#define ANY_WORKER G_MAXUINT32

/* Our own copy of a slot: the truth about it. */
typedef struct {
    gpointer job; /* NULL: free */
    guint32 sequence;
    guint32 only; /* the one worker that it is for, or ANY_WORKER */
    gsize call_bytes;
    gsize reply_bytes; /* of the reply area that may have been touched */
} Shadow;

struct RingFront {
    RingLayout ring;
    int segment_fd;
    int event_fd;
    guint32 tail;       /* ours; workers only see copies of it */
    guint32 floor;      /* every entry before it is claimed, taken back or done */
    guint64 *announced; /* our copy of ready[] */
    Shadow *shadows;
    guint32 *free_slots; /* a stack, so that warm slots are used again first */
    guint32 n_free;
    gboolean corrupt;
};

/* acquire, pairs with the release in ring_worker_finish: a DONE word brings the reply. */
static inline guint64 word_of(const RingFront *front, guint32 slot)
{
    return atomic_load_explicit(&front->ring.slots[slot].word, memory_order_acquire);
}

/* relaxed: times that a worker told, believed as far as they can be true and used as hints. */
static inline gint64 told_usec(_Atomic gint64 *cell, gint64 latest_usec)
{
    const gint64 usec = atomic_load_explicit(cell, memory_order_relaxed);
    return CLAMP(usec, 0, latest_usec);
}

static inline RingClaim claim_of(RingFront *front, guint32 slot, guint64 word, gint64 now_usec)
{
    RingSignals *signals = &front->ring.slots[slot].signals;
    return (RingClaim){
        .worker = slot_worker(word),
        .incarnation = slot_incarnation(word),
        .claimed_usec = told_usec(&signals->claimed_usec, now_usec),
        .progress_usec = told_usec(&signals->progress_usec, now_usec),
        .protect_usec = told_usec(&signals->protect_usec, G_MAXINT64),
    };
}

static inline void free_slot(RingFront *front, guint32 slot)
{
    g_assert(front->shadows[slot].job != NULL);
    front->shadows[slot].job = NULL;
    front->free_slots[front->n_free++] = slot;
}
