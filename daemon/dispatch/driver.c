#include "daemon/dispatch/driver.h"
#include "daemon/base/load.h"
#include "daemon/base/obj.h"
#include "daemon/base/random.h"
#include "daemon/dispatch/factory_log.h"

#define DRIVER_MAGIC 0x44525652u

#define LOAD_INTERVAL_USEC 100000

/* The first generation; workers' numbers are those of the pool's seats. */
#define GENERATION 1u

struct Driver {
    ObjTag tag;
    const ServiceConfig *service;
    Factory *factory;
    FactoryActions actions;
    gboolean acting; /* the actions are being done: more come at their end */
    Pool *pool;
    guint32 *incarnations; /* the factory's, by worker */
    gchar *obituary;       /* of the worker whose end is being told; NULL: none is */
    struct event *timer;
    gint64 timer_usec; /* armed for then; G_MAXINT64: not */
    Load load;
    gint64 next_load_usec;
    DriverEvents events;
    gpointer user;
    gboolean was_ready;
};

static Driver *driver_of(gpointer user) { return OBJ_FROM(Driver, user, DRIVER_MAGIC); }

static void act(Driver *driver, const FactoryAction *action);

/* --- the factory's step ------------------------------------------------------------------ */

static void arm_timer(Driver *driver, gint64 now_usec)
{
    const gint64 next_usec = factory_next_usec(driver->factory);
    if (next_usec >= driver->timer_usec)
        return; /* it fires early at most, and is armed again then */
    driver->timer_usec = next_usec;
    loop_timer_arm(driver->timer, MAX(next_usec - now_usec, 0));
}

static void step(Driver *driver, const FactoryEvent *event)
{
    const gint64 now_usec = loop_now_usec();
    factory_step(driver->factory, event, now_usec, &driver->actions);
    if (driver->acting)
        return;
    driver->acting = TRUE;
    for (guint i = 0; i < driver->actions.n; i++) {
        const FactoryAction action = driver->actions.items[i]; /* the table may move meanwhile */
        act(driver, &action);
    }
    driver->actions.n = 0;
    driver->acting = FALSE;
    arm_timer(driver, now_usec);
}

static void tell(Driver *driver, FactoryEventKind kind)
{
    step(driver, &(FactoryEvent){ .kind = kind });
}

static void tell_job(Driver *driver, FactoryEventKind kind, guint64 job, gint64 at_usec)
{
    step(driver, &(FactoryEvent){ .kind = kind, .job = job, .at_usec = at_usec });
}

static FactoryEvent of_worker(const Driver *driver, FactoryEventKind kind, guint32 worker)
{
    return (FactoryEvent){ .kind = kind,
                           .worker = worker,
                           .incarnation = driver->incarnations[worker] };
}

/* --- what the factory wants -------------------------------------------------------------- */

static void hand(Driver *driver, Request *request, guint32 worker)
{
    const RingCall call = {
        .protocol = request->protocol == WIRE_COMPACT ? RING_COMPACT : RING_BINARY,
        .oneway = request->oneway,
        .seqid = request->seqid,
        .received_usec = request->received_usec,
        .deadline_usec = request->deadline_usec,
        .method = request->method,
        .peer = request->peer,
        .args = request->args,
        .args_bytes = (guint32)request->args_bytes,
    };
    request->is_out = TRUE;
    request->ticket = pool_hand(driver->pool, worker, &call, request_hold(request));
}

/* The pool has let go of it. */
static void came_back(Request *request)
{
    request->is_out = FALSE;
    request_release(request);
}

/* Either way the factory hears of it before the next action: RETURNED, or who has it. */
static void recall(Driver *driver, Request *request)
{
    if (!request->is_out)
        return;
    if (!pool_take_back(driver->pool, request->ticket)) {
        pool_look(driver->pool);
        return;
    }
    tell_job(driver, EVENT_RETURNED, request->job, 0);
    came_back(request);
}

static void end(Driver *driver, const FactoryAction *action)
{
    static const gboolean by_worker[REASONS] = {
        [REASON_WORKER_CRASHED] = TRUE,
        [REASON_WORKER_KILLED] = TRUE,
        [REASON_HOST_GONE] = TRUE,
        [REASON_RETRY_EXHAUSTED] = TRUE,
    };
    Request *request = action->user;
    if (request->state != REQUEST_FINISHED) /* else by its reply, just now */
        driver->events.ended(request, action->reason,
                             by_worker[action->reason] ? driver->obituary : NULL, action->value,
                             driver->user);
}

