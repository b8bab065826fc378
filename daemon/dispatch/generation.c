#include "daemon/dispatch/generation.h"
#include "daemon/base/log.h"
#include "daemon/dispatch/driver_state.h"
#include <signal.h>
#include <sys/wait.h>

#define GENERATION_MAGIC 0x47454e45u

/* For the host and its workers to end by themselves, once no call is left to run. */
#define STOP_TIMEOUT_USEC ((gint64)5 * G_USEC_PER_SEC)

struct Generation {
    ObjTag tag;
    Driver *driver;
    guint place;
    Config *config;
    Pool *pool;
    guint32 *incarnations; /* the factory's, by worker */
    gchar *obituary;
    GPtrArray *lost; /* of Request, held: what the worker had whose end is told next */
};

static Generation *generation_of(gpointer user)
{
    return OBJ_FROM(Generation, user, GENERATION_MAGIC);
}

/* --- the factory's numbers, and the pool's ------------------------------------------------ */

static guint32 to_factory(const Generation *generation, guint32 worker)
{
    return 2 * worker + generation->place;
}

static FactoryEvent of_worker(const Generation *generation, FactoryEventKind kind, guint32 worker)
{
    return (FactoryEvent){ .kind = kind,
                           .worker = to_factory(generation, worker),
                           .incarnation = generation->incarnations[worker] };
}

static void tell_job(const Generation *generation, FactoryEventKind kind, guint64 job,
                     gint64 at_usec)
{
    driver_step(generation->driver,
                &(FactoryEvent){ .kind = kind, .job = job, .at_usec = at_usec });
}

/* --- what the factory wants -------------------------------------------------------------- */

static const RingProtocol ring_protocols[] = {
    [WIRE_BINARY] = RING_BINARY,
    [WIRE_COMPACT] = RING_COMPACT,
    [WIRE_JSON] = RING_JSON,
};

void generation_hand(Generation *generation, Request *request, guint32 worker)
{
    const RingCall call = {
        .protocol = ring_protocols[request->protocol],
        .oneway = request->oneway,
        .seqid = request->seqid,
        .received_usec = request->received_usec,
        .deadline_usec = request->deadline_usec,
        .method = request->method,
        .peer = request->peer,
        .headers = request->headers != NULL ? request->headers->data : NULL,
        .headers_bytes = request->headers != NULL ? request->headers->len : 0,
        .args = request->args,
        .args_bytes = (guint32)request->args_bytes,
    };
    const guint32 whom =
        worker == FACTORY_NO_WORKER ? POOL_ANY_WORKER : factory_worker_index(worker);
    request->out = generation;
    request->ticket = pool_hand(generation->pool, whom, &call, request_hold(request));
}

/* The pool has let go of it. */
static void came_back(Request *request)
{
    request->out = NULL;
    request_release(request);
}

void generation_recall(Generation *generation, Request *request)
{
    if (!pool_take_back(generation->pool, request->ticket)) {
        pool_look(generation->pool);
        return;
    }
    tell_job(generation, EVENT_RETURNED, request->job, 0);
    came_back(request);
}

void generation_act_on_worker(Generation *generation, const FactoryAction *action)
{
    const guint32 worker = factory_worker_index(action->worker);
    if (action->kind == ACTION_SPAWN) {
        generation->incarnations[worker] = action->incarnation;
        pool_spawn_worker(generation->pool, worker);
    } else if (action->kind == ACTION_STOP) {
        pool_stop_worker(generation->pool, worker);
    } else {
        pool_kill_worker(generation->pool, worker,
                         action->reason == REASON_CUT_OFF ? WORKER_CUT_OFF : WORKER_STUCK);
    }
}

/* --- what happens in the pool ------------------------------------------------------------ */

static void tell_started(Generation *generation, const Request *request, const RingClaim *claim)
{
    FactoryEvent event = of_worker(generation, EVENT_STARTED, claim->worker);
    event.job = request->job;
    event.at_usec = claim->claimed_usec;
    driver_step(generation->driver, &event);
}

static void on_seen(gpointer job, const RingClaim *claim, gpointer user)
{
    Generation *generation = generation_of(user);
    const Request *request = job;
    tell_started(generation, request, claim);
    if (claim->progress_usec > 0)
        tell_job(generation, EVENT_PROGRESS, request->job, claim->progress_usec);
    if (claim->protect_usec > 0)
        tell_job(generation, EVENT_PROTECT, request->job, claim->protect_usec);
}

static void on_reply(gpointer job, const RingClaim *claim, const RingReply *reply, gpointer user)
{
    Generation *generation = generation_of(user);
    Driver *driver = generation->driver;
    Request *request = job;
    FactoryEvent event = of_worker(generation, EVENT_FINISHED, claim->worker);
    event.job = request->job;
    event.at_usec = claim->claimed_usec;
    request->started_usec = claim->claimed_usec;
    request->generation = generation_number(generation);
    event.reason = driver->events.replied(request, reply, driver->user);
    driver_step(driver, &event);
    came_back(request);
}

static void on_lost(gpointer job, const RingClaim *claim, gpointer user)
{
    Generation *generation = generation_of(user);
    Request *request = job;
    if (claim != NULL) {
        g_ptr_array_add(generation->lost, request_hold(request));
        tell_started(generation, request, claim);
    } else {
        driver_step(
            generation->driver,
            &(FactoryEvent){ .kind = EVENT_LOST, .job = request->job, .reason = REASON_HOST_GONE });
    }
    came_back(request);
}

