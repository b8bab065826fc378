#include "actor/ring/ring_front.h"
#include "actor/ring/futex.h"
#include "actor/ring/front_state.h"
#include "actor/fault/fault_point.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

/* What a large message touched is given back beyond this much of each area. */
#define KEEP_BYTES ((gsize)128 * 1024)

static gboolean create_segment(RingFront *front, const RingGeometry *geometry, GError **error)
{
    const gsize bytes = ring_layout_total_bytes(geometry);
    front->segment_fd =
        FAULT_AT(RING_MEMFD) ? -1 : memfd_create("sluice-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (front->segment_fd >= 0 && !FAULT_AT(RING_EVENTFD))
        front->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (front->event_fd < 0 || FAULT_AT(RING_SIZE) ||
        ftruncate(front->segment_fd, (off_t)bytes) != 0 || FAULT_AT(RING_SEAL) ||
        fcntl(front->segment_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "cannot create %" G_GSIZE_FORMAT " bytes of shared memory: %s", bytes,
                    g_strerror(errno));
        return FALSE;
    }
    return ring_layout_map(&front->ring, geometry, front->segment_fd, error);
}

RingFront *ring_front_new(const RingGeometry *geometry, GError **error)
{
    g_assert(ring_geometry_is_possible(geometry));
    g_autoptr(RingFront) front = g_new0(RingFront, 1);
    front->segment_fd = front->event_fd = -1;
    if (!create_segment(front, geometry, error))
        return NULL;
    front->shadows = g_new0(Shadow, geometry->slots);
    front->announced = g_new0(guint64, front->ring.ready_mask + 1);
    front->free_slots = g_new(guint32, geometry->slots);
    for (guint32 slot = geometry->slots; slot-- > 0;) {
        front->free_slots[front->n_free++] = slot;
        atomic_init(&front->ring.slots[slot].word, slot_word(SLOT_FREE, 0, 0, 0));
    }
    front->ring.shared->geometry = *geometry;
    front->ring.shared->magic = RING_MAGIC;
    return g_steal_pointer(&front);
}

void ring_front_free(RingFront *front)
{
    if (front == NULL)
        return;
    g_assert(front->shadows == NULL || ring_front_used_slots(front) == 0);
    ring_layout_unmap(&front->ring);
    if (front->segment_fd >= 0)
        close(front->segment_fd);
    if (front->event_fd >= 0)
        close(front->event_fd);
    g_free(front->shadows);
    g_free(front->announced);
    g_free(front->free_slots);
    g_free(front);
}

int ring_front_segment_fd(const RingFront *front) { return front->segment_fd; }
int ring_front_event_fd(const RingFront *front) { return front->event_fd; }
gboolean ring_front_is_corrupt(const RingFront *front) { return front->corrupt; }

guint ring_front_used_slots(const RingFront *front)
{
    return front->ring.geometry.slots - front->n_free;
}

guint32 ring_front_slots(const RingFront *front) { return front->ring.geometry.slots; }

static guint64 ready_word(const RingFront *front, guint32 slot)
{
    return slot_word(SLOT_READY, 0, 0, front->shadows[slot].sequence);
}

/* --- calls on their way to workers ------------------------------------------------------- */

static guint64 entry_of(const RingFront *front, guint32 slot)
{
    return (guint64)slot << 32 | front->shadows[slot].sequence;
}

static gboolean is_full(const RingFront *front)
{
    return front->tail - front->floor > front->ring.ready_mask;
}

/* Whether that call has been neither claimed nor taken back. */
static gboolean waits(const RingFront *front, guint64 entry)
{
    const guint32 slot = (guint32)(entry >> 32);
    return front->shadows[slot].sequence == (guint32)entry && front->shadows[slot].job != NULL &&
           word_of(front, slot) == ready_word(front, slot);
}

static void publish(RingFront *front, guint32 slot)
{
    const guint64 entry = entry_of(front, slot);
    front->announced[front->tail & front->ring.ready_mask] = entry;
    atomic_store_explicit(&front->ring.ready[front->tail & front->ring.ready_mask], entry,
                          memory_order_relaxed);
    /* seq_cst: the tail goes up before we look who sleeps, see next_entry(). */
    atomic_store(&front->ring.shared->tail, ++front->tail);
    ring_wake_one(&front->ring);
}

/* Calls that came and were taken back have filled the ring behind one that still waits.  Those
 * that wait are announced again, in their order; what an old entry says is not claimed any more
 * then.  The cell that is written is always the one that was just read. */
static void announce_again(RingFront *front)
{
    for (const guint32 end = front->tail; front->floor != end;) {
        const guint64 entry = front->announced[front->floor++ & front->ring.ready_mask];
        const guint32 slot = (guint32)(entry >> 32);
        if (!waits(front, entry))
            continue;
        guint64 before = ready_word(front, slot);
        front->shadows[slot].sequence++;
        /* release, pairs with the acquire of the claim, as in fill_slot(). */
        if (atomic_compare_exchange_strong(&front->ring.slots[slot].word, &before,
                                           ready_word(front, slot)))
            publish(front, slot);
        else
            front->shadows[slot].sequence--; /* a worker was quicker */
    }
}

gboolean ring_front_has_room(const RingFront *front) { return front->n_free > 0; }

/* There are more entries than slots, so one is free then. */
static void make_room_for_entry(RingFront *front)
{
    while (is_full(front) && !waits(front, front->announced[front->floor & front->ring.ready_mask]))
        front->floor++;
    if (is_full(front))
        announce_again(front);
    g_assert(!is_full(front));
}

static gsize write_call(RingFront *front, guint32 slot, const RingCall *call)
{
    SlotHead *head = &front->ring.slots[slot];
    guint8 *area = ring_call_area(&front->ring, slot);
    const gsize method = strlen(call->method) + 1;
    const gsize peer = strlen(call->peer) + 1;
    const gsize bytes = method + peer + call->headers_bytes + call->args_bytes;
    g_assert(bytes <= front->ring.geometry.max_call_bytes);
    head->protocol = call->protocol;
    head->oneway = call->oneway ? 1 : 0;
    head->seqid = call->seqid;
    head->received_usec = call->received_usec;
    head->deadline_usec = call->deadline_usec;
    head->method_bytes = (guint32)method;
    head->peer_bytes = (guint32)peer;
    head->headers_bytes = call->headers_bytes;
    head->args_bytes = call->args_bytes;
    memcpy(area, call->method, method);
    memcpy(area + method, call->peer, peer);
    if (call->headers_bytes > 0)
        memcpy(area + method + peer, call->headers, call->headers_bytes);
    if (call->args_bytes > 0)
        memcpy(area + method + peer + call->headers_bytes, call->args, call->args_bytes);
    return bytes;
}

static guint32 fill_slot(RingFront *front, const RingCall *call, gpointer job, guint32 only)
{
    g_assert(job != NULL && front->n_free > 0);
    const guint32 slot = front->free_slots[--front->n_free];
    Shadow *shadow = &front->shadows[slot];
    shadow->job = job;
    shadow->only = only;
    shadow->sequence++;
    shadow->call_bytes = write_call(front, slot, call);
    shadow->reply_bytes = 0;
    SlotHead *head = &front->ring.slots[slot];
    /* relaxed: what they hold is old news to whoever claims it, by the release below. */
    atomic_store_explicit(&head->signals.cancelled, 0, memory_order_relaxed);
    atomic_store_explicit(&head->signals.claimed_usec, 0, memory_order_relaxed);
    atomic_store_explicit(&head->signals.progress_usec, 0, memory_order_relaxed);
    atomic_store_explicit(&head->signals.protect_usec, 0, memory_order_relaxed);
    /* release, pairs with the acquire of the claim. */
    atomic_store_explicit(&head->word, ready_word(front, slot), memory_order_release);
    return slot;
}

guint32 ring_front_announce_to(RingFront *front, guint32 worker, const RingCall *call, gpointer job)
{
    g_assert(worker < front->ring.geometry.workers);
    const guint32 slot = fill_slot(front, call, job, worker);
    /* seq_cst: the entry is there before we look whether it sleeps, see try_inbox(). */
    atomic_store(&front->ring.seats[worker].inbox, entry_of(front, slot));
    ring_wake(&front->ring, worker);
    return slot;
}

guint32 ring_front_announce(RingFront *front, const RingCall *call, gpointer job)
{
    make_room_for_entry(front);
    const guint32 slot = fill_slot(front, call, job, ANY_WORKER);
    publish(front, slot);
    return slot;
}

/* Pages that a large message touched, beyond what every slot may keep. */
static void give_back(RingFront *front, const guint8 *area, gsize stride, gsize touched)
{
    if (touched <= KEEP_BYTES)
        return;
    const gsize offset = (gsize)(area - (const guint8 *)front->ring.shared) + KEEP_BYTES;
    if (FAULT_AT(RING_GIVE_BACK) ||
        fallocate(front->segment_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
                  (off_t)(stride - KEEP_BYTES)) != 0)
        g_warning("ring: cannot give memory back: %s", g_strerror(errno));
}

static void release_memory(RingFront *front, guint32 slot)
{
    give_back(front, ring_call_area(&front->ring, slot), front->ring.call_stride,
              front->shadows[slot].call_bytes);
    give_back(front, ring_reply_area(&front->ring, slot), front->ring.reply_stride,
              front->shadows[slot].reply_bytes);
}

gboolean ring_front_take_back(RingFront *front, guint32 slot)
{
    guint64 ready = ready_word(front, slot);
    g_assert(front->shadows[slot].job != NULL);
    if (!atomic_compare_exchange_strong(&front->ring.slots[slot].word, &ready,
                                        slot_word(SLOT_FREE, 0, 0, 0)))
        return FALSE;
    release_memory(front, slot);
    free_slot(front, slot);
    return TRUE;
}

gpointer ring_front_job(const RingFront *front, guint32 slot) { return front->shadows[slot].job; }

void ring_front_cancel(RingFront *front, guint32 slot)
{
    g_assert(front->shadows[slot].job != NULL);
    /* relaxed: a hint for the handler, ordered with nothing. */
    atomic_store_explicit(&front->ring.slots[slot].signals.cancelled, 1, memory_order_relaxed);
}

gboolean ring_front_claim(RingFront *front, guint32 slot, gint64 now_usec, RingClaim *claim)
{
    const guint64 word = word_of(front, slot);
    if (word == ready_word(front, slot))
        return FALSE;
    const guint32 only = front->shadows[slot].only;
    if ((slot_phase(word) == SLOT_CLAIMED || slot_phase(word) == SLOT_DONE) &&
        slot_sequence(word) == front->shadows[slot].sequence &&
        slot_worker(word) < front->ring.geometry.workers &&
        (only == ANY_WORKER || slot_worker(word) == only)) {
        *claim = claim_of(front, slot, word, now_usec);
        return TRUE;
    }
    front->corrupt = TRUE;
    return FALSE;
}

/* --- replies ----------------------------------------------------------------------------- */

/* A reply that was given up halfway may have filled its area before. */
static gsize touched_bytes(RingOutcome outcome, guint32 body_bytes, const RingGeometry *geometry)
{
    return outcome == RING_REPLY_TOO_LARGE || outcome == RING_BROKEN_HANDLER
               ? geometry->max_reply_bytes
               : body_bytes;
}

/* Fills in `done` from slot memory; FALSE when it holds what no honest worker writes. */
static gboolean read_reply(RingFront *front, guint32 slot, RingDone *done)
{
    const SlotHead *head = &front->ring.slots[slot];
    const guint64 word = word_of(front, slot);
    /* Each field is read once, through volatile: the check is of what is then used. */
    const guint32 outcome = *(const volatile guint32 *)&head->outcome;
    const guint32 body = *(const volatile guint32 *)&head->body_bytes;
    const guint32 headers = *(const volatile guint32 *)&head->reply_headers_bytes;
    if (front->shadows[slot].job == NULL || slot_phase(word) != SLOT_DONE ||
        slot_sequence(word) != front->shadows[slot].sequence ||
        slot_worker(word) >= front->ring.geometry.workers ||
        (front->shadows[slot].only != ANY_WORKER &&
         front->shadows[slot].only != slot_worker(word)) ||
        outcome >= RING_OUTCOMES || body > front->ring.geometry.max_reply_bytes ||
        headers > RING_HEADERS_MAX)
        return FALSE;
    const guint8 *area = ring_reply_area(&front->ring, slot);
    front->shadows[slot].reply_bytes =
        touched_bytes((RingOutcome)outcome, body, &front->ring.geometry);
    *done = (RingDone){
        .slot = slot,
        .worker = slot_worker(word),
        .incarnation = slot_incarnation(word),
        .claimed_usec = claim_of(front, slot, word, G_MAXINT64).claimed_usec,
        .job = front->shadows[slot].job,
        .reply = { (RingOutcome)outcome, area, body, area + body, headers },
    };
    return TRUE;
}

gboolean ring_front_collect(RingFront *front, RingDone *done)
{
    const guint32 words = (front->ring.geometry.slots + 63) / 64;
    for (guint32 i = 0; i < words; i++) {
        _Atomic guint64 *map = &front->ring.shared->done_map[i];
        const guint64 bits = atomic_load(map);
        if (bits == 0)
            continue;
        const guint32 slot = i * 64 + (guint32)__builtin_ctzll(bits);
        atomic_fetch_and(map, ~(bits & -bits));
        if (slot < front->ring.geometry.slots && read_reply(front, slot, done))
            return TRUE;
        front->corrupt = TRUE;
        return FALSE;
    }
    return FALSE;
}

void ring_front_release(RingFront *front, guint32 slot)
{
    atomic_store_explicit(&front->ring.slots[slot].word, slot_word(SLOT_FREE, 0, 0, 0),
                          memory_order_relaxed);
    release_memory(front, slot);
    free_slot(front, slot);
}

/* --- sleeping ---------------------------------------------------------------------------- */

gboolean ring_front_arm(RingFront *front)
{
    const guint32 words = (front->ring.geometry.slots + 63) / 64;
    /* seq_cst, pairs with wake_front(). */
    atomic_store(&front->ring.shared->front_armed, 1);
    for (guint32 i = 0; i < words; i++)
        if (atomic_load(&front->ring.shared->done_map[i]) != 0)
            return TRUE;
    return FALSE;
}

void ring_front_disarm(RingFront *front) { atomic_store(&front->ring.shared->front_armed, 0); }

void ring_front_clear_event(RingFront *front)
{
    guint64 count;
    if (read(front->event_fd, &count, sizeof count) < 0 && errno != EAGAIN)
        g_warning("ring: cannot read the eventfd: %s", g_strerror(errno));
}
