/* state.h - what a factory is made of.  Private to actor/factory.
 *
 * Jobs, lanes and seats are numbers into tables, never pointers: so the whole state can be
 * copied, compared and played again (recorder.h), and a table may move when it grows.
 *
 *   submit.c --> lanes.c --> queue.c --> router.c --> pump.c      towards the workers
 *   report.c <-- what drivers tell of jobs        seats.c <-- and of workers
 *   watch.c, drain.c, pool.c, capacity.c          time, and what changes the pool            */
#pragma once
#include "actor/factory/bitset.h"
#include "actor/factory/factory.h"
#include "actor/factory/fault.h"
#include "actor/factory/jobs.h"
#include "actor/factory/rate_limit.h"
#include "actor/factory/stats.h"
#include "actor/factory/wheel.h"
#include "actor/runtime/backoff.h"

/* Ticks of the controller that a growth of the pool has to pay. */
#define TRIAL_TICKS 3u

typedef enum {
#define STATE(name, text, from) SEAT_##name,
#include "actor/factory/seat_state.def"
    SEAT_STATES
} SeatState;

/* The jobs of one key that are not over yet.  One of them is current: able to run, or out. */
typedef struct {
    guint64 key_hash;
    guint32 key_bytes;
    guint32 next; /* in its hash bucket, or in the free list */
    guint32 current;
    guint32 last_seat; /* where its last job ran */
    List waiting;      /* LINK_RUN, in order of arrival */
    guint8 key[FACTORY_KEY_BYTES];
} Lane;

/* Jobs that may run, by class; in a class by order. */
typedef struct {
    List classes[FACTORY_PRIORITIES];
    gint32 credit[FACTORY_PRIORITIES];
    guint32 used; /* a bit for each class that is not empty */
} RunQueue;

typedef struct {
    RunQueue bound; /* jobs that only this worker may take */
    List jobs;      /* LINK_OUT: that it is known to have */
    guint64 busy_usec;
    gint64 ready_usec;
    guint32 incarnation;
    guint32 n_jobs;
    Backoff backoff;
    guint32 member; /* its number in the pool of its generation, NONE: not a member (any more) */
    guint32 generation;
    guint32 next_dirty;
    guint16 state;
    guint16 kill_reason; /* KILLED: what its jobs come to */
    guint16 is_dirty;
    guint8 is_denied; /* restart-intensity was used up when its turn to start came */
    guint8 is_worn;   /* to be replaced by a fresh one */
} Seat;

typedef struct {
    RateBucket bucket;
    gint64 mean_usec; /* of the service time: moving, 0: not measured */
    gint64 best_usec; /* the least mean, drifting up slowly */
    Histogram queue_time, service_time;
} Method;

/* The workers of one generation, and what is on its way to them. */
typedef struct {
    guint32 generation; /* 0: there has been none */
    guint32 n_members;  /* those that are meant to stay */
    guint32 n_seats;    /* in use: also those that are still ending */
    guint32 n_ready;    /* members that can take jobs */
    guint32 n_out;      /* jobs that those have, and unclaimed ones */
    guint32 lookahead; /* the most that was agreed for it: settings change before or after a swap */
    guint32 n_unclaimed;
    List unclaimed;  /* LINK_OUT: out, and no worker is known to have them */
    RunQueue shared; /* jobs that any of its workers may take */
    Bitset idle;     /* READY members without a job */
    guint32 last_routed;
    guint32 n_worn;     /* members to be replaced */
    guint32 substitute; /* the seat that comes for one of them, NONE: none does */
    guint32 worn;       /* for which one */
    guint32 n_hash_table;
    guint32 *hash_table; /* member numbers by hash, for ROUTING_CONSISTENT_HASH */
    guint32 *members;    /* seats, by number */
    gint64 end_usec;     /* what it still runs then is cut off; 0: it is not retired */
} Pool;

typedef enum {
#define STATE(name, text, from) RELOAD_##name,
#include "actor/factory/reload_state.def"
    RELOAD_STATES
} ReloadState;

/* What the calls of the next generation have come to, while it has a share of them. */
typedef struct {
    FactoryCanary limits;
    gint64 until_usec; /* judged at last; 0: it has been, or there is none */
    FactoryEvidence seen;
} Canary;

struct Factory {
    FactorySettings settings;
    guint64 settings_version;
    guint32 workers_most;
    gint64 now_usec;
    guint64 random;

    Job *jobs;
    guint32 n_jobs_allocated, free_job;
    Wheel job_timers;
    List waiting[2][FACTORY_PRIORITIES]; /* [no_discard]: LINK_WAIT */
    guint64 n_waiting[2];
    guint32 n_recalled; /* asked back, and the driver has not said yet */
    guint32 n_handed;   /* in that state: not known to have been started */
    guint64 next_serial, next_order;

    Lane *lanes;
    guint32 n_lanes_allocated, free_lane, n_lanes;
    guint32 *buckets; /* first lane of each, by hash; a power of two of them */
    guint32 n_buckets;

