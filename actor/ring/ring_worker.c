#include "actor/ring/ring_worker.h"
#include "actor/ring/futex.h"
#include "actor/ring/layout.h"
#include "actor/fault/fault_point.h"
#include <errno.h>
#include <string.h>

#define NO_SLOT G_MAXUINT32

struct RingWorker {
    RingLayout ring;
    int event_fd;
    guint32 index;
    guint16 incarnation;
    guint32 slot; /* the call in hand, or NO_SLOT */
    guint32 sequence;
};

gboolean ring_geometry_read(int segment_fd, RingGeometry *geometry)
{
    g_autofree RingShared *shared = g_new(RingShared, 1);
    if (pread(segment_fd, shared, sizeof *shared, 0) != sizeof *shared ||
        shared->magic != RING_MAGIC)
        return FALSE;
    *geometry = shared->geometry;
    return ring_geometry_is_possible(geometry);
}

RingWorker *ring_worker_new(int segment_fd, int event_fd, const RingGeometry *geometry,
                            guint32 index, guint16 incarnation, GError **error)
{
    g_assert(ring_geometry_is_possible(geometry) && index < geometry->workers);
    g_autoptr(RingWorker) worker = g_new0(RingWorker, 1);
    worker->event_fd = event_fd;
    worker->index = index;
    worker->incarnation = incarnation;
    worker->slot = NO_SLOT;
    if (!ring_layout_map(&worker->ring, geometry, segment_fd, error))
        return NULL;
    return g_steal_pointer(&worker);
}

void ring_worker_free(RingWorker *worker)
{
    if (worker == NULL)
        return;
    ring_layout_unmap(&worker->ring);
    g_free(worker);
}

static void describe(const RingWorker *worker, RingCall *call)
{
    SlotHead *head = &worker->ring.slots[worker->slot];
    const gint64 now_usec = g_get_monotonic_time();
    /* relaxed: a time for sluiced to read when it likes. */
    atomic_store_explicit(&head->signals.claimed_usec, now_usec, memory_order_relaxed);
    const guint8 *area = ring_call_area(&worker->ring, worker->slot);
    *call = (RingCall){
        .protocol = head->protocol < RING_PROTOCOLS ? (RingProtocol)head->protocol : RING_BINARY,
        .oneway = head->oneway != 0,
        .seqid = head->seqid,
        .received_usec = head->received_usec,
        .deadline_usec = head->deadline_usec,
        .method = (const gchar *)area,
        .peer = (const gchar *)area + head->method_bytes,
        .headers = area + head->method_bytes + head->peer_bytes,
        .headers_bytes = head->headers_bytes,
        .args = area + head->method_bytes + head->peer_bytes + head->headers_bytes,
        .args_bytes = head->args_bytes,
        .claimed_usec = now_usec,
    };
}

/* The claim is this one compare-and-swap: before it the call belongs to whoever comes first
 * (sluiced may take it back), after it to this worker alone. */
static gboolean claim(RingWorker *worker, guint64 entry)
{
    const guint32 slot = (guint32)(entry >> 32);
    if (slot >= worker->ring.geometry.slots)
        return FALSE;
    guint64 ready = slot_word(SLOT_READY, 0, 0, (guint32)entry);
    /* acquire, pairs with the release in ring_front_announce: the call is all there. */
    if (!atomic_compare_exchange_strong_explicit(
            &worker->ring.slots[slot].word, &ready,
            slot_word(SLOT_CLAIMED, worker->index, worker->incarnation, (guint32)entry),
            memory_order_acq_rel, memory_order_relaxed))
        return FALSE;
    worker->slot = slot;
    worker->sequence = (guint32)entry;
    return TRUE;
}

/* Where to look next; FALSE: nothing is announced.
 *
 * head is a hint: whoever sees an entry that is claimed or taken back moves it on, so a worker
 * that dies between its claim and this step holds up nobody.  It never goes beyond the tail
 * by our hand; one that was scribbled there, or that the others have left behind by more than
 * the ring since we read it, is brought back and read again. */
static gboolean next_entry(const RingLayout *ring, guint32 *head)
{
    RingShared *shared = ring->shared;
    for (;;) {
        /* acquire: the tail that is read next is not older than this head. */
        *head = atomic_load_explicit(&shared->head, memory_order_acquire);
        /* seq_cst, pairs with the store in ring_front_announce: after raising our sleep bit
         * we see the new tail, or sluiced sees the bit. */
        const guint32 tail = atomic_load(&shared->tail);
        if (tail == *head)
            return FALSE;
        if (tail - *head <= ring->ready_mask + 1)
            return TRUE;
        atomic_compare_exchange_strong(&shared->head, head, tail - ring->ready_mask - 1);
    }
}

/* A call for this worker alone.  An entry that cannot be claimed was taken back: it is removed,
 * unless sluiced has put another there meanwhile. */
