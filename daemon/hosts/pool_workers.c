/* pool_workers.c - the processes of a pool: forked, ready, stopped, dead, and their host. */
#include "daemon/hosts/pool_state.h"
#include "daemon/hosts/pool_wear.h"
#include "daemon/hosts/worker_log.h"
#include <sys/wait.h>

/* A host is asked for so many workers at once: its socket holds a few hundred messages. */
#define FORKS_AT_ONCE 16

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
    if (pool->stopping)
        return;
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

void pool_kill_worker(Pool *pool, guint32 worker, WorkerEnd why)
{
    worker_kill_for(pool->workers[worker], why);
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
    g_clear_pointer(&pool->worker_error, g_free);
    pool->calls[worker_index(worker)] = 0;
    pool_wear_ready(pool, worker_index(worker));
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
    guint count;         /* of calls that were started */
    const gchar *method; /* of the first of them */
    gint64 claimed_usec; /* when that was; 0: not known */
} Losing;

static void lose(guint32 slot, gpointer job, const RingClaim *claim, gpointer user)
{
    Losing *losing = user;
    Pool *pool = losing->pool;
    (void)slot;
    if (claim != NULL && losing->count++ == 0) {
        losing->method = pool->handlers.name(job, pool->user);
        losing->claimed_usec = claim->claimed_usec;
    }
    if (claim == NULL)
        pool->handlers.returned(job, pool->user);
    else
        pool->handlers.lost(job, pool_claim_is_possible(pool, claim) ? claim : NULL, pool->user);
}

/* When every worker has ended, the host may. */
void pool_end_host_if_empty(Pool *pool)
{
    if (!pool->stopping || pool->end_sent)
        return;
    for (guint32 i = 0; i < pool->n_workers; i++)
        if (worker_pid(pool->workers[i]) != 0 || worker_state(pool->workers[i]) == WORKER_FORKING)
            return;
    pool->end_sent = TRUE;
    host_end(pool->host);
}

static ServiceCounter counter_of(const WorkerObituary *obituary)
{
    static const ServiceCounter by_end[] = {
        [WORKER_STUCK] = CTR_ENDS_STUCK,
        [WORKER_CUT_OFF] = CTR_ENDS_CUT_OFF,
        [WORKER_TIMEOUT] = CTR_ENDS_START,
        [WORKER_OOM] = CTR_ENDS_MEMORY,
    };
    if (obituary->end != WORKER_DIED)
        return by_end[obituary->end];
    if (!obituary->was_ready)
        return CTR_ENDS_START;
    return WIFEXITED(obituary->status) ? CTR_ENDS_EXIT : CTR_ENDS_SIGNAL;
}

static void log_and_count_end(Pool *pool, guint32 index, const WorkerObituary *obituary,
                              const Losing *losing)
{
    const WorkerEndLine end = {
        .service = pool->service->name,
        .generation = pool->generation,
        .worker = index,
        .obituary = obituary,
        .calls = pool->calls[index],
        .calls_lost = losing->count,
        .method = losing->count > 0 ? losing->method : NULL,
        .running_usec = losing->claimed_usec > 0 ? loop_now_usec() - losing->claimed_usec : -1,
    };
    worker_log_end(&end);
    if (pool->stopping || worker_end_is_planned(&end))
        return;
    pool->stats->service[CTR_WORKER_DEATHS]++;
    pool->stats->service[counter_of(obituary)]++;
}

static void worker_gone(Worker *worker, const WorkerObituary *obituary, gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    const guint32 index = worker_index(worker);
    Losing losing = { .pool = pool };
    if (obituary->was_ready) {
        pool->n_ready--;
    } else {
        g_free(pool->worker_error);
        pool->worker_error =
            g_strdup_printf("worker %u (pid %d) %s", index, obituary->pid, obituary->how);
    }
    pool->handlers.worker_dying(index, pool->user);
    pool_collect(pool);
    ring_front_worker_gone(ring_of(pool), index, worker_incarnation(worker), lose, &losing);
    pool_collect(pool); /* what it had finished, and died before it said so */
    log_and_count_end(pool, index, obituary, &losing);
    pool->handlers.worker_ended(index, obituary, losing.count, pool->user);
    pool_end_host_if_empty(pool);
}

/* --- the host
 * --------------------------------------------------------------------------------------- */

static void host_said_hello(gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    pool->corrupt = FALSE;
    pool->on_ring = event_new(loop_base(pool->loop), ring_front_event_fd(ring_of(pool)),
                              EV_READ | EV_PERSIST, pool_on_ring_event, pool);
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
    } else if (message->kind == LINK_WORN) {
        pool_wear_says(pool, message->worker, message->incarnation, message->text);
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
    Losing losing = { .pool = pool };
    pool->n_ready = pool->n_forking = 0;
    if (pool->on_ring != NULL)
        event_free(g_steal_pointer(&pool->on_ring));
    all_are_dying(pool);
    if (ring_of(pool) != NULL) {
        pool_collect(pool);
        ring_front_abandon(ring_of(pool), lose, &losing);
    }
    if (!pool->end_sent)
        pool->stats->service[CTR_HOST_DEATHS]++;
    end_workers(pool, text);
    pool->handlers.host_changed(pool->user);
}

/* Workers end after the call that they run, then the host. */
static void host_is_stopping(gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    pool->stopping = TRUE;
    for (guint32 i = 0; i < pool->n_workers; i++) {
        pool_stop_worker(pool, i);
        if (worker_state(pool->workers[i]) == WORKER_STARTING)
            worker_kill(pool->workers[i]); /* there is nothing to wait for */
    }
    pool_end_host_if_empty(pool);
}

static void host_is_killed(gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    pool->stopping = TRUE;
    for (guint32 i = 0; i < pool->n_workers; i++)
        worker_kill(pool->workers[i]);
    host_kill(pool->host, "the service is being stopped");
}

static void stopped_if_all_is_over(Pool *pool)
{
    if (pool->host_over && pool->n_actors == 0)
        pool->handlers.stopped(pool->user);
}

static void host_is_over(gpointer user)
{
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    pool->host_over = TRUE;
    for (guint32 i = 0; i < pool->n_workers; i++)
        worker_stop_actor(pool->workers[i]);
    stopped_if_all_is_over(pool);
}

static void worker_is_over(Worker *worker, gpointer user)
{
    (void)worker;
    Pool *pool = OBJ_FROM(Pool, user, POOL_MAGIC);
    pool->n_actors--;
    stopped_if_all_is_over(pool);
}

const HostEvents pool_host_events = { host_said_hello, host_was_refused, host_passed_message,
                                      host_is_gone,    host_is_stopping, host_is_killed,
                                      host_is_over };
const WorkerEvents pool_worker_events = { worker_forked, worker_ready, worker_silent,
                                          worker_dying,  worker_gone,  worker_is_over };