static const gchar *name_of(gpointer job, gpointer user)
{
    (void)user;
    return ((const Request *)job)->method;
}

static void on_returned(gpointer job, gpointer user)
{
    Request *request = job;
    tell_job(generation_of(user), EVENT_RETURNED, request->job, 0);
    came_back(request);
}

static void tell_worker(Generation *generation, FactoryEventKind kind, guint32 worker)
{
    const FactoryEvent event = of_worker(generation, kind, worker);
    driver_step(generation->driver, &event);
}

static void on_worker_ready(guint32 worker, gpointer user)
{
    tell_worker(generation_of(user), EVENT_WORKER_READY, worker);
}

static void on_worker_dying(guint32 worker, gpointer user)
{
    tell_worker(generation_of(user), EVENT_WORKER_DYING, worker);
}

static FactoryEnd end_of(const WorkerObituary *obituary, guint lost)
{
    if (obituary->host_gone)
        return END_HOST_GONE;
    if (obituary->end == WORKER_STUCK || obituary->end == WORKER_CUT_OFF)
        return END_KILLED;
    if (!obituary->was_ready)
        return END_START_FAILED;
    return obituary->status == 0 && lost == 0 ? END_PLANNED : END_CRASHED;
}

/* A kill by hand says nothing of the call, and the death of a host nothing of any. */
static gboolean may_be_the_calls_fault(const WorkerObituary *obituary)
{
    if (obituary->host_gone || obituary->end == WORKER_CUT_OFF || obituary->status == -1)
        return FALSE;
    return obituary->end != WORKER_DIED || !WIFSIGNALED(obituary->status) ||
           (WTERMSIG(obituary->status) != SIGKILL && WTERMSIG(obituary->status) != SIGTERM);
}

static void blame_calls(Generation *generation, const WorkerObituary *obituary)
{
    Driver *driver = generation->driver;
    for (guint i = 0; i < generation->lost->len; i++) {
        Request *request = g_ptr_array_index(generation->lost, i);
        driver->events.lost(request, may_be_the_calls_fault(obituary), driver->user);
        request_release(request);
    }
    g_ptr_array_set_size(generation->lost, 0);
}

static void on_worker_ended(guint32 worker, const WorkerObituary *obituary, guint lost,
                            gpointer user)
{
    Generation *generation = generation_of(user);
    FactoryEvent event = of_worker(generation, EVENT_WORKER_ENDED, worker);
    event.end = end_of(obituary, lost);
    generation->obituary = obituary->host_gone ? g_strdup(obituary->how)
                                               : g_strdup_printf("worker %u (pid %d) %s", worker,
                                                                 obituary->pid, obituary->how);
    blame_calls(generation, obituary);
    if (!obituary->was_ready)
        driver_generation_failed(generation->driver, generation, generation->obituary);
    driver_step(generation->driver, &event);
    g_clear_pointer(&generation->obituary, g_free);
}

static void on_worn(guint32 worker, const gchar *why, gpointer user)
{
    Generation *generation = generation_of(user);
    g_autofree gchar *text = log_quotable(why);
    log_info("worker.worn service=%s worker=%u generation=%u why=\"%s\"",
             generation->driver->service, worker, generation_number(generation), text);
    tell_worker(generation, EVENT_RECYCLE, worker);
}

static void on_host_changed(gpointer user)
{
    Generation *generation = generation_of(user);
    if (host_state(pool_host(generation->pool)) != HOST_READY)
        driver_generation_failed(generation->driver, generation, pool_error(generation->pool));
}

static void on_stopped(gpointer user)
{
    Generation *generation = generation_of(user);
    driver_generation_over(generation->driver, generation);
}

/* --- life -------------------------------------------------------------------------------- */

Generation *generation_new(Driver *driver, guint place, const HostSpec *spec, ServiceStats *stats)
{
    static const PoolHandlers handlers = {
        .seen = on_seen,
        .reply = on_reply,
        .lost = on_lost,
        .returned = on_returned,
        .name = name_of,
        .worker_ready = on_worker_ready,
        .worker_dying = on_worker_dying,
        .worker_ended = on_worker_ended,
        .worn = on_worn,
        .host_changed = on_host_changed,
        .stopped = on_stopped,
    };
    Generation *generation = g_new0(Generation, 1);
    OBJ_INIT(generation, GENERATION_MAGIC);
    generation->driver = driver;
    generation->place = place;
    generation->config = config_ref(spec->config);
    generation->pool = pool_new(driver->loop, spec, stats, &handlers, generation);
    generation->incarnations = g_new0(guint32, pool_n_workers(generation->pool));
    generation->lost = g_ptr_array_new();
    return generation;
}

void generation_free(Generation *generation)
{
    if (generation == NULL)
        return;
    pool_free(generation->pool);
    config_unref(generation->config);
    g_free(generation->incarnations);
    g_assert(generation->lost->len == 0);
    g_ptr_array_unref(generation->lost);
    OBJ_FINI(generation, GENERATION_MAGIC);
    g_free(generation);
}

void generation_start(Generation *generation, ActorSystem *actors, ActorId parent)
{
    pool_start(generation->pool, actors, parent);
}

void generation_stop(Generation *generation)
{
    actor_stop(generation->driver->actors, pool_actor(generation->pool),
               loop_now_usec() + STOP_TIMEOUT_USEC);
}

guint generation_number(const Generation *generation) { return pool_generation(generation->pool); }
Pool *generation_pool(const Generation *generation) { return generation->pool; }
const gchar *generation_obituary(const Generation *generation) { return generation->obituary; }
