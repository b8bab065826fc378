#include "daemon/hosts/pool.h"
#include "daemon/base/obj.h"
#include "daemon/hosts/stuck_watch.h"
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
    Worker **workers;
    guint64 *calls; /* finished by the incarnation, per worker */
    StuckWatch *stuck_watch;
    struct event *on_ring;
    LoopWatcher watcher;
    GQueue due; /* of Worker: VACANT, to be forked */
    guint n_forking;
    guint n_ready;
    gboolean was_complete; /* every worker was ready at one time: the start is over */
    gchar *worker_error;   /* why a worker did not start; NULL once one is ready */
    gboolean corrupt;      /* said so, and killed the host for it */
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

static void collect(Pool *pool)
{
    RingDone done;
    gboolean any = FALSE;
    while (ring_front_collect(ring_of(pool), &done)) {
        any = TRUE;
        pool->calls[done.worker]++;
        stuck_watch_remove(pool->stuck_watch, done.slot);
        pool->handlers.reply(done.job, &done.reply, pool->user);
        ring_front_release(ring_of(pool), done.slot);
    }
    if (ring_front_is_corrupt(ring_of(pool)))
        end_corrupt_host(pool);
    else if (any)
        pool->handlers.room(pool->user);
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

/* --- calls ------------------------------------------------------------------------------- */

gboolean pool_has_room(Pool *pool)
{
    return pool->n_ready > 0 && !pool->stopping && !pool->corrupt &&
           ring_front_has_room(ring_of(pool));
}

guint32 pool_hand(Pool *pool, const RingCall *call, gpointer job)
{
    const guint32 slot = ring_front_announce(ring_of(pool), call, job);
    stuck_watch_add(pool->stuck_watch, slot);
    return slot;
}

gboolean pool_take_back(Pool *pool, guint32 ticket)
{
    if (!ring_front_take_back(ring_of(pool), ticket))
        return FALSE;
    stuck_watch_remove(pool->stuck_watch, ticket);
    return TRUE;
}

void pool_cancel(Pool *pool, guint32 ticket) { ring_front_cancel(ring_of(pool), ticket); }

static void on_stuck(guint32 index, guint16 incarnation, gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    Worker *worker = pool->workers[index];
    if (worker_incarnation(worker) != incarnation)
        end_corrupt_host(pool); /* the dead hold no calls: their seats were cleared */
    else if (worker_state(worker) == WORKER_READY)
        worker_kill_stuck(worker);
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

static void worker_due(Worker *worker, gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    if (host_state(pool->host) == HOST_READY) /* else its next hello makes all workers due */
        g_queue_push_tail(&pool->due, worker);
    fork_more(pool);
}

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
    pool->was_complete |= pool->n_ready == pool->service->workers;
    g_clear_pointer(&pool->worker_error, g_free);
    pool->calls[worker_index(worker)] = 0;
    pool->stats->service[CTR_WORKERS_READY]++;
    pool->stats->service[CTR_WORKER_STARTS]++;
    worker_log_ready(pool->service->name, pool->generation, worker);
    if (pool->stopping)
        ring_front_stop_worker(ring_of(pool), worker_index(worker));
    else
        pool->handlers.room(pool->user);
}

static void worker_silent(Worker *worker, gpointer user)
{
    (void)worker;
    host_kill(OBJ_FROM(Pool, user, POOL_MAGIC)->host, "it forks no worker that can be watched");
}

static void worker_dying(Worker *worker, gpointer user)
{
    (void)worker;
    host_read_messages(OBJ_FROM(Pool, user, POOL_MAGIC)->host);
}

typedef struct {
    Pool *pool;
    PoolLoss why;
    const gchar *text;
    guint count;
} Losing;

static void lose(guint32 slot, gpointer job, gpointer user)
{
    Losing *losing = user;
    losing->count++;
    stuck_watch_remove(losing->pool->stuck_watch, slot);
    losing->pool->handlers.lost(job, losing->why, losing->text, losing->pool->user);
}

/* When every worker has ended, the host may. */
static void end_host_if_empty(Pool *pool)
{
    if (!pool->stopping || pool->end_sent)
        return;
    for (guint32 i = 0; i < pool->service->workers; i++)
        if (worker_pid(pool->workers[i]) != 0 || worker_state(pool->workers[i]) == WORKER_FORKING)
            return;
    pool->end_sent = TRUE;
    host_end(pool->host);
}

static void worker_gone(Worker *worker, const WorkerObituary *obituary, gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    const guint32 index = worker_index(worker);
    g_autofree gchar *text =
        g_strdup_printf("worker %u (pid %d) %s", index, obituary->pid, obituary->how);
    const PoolLoss why = obituary->end == WORKER_STUCK ? POOL_WORKER_STUCK : POOL_WORKER_CRASHED;
    Losing losing = { pool, why, text, 0 };
    if (obituary->was_ready) {
        pool->n_ready--;
        pool->stats->service[CTR_WORKERS_READY]--;
    } else {
        g_free(pool->worker_error);
        pool->worker_error = g_strdup(text);
    }
    collect(pool);
    ring_front_worker_gone(ring_of(pool), index, worker_incarnation(worker), lose, &losing);
    const gboolean planned = worker_log_end(pool->service->name, pool->generation, worker, obituary,
                                            pool->calls[index], losing.count);
    if (pool->stopping) {
        end_host_if_empty(pool);
        return;
    }
    pool->stats->service[planned ? CTR_WORKER_RECYCLED : CTR_WORKER_DEATHS]++;
    worker_wait(worker, !planned);
}

/* --- the host
 * --------------------------------------------------------------------------------------- */

static void host_said_hello(gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    pool->corrupt = FALSE;
    stuck_watch_set_ring(pool->stuck_watch, ring_of(pool));
    pool->on_ring = event_new(loop_base(pool->loop), ring_front_event_fd(ring_of(pool)),
                              EV_READ | EV_PERSIST, on_ring_event, pool);
    event_add(pool->on_ring, NULL);
    for (guint32 i = 0; i < pool->service->workers; i++)
        worker_due(pool->workers[i], pool);
}

/* The plugin cannot be served: news for the calls that wait for it. */
static void host_was_refused(gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    pool->handlers.room(pool->user);
}

static void host_passed_message(const LinkMessage *message, gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    if (message->kind == LINK_LOG) {
        pool->stats->service[CTR_HANDLER_LOG_LINES]++;
        worker_log_line(pool->service->name, pool->generation, message);
    } else if (message->kind == LINK_DROPPED) {
        pool->stats->service[CTR_HANDLER_LOG_DROPPED] += MAX(message->value, 0);
    } else if (message->worker < pool->service->workers) {
        worker_take_message(pool->workers[message->worker], message);
    }
}

static void give_up_call(guint32 slot, gpointer job, gboolean unclaimed, gpointer user)
{
    Losing *losing = user;
    if (!unclaimed) {
        lose(slot, job, losing);
        return;
    }
    stuck_watch_remove(losing->pool->stuck_watch, slot);
    losing->pool->handlers.returned(job, losing->pool->user);
}

static void host_is_gone(const gchar *how, gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    g_autofree gchar *text = g_strdup_printf("the host of the workers %s", how);
    Losing losing = { pool, POOL_HOST_GONE, text, 0 };
    for (guint32 i = 0; i < pool->service->workers; i++)
        worker_host_gone(pool->workers[i]);
    pool->stats->service[CTR_WORKERS_READY] -= pool->n_ready;
    pool->n_ready = pool->n_forking = 0;
    g_queue_clear(&pool->due);
    if (pool->on_ring != NULL)
        event_free(g_steal_pointer(&pool->on_ring));
    if (ring_of(pool) != NULL) {
        collect(pool);
        ring_front_abandon(ring_of(pool), give_up_call, &losing);
    }
    stuck_watch_set_ring(pool->stuck_watch, NULL);
    if (!pool->end_sent)
        pool->stats->service[CTR_HOST_DEATHS]++;
    if (pool->stopping) {
        pool->end_sent = TRUE;
        host_give_up(pool->host);
        pool->handlers.stopped(pool->user);
        return;
    }
    pool->handlers.room(pool->user);
}

/* --- life of the pool
 * --------------------------------------------------------------------------------- */

Pool *pool_new(Loop *loop, const Config *config, const ServiceConfig *service, guint generation,
               ServiceStats *stats, const PoolHandlers *handlers, gpointer user)
{
    static const HostEvents host_events = { host_said_hello, host_was_refused, host_passed_message,
                                            host_is_gone };
    static const WorkerEvents worker_events = { worker_due,    worker_forked, worker_ready,
                                                worker_silent, worker_dying,  worker_gone };
    Pool *pool = g_new0(Pool, 1);
    OBJ_INIT(pool, POOL_MAGIC);
    pool->loop = loop;
    pool->service = service;
    pool->generation = generation;
    pool->stats = stats;
    pool->handlers = *handlers;
    pool->user = user;
    pool->host = host_new(loop, config, service, generation, &host_events, pool);
    pool->workers = g_new0(Worker *, service->workers);
    pool->calls = g_new0(guint64, service->workers);
    pool->stuck_watch = stuck_watch_new(loop, service->stuck_after_usec, on_stuck, pool);
    for (guint32 i = 0; i < service->workers; i++)
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
    stuck_watch_free(pool->stuck_watch);
    for (guint32 i = 0; i < pool->service->workers; i++)
        worker_free(pool->workers[i]);
    host_free(pool->host);
    g_free(pool->workers);
    g_free(pool->worker_error);
    g_free(pool->calls);
    OBJ_FINI(pool, POOL_MAGIC);
    g_free(pool);
}

void pool_start(Pool *pool) { host_start(pool->host); }

void pool_stop(Pool *pool)
{
    g_assert(!pool->stopping);
    pool->stopping = TRUE;
    for (guint32 i = 0; i < pool->service->workers; i++) {
        Worker *worker = pool->workers[i];
        if (worker_state(worker) == WORKER_READY)
            ring_front_stop_worker(ring_of(pool), i);
        else
            worker_kill(worker);
    }
    end_host_if_empty(pool);
}

void pool_kill(Pool *pool)
{
    for (guint32 i = 0; i < pool->service->workers; i++)
        worker_kill(pool->workers[i]);
    host_kill(pool->host, "the service is being stopped");
}

gboolean pool_is_ready(const Pool *pool) { return pool->was_complete && pool->n_ready > 0; }
guint pool_n_ready(const Pool *pool) { return pool->n_ready; }
gboolean pool_is_refused(const Pool *pool) { return host_state(pool->host) == HOST_REFUSED; }
const gchar *pool_error(const Pool *pool)
{
    const gchar *error = host_error(pool->host);
    return error != NULL ? error : pool->worker_error;
}
const Host *pool_host(const Pool *pool) { return pool->host; }
guint pool_generation(const Pool *pool) { return pool->generation; }
guint pool_n_workers(const Pool *pool) { return pool->service->workers; }

PoolWorker pool_worker(const Pool *pool, guint32 i)
{
    const Worker *worker = pool->workers[i];
    return (PoolWorker){ i, worker_state_name(worker), worker_pid(worker),
                         worker_incarnation(worker), pool->calls[i] };
}