    Seat *seats; /* 2 * workers_most: even numbers are of pools[0], odd ones of pools[1] */
    Wheel seat_timers;
    guint32 dirty; /* workers that may have something to do: a list by next_dirty */

    Pool pools[2];   /* generations by turns: one serves, the other comes or goes */
    guint32 present; /* which of them serves */
    ReloadState reload;
    guint32 reload_target; /* the pool's size when it began */
    Canary canary;
    guint32 target;
    gboolean has_begun, was_ready, is_degraded, is_unserved;
    FactoryReason degraded_reason; /* what waits is discarded for */
    RestartBudget restarts;
    gint64 retry_tokens; /* in thousandths of a retry */

    RateBucket rate;
    RateClient *clients;
    Method *methods;
    Histogram priority_queue_time[FACTORY_PRIORITIES], priority_service_time[FACTORY_PRIORITIES];
    FactoryStats stats;

    FactoryDrainState drain;
    FactoryDrainMode drain_mode;
    gint64 drain_deadline_usec;
    guint64 drain_cut_off;

    guint queue_limit; /* in force: a dynamic one moves */
    FactoryLoad load;
    gint64 next_control_usec, cooldown_until_usec, next_look_usec;
    guint64 control_completed, completed_rate_milli; /* completions: at the last tick, per second */
    gint64 idle_since_usec;
    guint32 growth_from;         /* size before the last growth on trial; 0: none */
    guint64 growth_before;       /* completed in as many ticks before it as a trial has */
    guint64 recent[TRIAL_TICKS]; /* completed in each of the last ticks, with this size */
    guint32 n_recent, growth_backoff;

    /* Not part of the state: never copied or compared. */
    FactoryActions *out;
    struct Recorder *recorder;
    GString *trace; /* explain: lines about trace_job */
    guint64 trace_job;
};

/* --- tables ------------------------------------------------------------------------------ */

static inline guint32 index_of(const Factory *f, const Job *job)
{
    return (guint32)(job - f->jobs);
}
static inline Job *job_at(Factory *f, guint32 index) { return &f->jobs[index]; }

/* NULL: there is no such job any more. */
static inline Job *find_job(const Factory *f, guint64 id)
{
    const guint32 index = (guint32)id;
    return index < f->n_jobs_allocated && id != 0 && f->jobs[index].id == id ? &f->jobs[index]
                                                                             : NULL;
}

static inline gboolean job_waits(const Job *job)
{
    return job->state == JOB_HELD || job->state == JOB_QUEUED;
}

/* --- actions and decisions --------------------------------------------------------------- */

FactoryAction *emit(Factory *f, FactoryActionKind kind); /* valid until the next one */
FactoryAction *emit_job(Factory *f, FactoryActionKind kind, const Job *job, gint64 value);
void emit_value(Factory *f, FactoryActionKind kind, gint64 value);

/* One line for `explain JOB`; costs a comparison while nobody asks. */
#define TRACE_ID(f, job_id, ...)                                          \
    do {                                                                  \
        if (G_UNLIKELY((f)->trace != NULL) && (job_id) == (f)->trace_job) \
            trace_line((f), __VA_ARGS__);                                 \
    } while (0)
#define TRACE(f, job, ...) TRACE_ID(f, (job)->id, __VA_ARGS__)
void trace_line(Factory *f, const gchar *format, ...) G_GNUC_PRINTF(2, 3);

guint64 random_next(Factory *f); /* SplitMix64, of the factory's seed */

/* --- lanes.c: keys ----------------------------------------------------------------------- */
void lanes_init(Factory *f);
gboolean lane_is_busy(const Factory *f,
                      const FactoryJob *submit); /* it would have to wait for its key */
void lane_join(Factory *f, Job *job);  /* and makes it able to run when it is the only one */
void lane_leave(Factory *f, Job *job); /* and makes the next one able to run */

/* --- queue.c: those that may run --------------------------------------------------------- */
void run_queue_init(RunQueue *queue);
guint8 class_of(const Factory *f, guint8 priority);
void make_runnable(Factory *f, Job *job); /* HELD or QUEUED, and in its queue */
void run_remove(Factory *f, Job *job);    /* from wherever LINK_RUN has it */
Job *run_peek(Factory *f, RunQueue *queue);
Job *run_pop(Factory *f, RunQueue *queue);
void requeue_all(Factory *f); /* after routing, queue kind or pool have changed */

/* --- router.c ---------------------------------------------------------------------------- */
/* NONE: any of the pool may run it. */
guint32 router_bound_seat(const Factory *f, const Pool *pool, guint64 key_hash, guint16 method,
                          gboolean has_key);
/* Of the idle ones; NONE: none is. */
guint32 router_choose(Factory *f, Pool *pool, const Job *job);
void router_pool_changed(Factory *f, Pool *pool);

