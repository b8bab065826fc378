/* pool.h - the worker processes of one service: what runs on them and what becomes of it.
 *
 *   driver --pool_hand--> ring --> worker --> ring --handlers.reply--> driver
 *                               death --------------handlers.lost, worker_ended--> driver
 *                               never started ------handlers.returned-> driver
 *
 * A mechanism without a policy: which worker exists, is started again, killed or given a job
 * is for others to decide (actor/factory).  A job is an opaque pointer of the caller's.  Each
 * job that was handed over comes back exactly once: by reply, lost or returned, or by
 * pool_take_back() being TRUE.
 *
 * Thread: the loop's.
 * Owns:   the host and the seats of its workers.
 * Borrows: the configuration and stats, for its own life.                                     */
#pragma once
#include "config/config.h"
#include "daemon/base/counters.h"
#include "daemon/base/loop.h"
#include "daemon/hosts/host.h"
#include "daemon/hosts/worker.h"

typedef struct Pool Pool;

#define POOL_ANY_WORKER G_MAXUINT32

typedef struct {
    /* A worker has taken it; from pool_look(), and again each time. */
    void (*seen)(gpointer job, const RingClaim *claim, gpointer user);
    /* `reply` lies in memory that the worker may still write: copy, then look. */
    void (*reply)(gpointer job, const RingClaim *claim, const RingReply *reply, gpointer user);
    /* It was started, and its worker has ended: worker_ended follows.  `claim` NULL: what its
     * slot says of who started it cannot be true. */
    void (*lost)(gpointer job, const RingClaim *claim, gpointer user);
    const gchar *(*name)(gpointer job, gpointer user); /* what is called, for the log */
    void (*returned)(gpointer job, gpointer user);     /* no worker has started it, and none will */
    void (*worker_ready)(guint32 worker, gpointer user);
    /* Its death was seen: it takes nothing more.  What becomes of its jobs is told next, and
     * worker_ended at the end. */
    void (*worker_dying)(guint32 worker, gpointer user);
    void (*worker_ended)(guint32 worker, const WorkerObituary *obituary, guint lost, gpointer user);
    /* It should be replaced: told once for each life. */
    void (*worn)(guint32 worker, const gchar *why, gpointer user);
    void (*host_changed)(gpointer user); /* it is ready, refused or gone: pool_host() */
    void (*stopped)(gpointer user);      /* all its actors have ended, and no process is left */
} PoolHandlers;

Pool *pool_new(Loop *loop, const HostSpec *spec, ServiceStats *stats, const PoolHandlers *handlers,
               gpointer user);
/* NULL is fine; no job may be out any more, and its actors have ended: handlers.stopped. */
void pool_free(Pool *pool);

/* Spawns the host's actor; workers wait for it.  Stopping that actor lets the workers end after
 * the call that they run, and then the host: handlers.stopped says when. */
void pool_start(Pool *pool, ActorSystem *actors, ActorId parent);
ActorId pool_actor(const Pool *pool);

/* --- workers ----------------------------------------------------------------------------- */

/* As soon as the host is ready.  Ends in worker_ready or worker_ended, once. */
void pool_spawn_worker(Pool *pool, guint32 worker);
void pool_stop_worker(Pool *pool, guint32 worker); /* it ends after its call, planned */
void pool_kill_worker(Pool *pool, guint32 worker, WorkerEnd why); /* STUCK, CUT_OFF */

/* --- jobs -------------------------------------------------------------------------------- */

/* To a worker that is ready, or to any.  As many may be out as there are workers, ending ones
 * too, and `lookahead` of the service more.  Returns a ticket, valid until the job comes back. */
guint32 pool_hand(Pool *pool, guint32 worker, const RingCall *call, gpointer job);
gboolean pool_take_back(Pool *pool, guint32 ticket);
/* Nobody waits for it any more: says so to the handler.  It still comes back. */
void pool_cancel(Pool *pool, guint32 ticket);
/* Tells handlers.seen of each job that a worker has taken. */
void pool_look(Pool *pool);

/* --- for the admin address --------------------------------------------------------------- */
guint pool_n_ready(const Pool *pool);       /* workers that take calls */
gboolean pool_is_refused(const Pool *pool); /* the plugin cannot be served: pool_error() */
const gchar *pool_error(const Pool *pool);  /* NULL when there is nothing to say */
const Host *pool_host(const Pool *pool);
guint pool_generation(const Pool *pool);

typedef struct {
    guint32 index;
    const gchar *state;
    gint pid; /* 0: none */
    guint16 incarnation;
    guint64 calls; /* finished by this incarnation */
} PoolWorker;
guint pool_n_workers(const Pool *pool); /* seats: the most there may be */
PoolWorker pool_worker(const Pool *pool, guint32 index);
