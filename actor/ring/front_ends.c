/* front_ends.c - calls of workers that end or have ended. */
#include "actor/ring/front_state.h"
#include "actor/ring/futex.h"

void ring_front_stop_worker(RingFront *front, guint32 worker)
{
    g_assert(worker < front->ring.geometry.workers);
    Seat *seat = &front->ring.seats[worker];
    atomic_store(&seat->stop, 1);
    atomic_fetch_add(&seat->futex, 1);
    futex_wake_one(&seat->futex);
}

void ring_front_reset_seat(RingFront *front, guint32 worker)
{
    g_assert(worker < front->ring.geometry.workers);
    atomic_store(&front->ring.seats[worker].stop, 0);
    atomic_store(&front->ring.seats[worker].inbox, 0);
    atomic_fetch_and(&front->ring.shared->sleep_map[worker / 64],
                     ~(G_GUINT64_CONSTANT(1) << worker % 64));
}

/* A slot that the dead worker had claimed, or that nobody else may claim. */
static void lose_slot(RingFront *front, guint32 slot, guint64 word, RingLostFunc lost,
                      gpointer user)
{
    gpointer job = front->shadows[slot].job;
    if (slot_phase(word) == SLOT_DONE) {
        atomic_fetch_or(&front->ring.shared->done_map[slot / 64], G_GUINT64_CONSTANT(1)
                                                                      << slot % 64);
    } else if (slot_phase(word) == SLOT_CLAIMED) {
        const RingClaim claim = claim_of(front, slot, word, G_MAXINT64);
        front->shadows[slot].reply_bytes = front->ring.geometry.max_reply_bytes;
        ring_front_release(front, slot);
        lost(slot, job, &claim, user);
    } else if (ring_front_take_back(front, slot)) {
        lost(slot, job, NULL, user);
    }
}

void ring_front_worker_gone(RingFront *front, guint32 worker, guint16 incarnation,
                            RingLostFunc lost, gpointer user)
{
    gboolean announced = FALSE;
    ring_front_reset_seat(front, worker);
    for (guint32 slot = 0; slot < front->ring.geometry.slots; slot++) {
        const guint32 only = front->shadows[slot].only;
        if (front->shadows[slot].job == NULL)
            continue;
        const guint64 word = word_of(front, slot);
        const gboolean ready = slot_phase(word) == SLOT_READY;
        announced |= ready && only == ANY_WORKER;
        if (ready ? only == worker
                  : slot_worker(word) == worker && slot_incarnation(word) == incarnation)
            lose_slot(front, slot, word, lost, user);
    }
    if (announced)
        ring_wake_one(&front->ring);
}

void ring_front_abandon(RingFront *front, RingLostFunc func, gpointer user)
{
    for (guint32 slot = 0; slot < front->ring.geometry.slots; slot++) {
        gpointer job = front->shadows[slot].job;
        if (job == NULL)
            continue;
        const RingClaim claim = claim_of(front, slot, word_of(front, slot), G_MAXINT64);
        const gboolean unclaimed = ring_front_take_back(front, slot);
        if (!unclaimed)
            free_slot(front, slot);
        func(slot, job, unclaimed ? NULL : &claim, user);
    }
}
