#include "daemon/hosts/pool.h"
#include "daemon/base/obj.h"
#include "daemon/hosts/worker.h"
#include "daemon/hosts/worker_log.h"

#define POOL_MAGIC 0x504f4f4cu

/* A host is asked for so many workers at once: its socket holds a few hundred messages. */
#define FORKS_AT_ONCE 16

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
    guint64 *calls;   /* finished by the incarnation, per worker */
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
};

static RingFront *ring_of(const Pool *pool) { return host_ring(pool->host); }

/* --- replies ----------------------------------------------------------------------------- */

static void end_corrupt_host(Pool *pool)
{
    if (pool->corrupt)
        return;
    pool->corrupt = TRUE;
    pool->stats->service[CTR_RING_VIOLATIONS]++;
    host_kill(pool->host, "its shared memory holds what no honest worker writes");
}

static gboolean claim_is_possible(const Pool *pool, const RingClaim *claim)
{
    return claim->worker < pool->n_workers &&
           worker_incarnation(pool->workers[claim->worker]) == claim->incarnation;
}

/* A reply of a worker that cannot have it is none. */
static void collect(Pool *pool)
{
    RingDone done;
    while (ring_front_collect(ring_of(pool), &done)) {
        const RingClaim claim = { done.worker, done.incarnation, done.claimed_usec, 0, 0 };
        pool->calls[done.worker]++;
        if (claim_is_possible(pool, &claim))
            pool->handlers.reply(done.job, &claim, &done.reply, pool->user);
        else
            pool->handlers.lost(done.job, NULL, pool->user);
        ring_front_release(ring_of(pool), done.slot);
    }
    if (ring_front_is_corrupt(ring_of(pool)))
        end_corrupt_host(pool);
}

static void watcher_poll(gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    if (ring_of(pool) != NULL)
        collect(pool);
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
static void on_ring_event(evutil_socket_t fd, short what, void *arg)
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
        if (claim_is_possible(pool, &claim))
            pool->handlers.seen(job, &claim, pool->user);
        else
            end_corrupt_host(pool); /* the dead hold no calls: their seats were cleared */
    }
    if (ring != NULL && ring_front_is_corrupt(ring))
        end_corrupt_host(pool);
}

/* --- workers that come and go ------------------------------------------------------------ */

static void fork_more(Pool *pool)
{
    while (pool->n_forking < FORKS_AT_ONCE && !g_queue_is_empty(&pool->due) && !pool->stopping) {
        Worker *worker = g_queue_pop_head(&pool->due);
        pool->n_forking++;
        ring_front_reset_seat(ring_of(pool), worker_index(worker));
        host_fork_worker(pool->host, worker_index(worker), worker_begin(worker));
    }
}

/* A worker that was asked for and is not wanted any more, before anything was done about it. */
static void forget_spawn(Pool *pool, guint32 worker)
{
    const WorkerObituary never = { .how = "was not started", .status = 0 };
    const gboolean was_due = g_queue_remove(&pool->due, pool->workers[worker]);
    if (!was_due && !pool->wanted[worker])
        return;
    pool->wanted[worker] = FALSE;
    pool->handlers.worker_ended(worker, &never, 0, pool->user);
}

void pool_spawn_worker(Pool *pool, guint32 worker)
{
    g_assert(worker < pool->n_workers && worker_state(pool->workers[worker]) == WORKER_VACANT);
    if (host_state(pool->host) == HOST_READY)
        g_queue_push_tail(&pool->due, pool->workers[worker]);
    else
        pool->wanted[worker] = TRUE;
    fork_more(pool);
}

/* One that is still being started finds the wish when it looks for its first call. */
void pool_stop_worker(Pool *pool, guint32 worker)
{
    if (worker_state(pool->workers[worker]) == WORKER_VACANT)
        forget_spawn(pool, worker);
    else
        ring_front_stop_worker(ring_of(pool), worker);
}

void pool_kill_worker(Pool *pool, guint32 worker) { worker_kill_stuck(pool->workers[worker]); }

static void worker_forked(Worker *worker, gpointer user)
{
    (void)worker;
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    pool->n_forking--;
    fork_more(pool);
}

