/* settings.h - everything about a factory that can be set, and changed while it runs.
 *
 * Plain data: copied whole, compared whole, applied at once or not at all.
 * Thread: any.                                                                               */
#pragma once
#include <glib.h>

#define FACTORY_MAX_METHODS 256u
#define FACTORY_MAX_WORKERS 65536u
#define FACTORY_MAX_QUEUE   4000000u

/* ractor's classes, best first. */
typedef enum {
    PRIORITY_HIGHEST,
    PRIORITY_HIGH,
    PRIORITY_IMPORTANT,
    PRIORITY_NORMAL,
    PRIORITY_BEST_EFFORT,
    FACTORY_PRIORITIES
} FactoryPriority;

/* Which worker gets a job.  All but QUEUER keep the order of keys: jobs of one key run one at
 * a time and in the order of their arrival. */
typedef enum {
    ROUTING_QUEUER,          /* any idle worker; keys do not matter */
    ROUTING_KEY_PERSISTENT,  /* any idle worker takes the head of any idle key's lane */
    ROUTING_STICKY,          /* the worker that ran the key last, if it is idle, else any */
    ROUTING_ROUND_ROBIN,     /* the next idle one in turn */
    ROUTING_LEAST_LOADED,    /* of two idle ones drawn by lot, the one that has worked less */
    ROUTING_CONSISTENT_HASH, /* a key's own worker, also when another is idle */
    ROUTING_CUSTOM,          /* the one that `route` names, also when another is idle */
    FACTORY_ROUTINGS
} FactoryRouting;

/* Must be pure.  Returns a number that is folded into 0..n_workers-1. */
typedef guint32 (*FactoryRouteFunc)(guint64 key_hash, guint16 method, guint32 n_workers);

typedef enum { QUEUE_FIFO, QUEUE_PRIORITY, QUEUE_WEIGHTED, FACTORY_QUEUES } FactoryQueueKind;

/* What goes when the queue is at its limit: the arrival, or the newest of a lower priority
 * (NEWEST); the one of the lowest priority that has waited longest (OLDEST).  Dynamic: the
 * limit follows what is worked off in queue_target_usec.  NONE: only the hard limit. */
typedef enum {
    DISCARD_NONE,
    DISCARD_NEWEST,
    DISCARD_OLDEST,
    DISCARD_DYNAMIC_NEWEST,
    DISCARD_DYNAMIC_OLDEST,
    FACTORY_DISCARDS
} FactoryDiscard;

typedef struct {
    guint64 count; /* 0: no limit */
    gint64 per_usec;
    guint64 burst; /* that may come at once; at least 1 */
} FactoryRate;

typedef enum {
    CAPACITY_FIXED,
    CAPACITY_UTILISATION,
    CAPACITY_AIMD,
    FACTORY_CAPACITIES
} FactoryCapacity;
typedef enum { STUCK_OFF, STUCK_DETECT, STUCK_KILL, FACTORY_STUCKS } FactoryStuck;

typedef struct {
    FactoryRouting routing;
    FactoryRouteFunc route; /* ROUTING_CUSTOM */
    guint lookahead;        /* jobs out beyond the workers there are, when any may claim */

    FactoryQueueKind queue;
    guint weights[FACTORY_PRIORITIES]; /* QUEUE_WEIGHTED: each at least 1 */
    gint64 ageing_usec;                /* QUEUE_WEIGHTED: who waited so long goes first */

    FactoryDiscard discard;
    guint queue_limit;      /* jobs that wait; 0: none ever waits, a free worker still gets one */
    guint queue_hard_limit; /* also for jobs that may not be discarded */
    guint64 queue_bytes;
    gint64 queue_target_usec;

    FactoryRate rate, client_rate;
    gboolean shape; /* what is over the rate waits for its turn, up to its deadline */

    guint workers_min, workers_max; /* 0..workers_most of factory_new() */
    FactoryCapacity capacity;
    guint capacity_target_permille, capacity_hysteresis_permille;
    guint capacity_step;
    gint64 capacity_cooldown_usec;
    gboolean capacity_dry_run;

    FactoryStuck stuck;
    gint64 stuck_after_usec;
    gint64 stuck_warn_usec; /* warnings at 1, 2, 4 and 8 times this */

    gint64 backoff_min_usec, backoff_max_usec;
    guint backoff_jitter_permille; /* of the wait, added at random */
    guint restarts_per_worker;     /* times the pool's size, in the window; 0: no limit */
    gint64 restart_window_usec;

    guint retries;
    guint retry_budget_permille; /* of the jobs completed */

    guint n_methods; /* at least 1: number 0 is every method without a line of its own */
    struct {
        guint64 identity; /* what is counted of a number begins anew when this changes */
        FactoryRate rate;
    } methods[FACTORY_MAX_METHODS];
} FactorySettings;

/* Sensible for one worker: fills all of it. */
void factory_settings_init(FactorySettings *settings);

/* FALSE: says which value cannot be, and what could. */
gboolean factory_settings_check(const FactorySettings *settings, guint32 workers_most,
                                GError **error);

/* Limits and modes after resolving DYNAMIC. */
gboolean factory_discard_is_dynamic(FactoryDiscard discard);
gboolean factory_routing_is_shared(FactoryRouting routing); /* any worker may claim */

#define FACTORY_SETTINGS_ERROR factory_settings_error_quark()
GQuark factory_settings_error_quark(void);
typedef enum { FACTORY_SETTINGS_ERROR_INVALID } FactorySettingsError;
