/* layout.h - what lies where in the shared memory of a ring.  Private to actor/ring.
 *
 *   RingShared | ready[] | SlotHead[] | Seat[] | call areas | reply areas
 *
 * Every slot has a call area and a reply area for the largest message there may be.  The
 * memfd is sparse: a page exists once it is touched, so a slot that only ever saw small
 * calls costs two pages, and no message needs chaining.  ring_front gives back what a large
 * one touched.  The file is sealed against growing and shrinking: a worker cannot truncate
 * it under sluiced (that would be a SIGBUS there).                                          */
#pragma once
#include "actor/ring/ring.h"
#include <stdatomic.h>

#define RING_MAGIC       0x53524e47u /* "SRNG" */
#define RING_READY_SLACK 2u          /* ready ring entries per slot: room for taken-back ones */
#define RING_HEADERS_MAX 16384u

/* A slot's word: phase (4 bits), worker (12), incarnation (16), sequence (32). */
typedef enum { SLOT_FREE = 1, SLOT_READY = 2, SLOT_CLAIMED = 3, SLOT_DONE = 4 } SlotPhase;

static inline guint64 slot_word(SlotPhase phase, guint32 worker, guint16 incarnation, guint32 seq)
{
    return (guint64)phase << 60 | (guint64)(worker & 0xfff) << 48 | (guint64)incarnation << 32 |
           seq;
}
static inline SlotPhase slot_phase(guint64 word) { return (SlotPhase)(word >> 60); }
static inline guint32 slot_worker(guint64 word) { return (guint32)(word >> 48) & 0xfff; }
static inline guint16 slot_incarnation(guint64 word) { return (guint16)(word >> 32); }
static inline guint32 slot_sequence(guint64 word) { return (guint32)word; }

typedef struct {
    _Alignas(64) _Atomic guint64 word; /* the only thing both sides write */
    RingSignals signals;
    /* the call: sluiced writes before READY.  In its area: method NUL peer NUL headers args */
    guint32 protocol;
    guint32 oneway;
    gint32 seqid;
    gint64 received_usec;
    gint64 deadline_usec;
    guint32 method_bytes; /* with its NUL, as peer_bytes */
    guint32 peer_bytes;
    guint32 headers_bytes;
    guint32 args_bytes;
    /* the reply: the worker writes before DONE.  In its area: body headers */
    guint32 outcome;
    guint32 body_bytes;
    guint32 reply_headers_bytes;
} SlotHead;

/* Where one worker sits: what it sleeps on, and how it is asked to leave. */
typedef struct {
    _Alignas(64) _Atomic guint32 futex;
    _Atomic guint32 stop;
    _Atomic guint64 inbox; /* slot << 32 | sequence of a call for this worker alone; 0: none */
} Seat;

typedef struct {
    guint32 magic;
    RingGeometry geometry;
    _Alignas(64) _Atomic guint32 front_armed; /* sluiced is about to sleep: write the eventfd */
    _Alignas(64) _Atomic guint32 tail;        /* next entry of ready[] that sluiced writes */
    _Alignas(64) _Atomic guint32 head;        /* where workers look first: a hint */
    _Alignas(64) _Atomic guint64 sleep_map[RING_MAX_WORKERS / 64];
    _Alignas(64) _Atomic guint64 done_map[RING_MAX_SLOTS / 64];
} RingShared;

/* One process's view of the segment. */
typedef struct {
    RingGeometry geometry; /* this process's own copy */
    gsize total_bytes;
    RingShared *shared;
    _Atomic guint64 *ready; /* slot << 32 | sequence */
    guint32 ready_mask;
    SlotHead *slots;
    Seat *seats;
    guint8 *calls;
    guint8 *replies;
    gsize call_stride;
    gsize reply_stride;
} RingLayout;

/* FALSE when no ring can have this geometry. */
gboolean ring_geometry_is_possible(const RingGeometry *geometry);

gsize ring_layout_total_bytes(const RingGeometry *geometry);

/* Maps the whole of `fd` for a possible geometry.  ring_layout_unmap() when done. */
gboolean ring_layout_map(RingLayout *layout, const RingGeometry *geometry, int fd, GError **error);
void ring_layout_unmap(RingLayout *layout);

/* Wakes one worker that sleeps, if any does. */
void ring_wake_one(const RingLayout *layout);
/* Wakes this worker if it sleeps. */
void ring_wake(const RingLayout *layout, guint32 worker);

static inline guint8 *ring_call_area(const RingLayout *layout, guint32 slot)
{
    return layout->calls + slot * layout->call_stride;
}
static inline guint8 *ring_reply_area(const RingLayout *layout, guint32 slot)
{
    return layout->replies + slot * layout->reply_stride;
}