/* --- pump.c: to the workers -------------------------------------------------------------- */
void pump(Factory *f);
void seat_mark_dirty(Factory *f, guint32 seat); /* it may be able to start something now */
/* Now, if it came in, as that method. */
gboolean would_start(Factory *f, const FactoryJob *submit, guint16 method);

/* --- submit.c, report.c ------------------------------------------------------------------ */
void submit(Factory *f, const FactoryJob *submit);
void discard_all_waiting(Factory *f, FactoryReason reason);
void on_started(Factory *f, const FactoryEvent *event);
void on_finished(Factory *f, const FactoryEvent *event);
void on_returned(Factory *f, const FactoryEvent *event);
void on_lost(Factory *f, const FactoryEvent *event);
void on_cancel(Factory *f, const FactoryEvent *event);
void on_expired(Factory *f, Job *job);
void job_lose(Factory *f, Job *job, FactoryReason reason); /* its worker has ended */
void job_put_back(Factory *f, Job *job);                   /* no worker had it: to where it stood */
void job_recall(Factory *f, Job *job, Recall why);
void recall_unclaimed(Factory *f, const Pool *pool);
gboolean job_may_retry(const Factory *f, const Job *job);
void job_due(Factory *f, Job *job);                              /* its timer */
void answer_running(Factory *f, Job *job, FactoryReason reason); /* and leave it to its worker */

/* --- seats.c, pool.c, generations.c ------------------------------------------------------ */
#define POOL_NOW(f)      (&(f)->pools[(f)->present])
#define POOL_OTHER(f)    (&(f)->pools[1 - (f)->present])
#define POOL_OF(f, seat) (&(f)->pools[(seat) % 2])

/* A worker in words that its operators know. */
#define WORKER_FORMAT         "worker %u of generation %u"
#define WORKER_ARGS(f, seat_) factory_worker_index(seat_), (f)->seats[seat_].generation

/* Its worker takes jobs, if its pool gets any. */
static inline gboolean seat_serves(const Factory *f, guint32 seat)
{
    return f->seats[seat].state == SEAT_READY && f->seats[seat].member != NONE;
}
void seat_count_serving(Factory *f, guint32 seat, gboolean serves);
void seat_take(Factory *f, guint32 seat, Job *job); /* its worker is known to have the job */
void seat_release(Factory *f, Job *job);            /* not any more, or it is unclaimed no more */
void seat_want(Factory *f, guint32 seat, gint64 wait_usec);
void seat_retire(Factory *f, guint32 seat);
void seat_kill(Factory *f, guint32 seat, FactoryReason reason); /* what its jobs come to */
void seat_due(Factory *f, guint32 seat);                        /* its timer: start it */
void on_worker_ready(Factory *f, const FactoryEvent *event);
void on_worker_dying(Factory *f, const FactoryEvent *event);
void on_worker_ended(Factory *f, const FactoryEvent *event);
void on_recycle(Factory *f, const FactoryEvent *event);
void pool_init(Factory *f, Pool *pool);
void pool_set_most(Factory *f, guint32 workers_most); /* grows; new seats are free */
void pool_resize(Factory *f, guint32 workers);
void pool_fill(Factory *f); /* the present one, as far as seats are free */
void pool_begin(Factory *f, Pool *pool, guint32 workers);
void pool_retire(Factory *f, Pool *pool);
void pool_seat_freed(Factory *f, guint32 seat);
void pool_worker_ready(Factory *f, guint32 seat);
void pool_not_worn(Factory *f, guint32 seat); /* it is replaced anyway, or ends */
/* Where a job goes: to the present pool, or to the next one that has a share. */
Pool *pool_for(Factory *f, gboolean has_key, guint64 key_hash, guint64 connection);
void on_reload(Factory *f, const FactoryEvent *event);
void on_canary(Factory *f, const FactoryEvent *event);
void on_swap(Factory *f, const FactoryEvent *event);
void reload_abort(Factory *f); /* fine when none is under way */
void reload_worker_ready(Factory *f);
void canary_saw(Factory *f, const Job *job, FactoryReason reason); /* it ended on a worker */
void generations_advance(Factory *f);                              /* time has passed */
gint64 generations_next_usec(const Factory *f);

/* --- watch.c, drain.c, capacity.c, apply.c ----------------------------------------------- */
gint64 watch_next_usec(const Factory *f, const Job *job); /* G_MAXINT64: it is not watched */
void watch_job(Factory *f, Job *job);
void watch_look(Factory *f);
void on_progress(Factory *f, const FactoryEvent *event);
void on_protect(Factory *f, const FactoryEvent *event);
void drain_begin(Factory *f, FactoryDrainMode mode, gint64 deadline_usec);
void drain_abort(Factory *f);
void drain_advance(Factory *f); /* to its end, if it is there */
void control_tick(Factory *f);
gboolean control_is_on(const Factory *f);
void apply_settings(Factory *f, const FactorySettings *settings);
gint64 restart_wait(Factory *f, guint32 seat, gboolean was_fault);
gint64 restart_denied_usec(Factory *f, guint32 seat);
void degraded_check(Factory *f);
