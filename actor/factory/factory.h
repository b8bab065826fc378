/* factory.h - an actor factory: admits, queues, routes, scales, sheds, retries and drains the
 * jobs of one service, and supervises the workers that run them.
 *
 *                          +------------- factory -------------+
 *   SUBMIT ---> admission --> lanes, queue --> router --START--> worker --STARTED, FINISHED-->
 *                 | refused      | discarded                      | crash: lost, or tried again
 *                 v              v                                v
 *                END            END                              END      exactly one for each job
 *
 * A pure state machine: it has no clock, no socket, no thread and no randomness of its own.
 * The driver (sluiced's dispatch, or the simulator) tells it what happened and when, and
 * does what the actions say.  Equal events at equal times give equal actions, bit for bit.
 *
 * Workers take jobs in one of two ways, decided by the routing.  With queuer and
 * key-persistent any worker may claim what was handed over, and the factory hears who did
 * (STARTED) when it matters; `lookahead` jobs more than there are workers may be out, so that
 * a worker finds its next job without asking.  With the other routings each job is handed to
 * one named worker that is idle.
 *
 * Thread: one at a time.
 * Owns:   everything it holds; a job's `user` pointer stays the driver's.
 * Never:  reads a clock, blocks, or allocates per job once its tables have grown to the load. */
#pragma once
#include "actor/factory/settings.h"
#include <glib.h>

typedef struct Factory Factory;

#define FACTORY_NO_WORKER G_MAXUINT32
#define FACTORY_KEY_BYTES 24 /* of a longer key the hash and the length tell the rest */

typedef enum {
#define REASON(name, token, kind, text) REASON_##name,
#include "actor/factory/reason.def"
    REASONS
} FactoryReason;

typedef enum { REASON_DONE, REASON_REFUSED, REASON_DISCARDED, REASON_LOST } FactoryReasonKind;

const gchar *factory_reason_token(FactoryReason reason); /* "worker_crashed" */
const gchar *factory_reason_text(FactoryReason reason);  /* a sentence for the reply */
FactoryReasonKind factory_reason_kind(FactoryReason reason);

/* --- what happens ------------------------------------------------------------------------ */

typedef struct {
    gpointer user; /* comes back with every action about the job */
    guint64 key_hash;
    guint8 key[FACTORY_KEY_BYTES]; /* its first bytes, the rest 0 */
    guint32 key_bytes;             /* length of the whole key; 0 with has_key FALSE */
    gboolean has_key;
    guint64 client, connection, correlation; /* client: who the rate limit is for */
    gint64 received_usec;
    gint64 ttl_usec;      /* how long it may wait; 0: until the deadline */
    gint64 deadline_usec; /* when its caller stops waiting */
    guint32 cost_usec;    /* what it is expected to take; 0: as its method has taken */
    guint32 bytes;        /* that it holds while it waits */
    guint16 method;       /* of the settings' methods; an unknown one counts as 0 */
    guint8 priority;      /* FactoryPriority; a worse index is clamped and counted */
    gboolean idempotent, no_discard;
} FactoryJob;

typedef enum {
#define EVENT(name, text) EVENT_##name,
#include "actor/factory/event.def"
    FACTORY_EVENTS
} FactoryEventKind;

typedef enum {
    END_CRASHED,
    END_KILLED,
    END_START_FAILED,
    END_PLANNED, /* it was asked to stop, or made room for a fresh one */
    END_HOST_GONE,
    FACTORY_ENDS
} FactoryEnd;

/* Use of the machine in permille of what there is; what is not known is 0. */
typedef struct {
    guint16 cpu, memory, network, pressure;
} FactoryLoad;

typedef struct {
    guint32 generation; /* larger than any before */
    guint32 workers;    /* that it starts with */
    guint32 most;       /* that it may have; grows the tables if that is more than ever */
    guint32 lookahead;  /* what its driver has room for, whatever the settings say meanwhile */
} FactoryReload;

/* Which share of the jobs a generation has that is not trusted yet, told apart by key, or by
 * connection where there is none; and what it may do with them without being given up. */
typedef struct {
    guint32 share_permille;
    guint32 errors_permille; /* of its jobs that end, those that end badly by its fault */
    guint32 crashes;
    gint64 window_usec;
} FactoryCanary;

typedef enum { DRAIN_QUEUE, DRAIN_RUNNING } FactoryDrainMode; /* what is still finished */