static void act_on_worker(Driver *driver, const FactoryAction *action)
{
    if (action->kind == ACTION_SPAWN) {
        driver->incarnations[action->worker] = action->incarnation;
        pool_spawn_worker(driver->pool, action->worker);
    } else if (action->kind == ACTION_STOP) {
        pool_stop_worker(driver->pool, action->worker);
    } else {
        pool_kill_worker(driver->pool, action->worker);
    }
}

static void act(Driver *driver, const FactoryAction *action)
{
    Request *request = action->user;
    if (action->kind == ACTION_ADMITTED)
        request_admit(request, action->job);
    else if (action->kind == ACTION_START)
        hand(driver, request, action->worker);
    else if (action->kind == ACTION_END)
        end(driver, action);
    else if (action->kind == ACTION_RECALL)
        recall(driver, request);
    else if (action->kind == ACTION_ABANDON && request->is_out)
        pool_cancel(driver->pool, request->ticket);
    else if (action->kind == ACTION_LOOK)
        pool_look(driver->pool);
    else if (action->kind == ACTION_SPAWN || action->kind == ACTION_STOP ||
             action->kind == ACTION_KILL)
        act_on_worker(driver, action);
    driver->was_ready |= action->kind == ACTION_READY;
    if (action->kind == ACTION_DRAINED)
        driver->events.drained((guint64)action->value, driver->user);
    factory_log(driver->service->name, driver->factory, action);
}

/* --- what happens in the pool ------------------------------------------------------------ */

static void tell_started(Driver *driver, const Request *request, const RingClaim *claim)
{
    FactoryEvent event = of_worker(driver, EVENT_STARTED, claim->worker);
    event.job = request->job;
    event.at_usec = claim->claimed_usec;
    step(driver, &event);
}

static void on_seen(gpointer job, const RingClaim *claim, gpointer user)
{
    Driver *driver = driver_of(user);
    const Request *request = job;
    tell_started(driver, request, claim);
    if (claim->progress_usec > 0)
        tell_job(driver, EVENT_PROGRESS, request->job, claim->progress_usec);
    if (claim->protect_usec > 0)
        tell_job(driver, EVENT_PROTECT, request->job, claim->protect_usec);
}

static void on_reply(gpointer job, const RingClaim *claim, const RingReply *reply, gpointer user)
{
    Driver *driver = driver_of(user);
    Request *request = job;
    FactoryEvent event = of_worker(driver, EVENT_FINISHED, claim->worker);
    event.job = request->job;
    event.at_usec = claim->claimed_usec;
    event.reason = REASON_COMPLETED; /* its deadline answered it before: counted then */
    if (request->state != REQUEST_FINISHED)
        event.reason = driver->events.replied(request, reply, driver->user);
    step(driver, &event);
    came_back(request);
}

static void on_lost(gpointer job, const RingClaim *claim, gpointer user)
{
    Driver *driver = driver_of(user);
    Request *request = job;
    if (claim != NULL)
        tell_started(driver, request, claim);
    else
        step(driver, &(FactoryEvent){
                         .kind = EVENT_LOST, .job = request->job, .reason = REASON_HOST_GONE });
    came_back(request);
}

static void on_returned(gpointer job, gpointer user)
{
    Request *request = job;
    tell_job(driver_of(user), EVENT_RETURNED, request->job, 0);
    came_back(request);
}

static void tell_worker(Driver *driver, FactoryEventKind kind, guint32 worker)
{
    const FactoryEvent event = of_worker(driver, kind, worker);
    step(driver, &event);
}

static void on_worker_ready(guint32 worker, gpointer user)
{
    tell_worker(driver_of(user), EVENT_WORKER_READY, worker);
}

static void on_worker_dying(guint32 worker, gpointer user)
{
    tell_worker(driver_of(user), EVENT_WORKER_DYING, worker);
}

static FactoryEnd end_of(const WorkerObituary *obituary, guint lost)
{
    if (obituary->host_gone)
        return END_HOST_GONE;
    if (obituary->end == WORKER_STUCK)
        return END_KILLED;
    if (!obituary->was_ready)
        return END_START_FAILED;
    return obituary->status == 0 && lost == 0 ? END_PLANNED : END_CRASHED;
}

static void on_worker_ended(guint32 worker, const WorkerObituary *obituary, guint lost,
                            gpointer user)
{
    Driver *driver = driver_of(user);
    FactoryEvent event = of_worker(driver, EVENT_WORKER_ENDED, worker);
    event.end = end_of(obituary, lost);
    driver->obituary = obituary->host_gone ? g_strdup(obituary->how)
                                           : g_strdup_printf("worker %u (pid %d) %s", worker,
                                                             obituary->pid, obituary->how);
    step(driver, &event);
    g_clear_pointer(&driver->obituary, g_free);
}

