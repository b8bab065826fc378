/* pool.h - the workers of one service: seats, what runs on them, and what becomes of it.
 *
 *   dispatch --pool_hand--> ring --> worker --> ring --handlers.reply--> dispatch
 *                                 death --------------handlers.lost---> dispatch
 *                                 host gone --------handlers.returned-> dispatch (not started)
 *
 * A job is an opaque pointer of the caller's.  Each job that was handed over comes back
 * exactly once: by one of the handlers, or by pool_take_back() being TRUE.
 *
 * Thread: the loop's.
 * Owns:   the host, the seats, and the watch over workers that are stuck.
 * Borrows: config, service and stats, for its own life.                                     */
#pragma once
#include "config/config.h"
#include "daemon/base/counters.h"
#include "daemon/base/loop.h"
#include "daemon/hosts/host.h"

typedef struct Pool Pool;

typedef enum { POOL_WORKER_CRASHED, POOL_WORKER_STUCK, POOL_HOST_GONE } PoolLoss;

typedef struct {
    void (*room)(gpointer user); /* a call may be handed over (again) */
    /* `reply` lies in memory that the worker may still write: copy, then look. */
    void (*reply)(gpointer job, const RingReply *reply, gpointer user);
    void (*lost)(gpointer job, PoolLoss why, const gchar *text, gpointer user);
    void (*returned)(gpointer job, gpointer user);
    void (*stopped)(gpointer user); /* after pool_stop(): no process is left */
} PoolHandlers;

Pool *pool_new(Loop *loop, const Config *config, const ServiceConfig *service, guint generation,
               ServiceStats *stats, const PoolHandlers *handlers, gpointer user);
void pool_free(Pool *pool); /* NULL is fine; no job may be out any more */

void pool_start(Pool *pool);
/* Workers end after the call that they run, then the host.  Calls pool handlers.stopped. */
void pool_stop(Pool *pool);
/* Kills what is left of a pool that is stopping. */
void pool_kill(Pool *pool);

gboolean pool_has_room(Pool *pool);
/* Returns a ticket for the functions below, valid until the job comes back. */
guint32 pool_hand(Pool *pool, const RingCall *call, gpointer job);
gboolean pool_take_back(Pool *pool, guint32 ticket);
/* Nobody waits for it any more: says so to the handler.  It still comes back. */
void pool_cancel(Pool *pool, guint32 ticket);

/* --- for the admin address --------------------------------------------------------------- */
/* All workers have started, once, and at least one takes calls now. */
gboolean pool_is_ready(const Pool *pool);
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
guint pool_n_workers(const Pool *pool);
PoolWorker pool_worker(const Pool *pool, guint32 index);