typedef struct {
    FactoryEventKind kind;
    guint64 job;    /* its id */
    guint32 worker; /* and which of its lives: as given by SPAWN */
    guint32 incarnation;
    FactoryReason reason; /* FINISHED: the outcome.  CANCEL, REFUSED: why */
    FactoryEnd end;       /* WORKER_ENDED */
    FactoryDrainMode mode;
    FactoryLoad load;
    gint64 at_usec;  /* STARTED, FINISHED: when it started (0: not known).  PROGRESS: when.
                        PROTECT: until when.  DRAIN, SWAP: the deadline */
    guint32 number;  /* RESIZE: workers */
    gboolean served; /* SERVE */
    union {          /* of the event of that name */
        FactoryJob submit;
        FactoryReload reload;
        FactoryCanary canary;
        const FactorySettings *settings; /* valid ones, see factory_settings_check() */
    };
} FactoryEvent;

/* --- what is to be done ------------------------------------------------------------------ */

typedef enum {
#define ACTION(name, text) ACTION_##name,
#include "actor/factory/action.def"
    FACTORY_ACTIONS
} FactoryActionKind;

typedef struct {
    FactoryActionKind kind;
    FactoryReason reason; /* END: what became of the job; KILL: of its jobs */
    guint64 job;          /* its id, 0: the action is about no job */
    gpointer user;        /* the job's */
    guint32 worker;       /* FACTORY_NO_WORKER: any, or none */
    guint32 incarnation;  /* SPAWN, STOP, KILL */
    gint64 value;         /* see action.def */
} FactoryAction;

/* Grows as needed and is used again; the driver empties it by setting n to 0. */
typedef struct {
    FactoryAction *items;
    guint n, allocated;
} FactoryActions;
void factory_actions_clear(FactoryActions *actions); /* frees the memory */

/* --- life -------------------------------------------------------------------------------- */

/* `settings` must be valid.  `workers_most`: so many seats a generation has, of which one should
 * be more than `workers_max` if workers are to be recycled.  Generations have even and odd
 * worker numbers by turns: the first one, which has the number `generation`, 0, 2, 4...  `seed`: of
 * back-off jitter and of the power of two choices. */
Factory *factory_new(const FactorySettings *settings, guint32 workers_most, guint32 generation,
                     guint64 seed, gint64 now_usec);
void factory_free(Factory *factory); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Factory, factory_free)

/* Appends to `out` what is to be done.  A time before the last one counts as the last one. */
void factory_step(Factory *factory, const FactoryEvent *event, gint64 now_usec,
                  FactoryActions *out);

/* When the factory wants a TICK even if nothing happens; G_MAXINT64: not at all. */
gint64 factory_next_usec(const Factory *factory);

/* --- what it is like --------------------------------------------------------------------- */

typedef enum { FACTORY_RUNNING, FACTORY_DRAINING, FACTORY_DRAINED } FactoryDrainState;

typedef struct {
    guint64 id, correlation, connection;
    const gchar *state; /* "queued" */
    guint16 method;
    guint8 priority, attempt;
    guint32 worker;
    gint64 received_usec, started_usec; /* 0: not yet */
    gint64 deadline_usec;
    gpointer user;
} FactoryJobView;

gboolean factory_job(const Factory *factory, guint64 id, FactoryJobView *view);
/* The waiting jobs first, then those out, each oldest first; at most `most`. */
guint factory_list_jobs(const Factory *factory, FactoryJobView *views, guint most);

/* The number of a worker among those of its generation. */
static inline guint32 factory_worker_index(guint32 worker) { return worker / 2; }

gboolean factory_is_idle(const Factory *factory);     /* no job waits or runs */
gboolean factory_is_degraded(const Factory *factory); /* restarts are used up */
FactoryDrainState factory_drain_state(const Factory *factory);
guint32 factory_worker_count(const Factory *factory); /* what the pool's size shall be */
guint32 factory_ready_workers(const Factory *factory);
guint32 factory_generation(const Factory *factory);
const FactorySettings *factory_settings(const Factory *factory);

/* What the jobs of the last generation that had a share have come to. */
typedef struct {
    guint32 finished, errors, crashes;
} FactoryEvidence;
FactoryEvidence factory_evidence(const Factory *factory);
guint64 factory_settings_version(const Factory *factory);
/* How many more jobs would be admitted now: free workers and room in the queue. */
guint64 factory_available_capacity(const Factory *factory);

/* TRUE when every invariant of design.md that concerns the factory holds; else `out` says
 * which does not.  Linear in all it holds: for tests and debug builds. */
gboolean factory_check(const Factory *factory, GString *out);