static void on_host_changed(gpointer user)
{
    Driver *driver = driver_of(user);
    if (pool_is_refused(driver->pool))
        tell(driver, EVENT_SERVE); /* not served */
}

static void on_stopped(gpointer user)
{
    Driver *driver = driver_of(user);
    driver->events.stopped(driver->user);
}

/* --- time -------------------------------------------------------------------------------- */

/* Only a controller wants to know it, and only now and then. */
static void tell_load(Driver *driver, gint64 now_usec)
{
    FactoryEvent event = { .kind = EVENT_LOAD };
    if (factory_settings(driver->factory)->capacity == CAPACITY_FIXED ||
        now_usec < driver->next_load_usec)
        return;
    driver->next_load_usec = now_usec + LOAD_INTERVAL_USEC;
    const LoadSample sample = load_sample(&driver->load, now_usec);
    event.load = (FactoryLoad){ sample.cpu_permille, sample.memory_permille,
                                sample.network_permille, sample.pressure_permille };
    step(driver, &event);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    Driver *driver = OBJ_FROM(Driver, arg, DRIVER_MAGIC);
    driver->timer_usec = G_MAXINT64;
    tell_load(driver, loop_now_usec());
    tell(driver, EVENT_TICK);
}

/* --- from the service -------------------------------------------------------------------- */

void driver_submit(Driver *driver, Request *request, const FactoryJob *job)
{
    FactoryEvent event = { .kind = EVENT_SUBMIT, .submit = *job };
    event.submit.user = request;
    step(driver, &event);
}

void driver_refused(Driver *driver, FactoryReason reason)
{
    step(driver, &(FactoryEvent){ .kind = EVENT_REFUSED, .reason = reason });
}

void driver_client_gone(Driver *driver, const Request *request)
{
    step(driver, &(FactoryEvent){
                     .kind = EVENT_CANCEL, .job = request->job, .reason = REASON_CLIENT_GONE });
}

void driver_apply(Driver *driver, const FactorySettings *settings)
{
    step(driver, &(FactoryEvent){ .kind = EVENT_SETTINGS, .settings = settings });
}

void driver_drain(Driver *driver, gint64 deadline_usec)
{
    step(driver,
         &(FactoryEvent){ .kind = EVENT_DRAIN, .mode = DRAIN_QUEUE, .at_usec = deadline_usec });
}

/* --- life -------------------------------------------------------------------------------- */

void driver_start(Driver *driver, ActorSystem *actors, ActorId parent)
{
    pool_start(driver->pool, actors, parent);
    tell(driver, EVENT_TICK);
}

Driver *driver_new(Loop *loop, const Config *config, const ServiceConfig *service,
                   const FactorySettings *settings, ServiceStats *stats, const DriverEvents *events,
                   gpointer user)
{
    static const PoolHandlers handlers = {
        .seen = on_seen,
        .reply = on_reply,
        .lost = on_lost,
        .returned = on_returned,
        .worker_ready = on_worker_ready,
        .worker_dying = on_worker_dying,
        .worker_ended = on_worker_ended,
        .host_changed = on_host_changed,
        .stopped = on_stopped,
    };
    Driver *driver = g_new0(Driver, 1);
    OBJ_INIT(driver, DRIVER_MAGIC);
    driver->service = service;
    driver->events = *events;
    driver->user = user;
    driver->factory = factory_new(settings, service->workers.max, random_secret(), loop_now_usec());
    driver->incarnations = g_new0(guint32, service->workers.max);
    driver->pool = pool_new(loop, config, service, GENERATION, stats, &handlers, driver);
    driver->timer = loop_timer_new(loop, on_timer, driver);
    driver->timer_usec = G_MAXINT64;
    return driver;
}

void driver_free(Driver *driver)
{
    if (driver == NULL)
        return;
    g_assert(factory_is_idle(driver->factory));
    pool_free(driver->pool);
    factory_free(driver->factory);
    factory_actions_clear(&driver->actions);
    event_free(driver->timer);
    g_free(driver->incarnations);
    OBJ_FINI(driver, DRIVER_MAGIC);
    g_free(driver);
}

gboolean driver_is_ready(const Driver *driver)
{
    return driver->was_ready && factory_ready_workers(driver->factory) > 0;
}
const Factory *driver_factory(const Driver *driver) { return driver->factory; }
const Pool *driver_pool(const Driver *driver) { return driver->pool; }