static void worker_ready(Worker *worker, gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    pool->n_ready++;
    g_clear_pointer(&pool->worker_error, g_free);
    pool->calls[worker_index(worker)] = 0;
    pool->stats->service[CTR_WORKERS_READY]++;
    pool->stats->service[CTR_WORKER_STARTS]++;
    worker_log_ready(pool->service->name, pool->generation, worker);
    if (pool->stopping)
        ring_front_stop_worker(ring_of(pool), worker_index(worker));
    pool->handlers.worker_ready(worker_index(worker), pool->user);
}

static void worker_silent(Worker *worker, gpointer user)
{
    (void)worker;
    host_kill(OBJ_FROM(Pool, user, POOL_MAGIC)->host, "it forks no worker that can be watched");
}

static void worker_dying(Worker *worker, gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    pool->handlers.worker_dying(worker_index(worker), pool->user);
    host_read_messages(pool->host);
}

typedef struct {
    Pool *pool;
    guint count; /* of calls that were started */
} Losing;

static void lose(guint32 slot, gpointer job, const RingClaim *claim, gpointer user)
{
    Losing *losing = user;
    Pool *pool = losing->pool;
    (void)slot;
    losing->count += claim != NULL;
    if (claim == NULL)
        pool->handlers.returned(job, pool->user);
    else
        pool->handlers.lost(job, claim_is_possible(pool, claim) ? claim : NULL, pool->user);
}

/* When every worker has ended, the host may. */
static void end_host_if_empty(Pool *pool)
{
    if (!pool->stopping || pool->end_sent)
        return;
    for (guint32 i = 0; i < pool->n_workers; i++)
        if (worker_pid(pool->workers[i]) != 0 || worker_state(pool->workers[i]) == WORKER_FORKING)
            return;
    pool->end_sent = TRUE;
    host_end(pool->host);
}

static void worker_gone(Worker *worker, const WorkerObituary *obituary, gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    const guint32 index = worker_index(worker);
    Losing losing = { pool, 0 };
    if (obituary->was_ready) {
        pool->n_ready--;
        pool->stats->service[CTR_WORKERS_READY]--;
    } else {
        g_free(pool->worker_error);
        pool->worker_error =
            g_strdup_printf("worker %u (pid %d) %s", index, obituary->pid, obituary->how);
    }
    pool->handlers.worker_dying(index, pool->user);
    collect(pool);
    ring_front_worker_gone(ring_of(pool), index, worker_incarnation(worker), lose, &losing);
    collect(pool); /* what it had finished, and died before it said so */
    const gboolean planned = worker_log_end(pool->service->name, pool->generation, worker, obituary,
                                            pool->calls[index], losing.count);
    if (!pool->stopping)
        pool->stats->service[planned ? CTR_WORKER_RECYCLED : CTR_WORKER_DEATHS]++;
    pool->handlers.worker_ended(index, obituary, losing.count, pool->user);
    end_host_if_empty(pool);
}

/* --- the host
 * --------------------------------------------------------------------------------------- */

static void host_said_hello(gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    pool->corrupt = FALSE;
    pool->on_ring = event_new(loop_base(pool->loop), ring_front_event_fd(ring_of(pool)),
                              EV_READ | EV_PERSIST, on_ring_event, pool);
    event_add(pool->on_ring, NULL);
    for (guint32 i = 0; i < pool->n_workers; i++) {
        if (pool->wanted[i])
            g_queue_push_tail(&pool->due, pool->workers[i]);
        pool->wanted[i] = FALSE;
    }
    fork_more(pool);
    pool->handlers.host_changed(pool->user);
}

static void host_was_refused(gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    pool->handlers.host_changed(pool->user);
}

static void host_passed_message(const LinkMessage *message, gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    if (message->kind == LINK_LOG) {
        pool->stats->service[CTR_HANDLER_LOG_LINES]++;
        worker_log_line(pool->service->name, pool->generation, message);
    } else if (message->kind == LINK_DROPPED) {
        pool->stats->service[CTR_HANDLER_LOG_DROPPED] += MAX(message->value, 0);
    } else if (message->worker < pool->n_workers) {
        worker_take_message(pool->workers[message->worker], message);
    }
}

