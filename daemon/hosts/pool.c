#include "daemon/hosts/pool.h"
#include "daemon/hosts/pool_state.h"
#include "daemon/hosts/pool_wear.h"

/* --- replies ----------------------------------------------------------------------------- */

void pool_end_corrupt_host(Pool *pool)
{
    if (pool->corrupt)
        return;
    pool->corrupt = TRUE;
    pool->stats->service[CTR_RING_VIOLATIONS]++;
    host_kill(pool->host, "its shared memory holds what no honest worker writes");
}

gboolean pool_claim_is_possible(const Pool *pool, const RingClaim *claim)
{
    return claim->worker < pool->n_workers &&
           worker_incarnation(pool->workers[claim->worker]) == claim->incarnation;
}

/* A reply of a worker that cannot have it is none. */
void pool_collect(Pool *pool)
{
    RingDone done;
    while (ring_front_collect(ring_of(pool), &done)) {
        const RingClaim claim = { done.worker, done.incarnation, done.claimed_usec, 0, 0 };
        pool->calls[done.worker]++;
        if (pool_claim_is_possible(pool, &claim))
            pool->handlers.reply(done.job, &claim, &done.reply, pool->user);
        else
            pool->handlers.lost(done.job, NULL, pool->user);
        ring_front_release(ring_of(pool), done.slot);
        pool_wear_called(pool, done.worker);
    }
    if (ring_front_is_corrupt(ring_of(pool)))
        pool_end_corrupt_host(pool);
}

static void watcher_poll(gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    if (ring_of(pool) != NULL)
        pool_collect(pool);
}

static gboolean watcher_arm(gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    return ring_of(pool) != NULL && !pool->corrupt && ring_front_arm(ring_of(pool));
}

static void watcher_disarm(gpointer user)
{
    RingFront *ring = ring_of(OBJ_FROM(Pool, user, POOL_MAGIC));
    if (ring != NULL)
        ring_front_disarm(ring);
}

/* The replies are collected by the watcher, in the pass that this event started. */
void pool_on_ring_event(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    ring_front_clear_event(ring_of(OBJ_FROM(Pool, arg, POOL_MAGIC)));
}

/* --- jobs -------------------------------------------------------------------------------- */

guint32 pool_hand(Pool *pool, guint32 worker, const RingCall *call, gpointer job)
{
    if (worker == POOL_ANY_WORKER)
        return ring_front_announce(ring_of(pool), call, job);
    return ring_front_announce_to(ring_of(pool), worker, call, job);
}

gboolean pool_take_back(Pool *pool, guint32 ticket)
{
    return ring_front_take_back(ring_of(pool), ticket);
}

void pool_cancel(Pool *pool, guint32 ticket) { ring_front_cancel(ring_of(pool), ticket); }

void pool_look(Pool *pool)
{
    RingFront *ring = ring_of(pool);
    const gint64 now_usec = loop_now_usec();
    RingClaim claim;
    for (guint32 slot = 0; ring != NULL && slot < ring_front_slots(ring); slot++) {
        gpointer job = ring_front_job(ring, slot);
        if (job == NULL || !ring_front_claim(ring, slot, now_usec, &claim))
            continue;
        if (pool_claim_is_possible(pool, &claim))
            pool->handlers.seen(job, &claim, pool->user);
        else
            pool_end_corrupt_host(pool); /* the dead hold no calls: their seats were cleared */
    }
    if (ring != NULL && ring_front_is_corrupt(ring))
        pool_end_corrupt_host(pool);
}

/* --- life of the pool
 * --------------------------------------------------------------------------------- */

Pool *pool_new(Loop *loop, const HostSpec *spec, ServiceStats *stats, const PoolHandlers *handlers,
               gpointer user)
{
    const ServiceConfig *service = spec->service;
    Pool *pool = g_new0(Pool, 1);
    OBJ_INIT(pool, POOL_MAGIC);
    pool->loop = loop;
    pool->service = service;
    pool->generation = spec->generation;
    pool->stats = stats;
    pool->handlers = *handlers;
    pool->user = user;
    pool->host = host_new(loop, spec, &pool_host_events, pool);
    pool->n_workers = service->workers.max + HOST_SPARE_WORKERS;
    pool->workers = g_new0(Worker *, pool->n_workers);
    pool->calls = g_new0(guint64, pool->n_workers);
    pool->wanted = g_new0(gboolean, pool->n_workers);
    pool_wear_init(pool);
    for (guint32 i = 0; i < pool->n_workers; i++)
        pool->workers[i] = worker_new(loop, service, i, &pool_worker_events, pool);
    pool->watcher = (LoopWatcher){ watcher_poll, watcher_arm, watcher_disarm, pool, NULL };
    loop_add_watcher(loop, &pool->watcher);
    return pool;
}

void pool_free(Pool *pool)
{
    if (pool == NULL)
        return;
    loop_remove_watcher(pool->loop, &pool->watcher);
    if (pool->on_ring != NULL)
        event_free(pool->on_ring);
    for (guint32 i = 0; i < pool->n_workers; i++)
        worker_free(pool->workers[i]);
    host_free(pool->host);
    g_free(pool->workers);
    g_free(pool->worker_error);
    g_free(pool->calls);
    g_free(pool->wanted);
    pool_wear_clear(pool);
    g_queue_clear(&pool->due);
    OBJ_FINI(pool, POOL_MAGIC);
    g_free(pool);
}

void pool_start(Pool *pool, ActorSystem *actors, ActorId parent)
{
    pool->n_actors = pool->n_workers;
    for (guint32 i = 0; i < pool->n_workers; i++)
        worker_start_actor(pool->workers[i], actors);
    host_start(pool->host, actors, parent);
}

ActorId pool_actor(const Pool *pool) { return host_actor(pool->host); }

guint pool_n_ready(const Pool *pool) { return pool->n_ready; }
gboolean pool_is_refused(const Pool *pool) { return host_state(pool->host) == HOST_REFUSED; }
const gchar *pool_error(const Pool *pool)
{
    const gchar *error = host_error(pool->host);
    return error != NULL ? error : pool->worker_error;
}
const Host *pool_host(const Pool *pool) { return pool->host; }
guint pool_generation(const Pool *pool) { return pool->generation; }
guint pool_n_workers(const Pool *pool) { return pool->n_workers; }

PoolWorker pool_worker(const Pool *pool, guint32 i)
{
    const Worker *worker = pool->workers[i];
    return (PoolWorker){ i, worker_state_name(worker), worker_pid(worker),
                         worker_incarnation(worker), pool->calls[i] };
}
