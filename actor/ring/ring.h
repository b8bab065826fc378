/* ring.h - the mailbox whose reader is another process: what both sides agree on.
 *
 * One sealed memfd per sluice-host holds a fixed number of slots.  sluiced writes a call
 * into a free slot and announces it on the ready ring; any worker claims it; the worker
 * writes the reply into the same slot and raises the slot's bit in the done map.
 *
 *            sluiced (front)                                  workers
 *            ---------------                                  -------
 *   FREE --- write call, announce --> READY
 *                                     READY  --- claim (CAS) -----> CLAIMED by w, incarnation i
 *   FREE <-- take back (CAS) -------- READY                           |
 *                                     DONE   <-- write reply ---------+
 *   FREE <-- collect, release ------- DONE
 *
 * The slot's word (phase, worker, incarnation, sequence) changes by one atomic operation at
 * each arrow, so a worker that is killed at any instruction leaves every call either
 * announced, claimed by it, or done: nothing is in between.  The head of the ready ring is
 * only a hint that any worker may help forward.
 *
 * A call for one particular worker is not announced there but in the inbox of its seat, which
 * holds one entry and which its worker looks at first; all else is the same.
 *
 * Trust: sluiced keeps its own copy of what it put into each slot and checks everything it
 * reads here; a worker that scribbles harms its own service only.  Workers trust sluiced.
 * Wake-ups: a worker that finds nothing raises its bit in the sleep map, looks once more
 * and waits on its futex; sluiced wakes one sleeper per call.  sluiced sleeps in its event
 * loop; `front_armed` says that it wants the eventfd written.                             */
#pragma once
#include <glib.h>
#include <stdatomic.h>

#define RING_MAX_WORKERS 1088u /* a multiple of 64; 1024, and one that comes for another */
#define RING_MAX_SLOTS   2048u

typedef struct {
    guint32 workers;         /* 1..RING_MAX_WORKERS */
    guint32 slots;           /* workers..RING_MAX_SLOTS: calls that may be in workers' hands */
    guint32 max_call_bytes;  /* arguments and head data of one call */
    guint32 max_reply_bytes; /* body and headers of one reply */
} RingGeometry;

/* How the arguments are encoded; the reply's body is encoded alike. */
/* RING_JSON: binary, in which each binary is in Base64. */
typedef enum { RING_BINARY = 0, RING_COMPACT = 1, RING_JSON = 2, RING_PROTOCOLS } RingProtocol;

/* A call, as sluiced describes it to a worker.  Pointers are into the writer's memory on
 * sluiced's side and into the slot on the worker's side. */
typedef struct {
    RingProtocol protocol;
    gboolean oneway; /* the client sent T_ONEWAY: a reply body is of no use */
    gint32 seqid;
    gint64 received_usec;  /* CLOCK_MONOTONIC */
    gint64 deadline_usec;  /* CLOCK_MONOTONIC; G_MAXINT64: none */
    const gchar *method;   /* NUL-terminated */
    const gchar *peer;     /* NUL-terminated */
    const guint8 *headers; /* see headers.h; NULL with headers_bytes 0 */
    guint32 headers_bytes;
    const guint8 *args; /* the argument struct's fields, up to and with its stop */
    guint32 args_bytes;
    gint64 claimed_usec; /* worker's side only: CLOCK_MONOTONIC of the claim */
} RingCall;

/* What the two sides tell each other while a call runs.  CLOCK_MONOTONIC; 0: nothing yet. */
typedef struct {
    _Atomic guint32 cancelled;    /* sluiced writes, the handler polls: nobody waits any more */
    _Atomic gint64 claimed_usec;  /* the worker writes: when it took the call */
    _Atomic gint64 progress_usec; /* the handler writes: when it last said that it gets on */
    _Atomic gint64 protect_usec;  /* the handler writes: until when it may be silent */
} RingSignals;

/* What became of a call in the worker.  Decides counter and form of the reply. */
typedef enum {
    RING_REPLY = 0,       /* body is a result struct: success or a declared exception */
    RING_APP_ERROR,       /* body is text: the handler failed with a plain error */
    RING_UNKNOWN_METHOD,  /* body is text */
    RING_BAD_ARGUMENTS,   /* body is text: what in the arguments is malformed */
    RING_REPLY_TOO_LARGE, /* body is text */
    RING_BROKEN_HANDLER,  /* body is text: generated code left no usable reply */
    RING_NO_REPLY,        /* a oneway method ran */
    RING_NOT_STARTED,     /* its deadline had passed, or its client gone, when it was claimed */
    RING_OUTCOMES
} RingOutcome;

typedef struct {
    RingOutcome outcome;
    const guint8 *body;
    guint32 body_bytes;
    const guint8 *headers;
    guint32 headers_bytes;
} RingReply;