/* They have ended with it; those that were not forked yet wait for the next one. */
static void end_workers(Pool *pool, const gchar *how)
{
    const WorkerObituary obituary = { .how = how, .status = -1, .host_gone = TRUE };
    for (guint32 i = 0; i < pool->n_workers; i++) {
        const gboolean had = worker_state(pool->workers[i]) != WORKER_VACANT;
        pool->wanted[i] |= g_queue_remove(&pool->due, pool->workers[i]);
        worker_host_gone(pool->workers[i]);
        if (had)
            pool->handlers.worker_ended(i, &obituary, 0, pool->user);
    }
}

/* Before anything else is told: nothing may be handed to any of them. */
static void all_are_dying(Pool *pool)
{
    for (guint32 i = 0; i < pool->n_workers; i++)
        if (worker_state(pool->workers[i]) != WORKER_VACANT)
            pool->handlers.worker_dying(i, pool->user);
}

static void host_is_gone(const gchar *how, gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    g_autofree gchar *text = g_strdup_printf("the host of the workers %s", how);
    Losing losing = { pool, 0 };
    pool->stats->service[CTR_WORKERS_READY] -= pool->n_ready;
    pool->n_ready = pool->n_forking = 0;
    if (pool->on_ring != NULL)
        event_free(g_steal_pointer(&pool->on_ring));
    all_are_dying(pool);
    if (ring_of(pool) != NULL) {
        collect(pool);
        ring_front_abandon(ring_of(pool), lose, &losing);
    }
    if (!pool->end_sent)
        pool->stats->service[CTR_HOST_DEATHS]++;
    end_workers(pool, text);
    if (!pool->stopping) {
        pool->handlers.host_changed(pool->user);
        return;
    }
    pool->end_sent = TRUE;
    host_give_up(pool->host);
    pool->handlers.stopped(pool->user);
}

/* --- life of the pool
 * --------------------------------------------------------------------------------- */

Pool *pool_new(Loop *loop, const Config *config, const ServiceConfig *service, guint generation,
               ServiceStats *stats, const PoolHandlers *handlers, gpointer user)
{
    static const HostEvents host_events = { host_said_hello, host_was_refused, host_passed_message,
                                            host_is_gone };
    static const WorkerEvents worker_events = { worker_forked, worker_ready, worker_silent,
                                                worker_dying, worker_gone };
    Pool *pool = g_new0(Pool, 1);
    OBJ_INIT(pool, POOL_MAGIC);
    pool->loop = loop;
    pool->service = service;
    pool->generation = generation;
    pool->stats = stats;
    pool->handlers = *handlers;
    pool->user = user;
    pool->host = host_new(loop, config, service, generation, &host_events, pool);
    pool->n_workers = service->workers.max;
    pool->workers = g_new0(Worker *, pool->n_workers);
    pool->calls = g_new0(guint64, pool->n_workers);
    pool->wanted = g_new0(gboolean, pool->n_workers);
    for (guint32 i = 0; i < pool->n_workers; i++)
        pool->workers[i] = worker_new(loop, service, i, &worker_events, pool);
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
    g_queue_clear(&pool->due);
    OBJ_FINI(pool, POOL_MAGIC);
    g_free(pool);
}

void pool_start(Pool *pool) { host_start(pool->host); }

void pool_stop(Pool *pool)
{
    g_assert(!pool->stopping);
    pool->stopping = TRUE;
    for (guint32 i = 0; i < pool->n_workers; i++) {
        pool_stop_worker(pool, i);
        if (worker_state(pool->workers[i]) == WORKER_STARTING)
            worker_kill(pool->workers[i]); /* there is nothing to wait for */
    }
    end_host_if_empty(pool);
}

void pool_kill(Pool *pool)
{
    for (guint32 i = 0; i < pool->n_workers; i++)
        worker_kill(pool->workers[i]);
    host_kill(pool->host, "the service is being stopped");
}

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