static gboolean try_inbox(RingWorker *worker)
{
    _Atomic guint64 *inbox = &worker->ring.seats[worker->index].inbox;
    /* seq_cst, pairs with the store in ring_front_announce_to: after raising our sleep bit we
     * see the entry, or sluiced sees the bit. */
    guint64 entry = atomic_load(inbox);
    while (entry != 0) {
        const gboolean claimed = claim(worker, entry);
        const gboolean removed = atomic_compare_exchange_strong(inbox, &entry, 0);
        if (claimed)
            return TRUE;
        if (removed)
            return FALSE;
    }
    return FALSE;
}

RingTake ring_worker_try_take(RingWorker *worker, RingCall *call)
{
    g_assert(worker->slot == NO_SLOT);
    RingLayout *ring = &worker->ring;
    guint32 head;
    /* relaxed: a late look only delays the stop by one call. */
    if (atomic_load_explicit(&ring->seats[worker->index].stop, memory_order_relaxed) != 0)
        return RING_STOP;
    if (try_inbox(worker)) {
        describe(worker, call);
        return RING_TAKEN;
    }
    while (next_entry(ring, &head)) {
        /* relaxed: the claim checks the entry, and brings the acquire. */
        const guint64 entry =
            atomic_load_explicit(&ring->ready[head & ring->ready_mask], memory_order_relaxed);
        const gboolean claimed = claim(worker, entry);
        guint32 expected = head;
        atomic_compare_exchange_strong(&ring->shared->head, &expected, head + 1);
        if (claimed) {
            describe(worker, call);
            return RING_TAKEN;
        }
    }
    return RING_NOTHING;
}

RingTake ring_worker_take(RingWorker *worker, RingCall *call, gint64 wait_usec)
{
    RingTake taken = ring_worker_try_take(worker, call);
    if (taken != RING_NOTHING)
        return taken;
    Seat *seat = &worker->ring.seats[worker->index];
    _Atomic guint64 *map = &worker->ring.shared->sleep_map[worker->index / 64];
    const guint64 bit = G_GUINT64_CONSTANT(1) << (worker->index % 64);
    /* The ticket is read before the bit goes up: a wake-up between the two changes the
     * futex, and the wait returns at once. */
    const guint32 ticket = atomic_load(&seat->futex);
    atomic_fetch_or(map, bit);
    taken = ring_worker_try_take(worker, call);
    if (taken == RING_NOTHING) {
        futex_wait(&seat->futex, ticket, wait_usec);
        taken = ring_worker_try_take(worker, call);
    }
    /* The bit is gone: somebody has spent a wake-up on us.  If we do not use it, because we had
     * found our call already or are to stop, it is another's: there may be one more call. */
    const gboolean woken = (atomic_fetch_and(map, ~bit) & bit) == 0;
    guint32 head;
    if (woken && taken != RING_NOTHING && next_entry(&worker->ring, &head))
        ring_wake_one(&worker->ring);
    return taken;
}

RingSignals *ring_worker_signals(RingWorker *worker)
{
    g_assert(worker->slot != NO_SLOT);
    return &worker->ring.slots[worker->slot].signals;
}

guint8 *ring_worker_reply_area(RingWorker *worker, gsize *body_capacity)
{
    g_assert(worker->slot != NO_SLOT);
    *body_capacity = worker->ring.geometry.max_reply_bytes;
    return ring_reply_area(&worker->ring, worker->slot);
}

static void wake_front(RingWorker *worker)
{
    _Atomic guint32 *armed = &worker->ring.shared->front_armed;
    /* seq_cst, pairs with ring_front_arm: it sees our done bit, or we see that it sleeps. */
    if (atomic_load(armed) == 0 || atomic_exchange(armed, 0) == 0)
        return;
    const guint64 one = 1;
    /* The counter cannot overflow by ones in this life, so the write cannot fail short. */
    if (FAULT_AT(WORKER_SIGNAL) || write(worker->event_fd, &one, sizeof one) != sizeof one)
        g_warning("ring: cannot signal the daemon: %s", g_strerror(errno));
}

void ring_worker_finish(RingWorker *worker, const RingReply *reply)
{
    g_assert(worker->slot != NO_SLOT);
    g_assert(reply->body_bytes <= worker->ring.geometry.max_reply_bytes);
    g_assert(reply->headers_bytes <= RING_HEADERS_MAX);
    const guint32 slot = worker->slot;
    SlotHead *head = &worker->ring.slots[slot];
    head->outcome = reply->outcome;
    head->body_bytes = reply->body_bytes;
    head->reply_headers_bytes = reply->headers_bytes;
    if (reply->headers_bytes > 0)
        memcpy(ring_reply_area(&worker->ring, slot) + reply->body_bytes, reply->headers,
               reply->headers_bytes);
    worker->slot = NO_SLOT;
    /* release, pairs with the acquire in ring_front_collect: the reply is all there. */
    atomic_store_explicit(
        &head->word, slot_word(SLOT_DONE, worker->index, worker->incarnation, worker->sequence),
        memory_order_release);
    /* A worker that dies right here has finished: sluiced looks at its slots. */
    atomic_fetch_or(&worker->ring.shared->done_map[slot / 64], G_GUINT64_CONSTANT(1) << slot % 64);
    wake_front(worker);
}
