/* pool_state.h - what a pool is made of.  Private: of pool.c, which has the jobs and the life of
 * the pool, and pool_workers.c, which has the processes that come and go.                    */
#pragma once
#include "daemon/base/obj.h"
#include "daemon/hosts/pool.h"

#define POOL_MAGIC 0x504f4f4cu

typedef struct {
    gint64 ready_usec;
    gboolean told; /* that it is worn */
} PoolWear;

struct Pool {
    ObjTag tag;
    Loop *loop;
    const ServiceConfig *service;
    guint generation;
    ServiceStats *stats;
    PoolHandlers handlers;
    gpointer user;
    Host *host;
    guint32 n_workers;
    Worker **workers;
    guint64 *calls; /* finished by the incarnation, per worker */
    PoolWear *wear; /* per worker; pool_wear.c */
    struct event *wear_timer;
    gboolean *wanted; /* to be forked once the host is ready, per worker */
    struct event *on_ring;
    LoopWatcher watcher;
    GQueue due; /* of Worker: VACANT, to be forked */
    guint n_forking;
    guint n_ready;
    gchar *worker_error; /* why a worker did not start; NULL once one is ready */
    gboolean corrupt;    /* said so, and killed the host for it */
    gboolean stopping;
    gboolean end_sent;
    gboolean host_over;
    guint n_actors; /* of workers, that have not ended */
};

static inline RingFront *ring_of(const Pool *pool) { return host_ring(pool->host); }

/* pool.c */
void pool_collect(Pool *pool); /* tells of the replies that are there */
void pool_end_corrupt_host(Pool *pool);
gboolean pool_claim_is_possible(const Pool *pool, const RingClaim *claim);
void pool_on_ring_event(evutil_socket_t fd, short what, void *arg);

/* pool_workers.c */
void pool_end_host_if_empty(Pool *pool); /* when it is stopping */
extern const HostEvents pool_host_events;
extern const WorkerEvents pool_worker_events;
