#include "daemon/dispatch/driver.h"
#include "daemon/base/random.h"
#include "daemon/dispatch/driver_state.h"
#include "daemon/dispatch/factory_log.h"

#define LOAD_INTERVAL_USEC 100000

static void act(Driver *driver, const FactoryAction *action);

static Generation *present(const Driver *driver) { return driver->generations[driver->present]; }
static Generation *other(const Driver *driver) { return driver->generations[1 - driver->present]; }

/* --- the factory's step ------------------------------------------------------------------ */

static void arm_timer(Driver *driver, gint64 now_usec)
{
    const gint64 next_usec = factory_next_usec(driver->factory);
    if (next_usec >= driver->timer_usec)
        return; /* it fires early at most, and is armed again then */
    driver->timer_usec = next_usec;
    loop_timer_arm(driver->timer, MAX(next_usec - now_usec, 0));
}

void driver_step(Driver *driver, const FactoryEvent *event)
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
    driver_step(driver, &(FactoryEvent){ .kind = kind });
}

/* --- generations ------------------------------------------------------------------------- */

static Generation *find_generation(const Driver *driver, gint64 number)
{
    for (guint i = 0; i < G_N_ELEMENTS(driver->generations); i++)
        if (driver->generations[i] != NULL &&
            (gint64)generation_number(driver->generations[i]) == number)
            return driver->generations[i];
    g_assert_not_reached();
}

static gboolean is_on_trial(const Driver *driver, const Generation *generation)
{
    return driver->on_trial &&
           generation == (other(driver) != NULL ? other(driver) : present(driver));
}

/* Once for each trial, in the words of whoever knew first. */
static void fail_trial(Driver *driver, const gchar *why)
{
    if (driver->trial_failed)
        return;
    driver->trial_failed = TRUE;
    driver->events.trial(TRIAL_FAILED, why, driver->user);
}

void driver_generation_failed(Driver *driver, const Generation *generation, const gchar *why)
{
    if (is_on_trial(driver, generation))
        fail_trial(driver, why);
    else if (generation == present(driver) && pool_is_refused(driver_pool(driver)))
        tell(driver, EVENT_SERVE); /* not served */
}

/* Its worker's event is on the stack: it is freed when all of that is over. */
void driver_generation_over(Driver *driver, Generation *generation)
{
    if (generation == present(driver))
        driver->present_over = TRUE;
    else
        driver->other_over = TRUE;
    loop_defer(driver->loop, &driver->bury);
}

static void on_bury(gpointer user)
{
    Driver *driver = OBJ_FROM(Driver, user, DRIVER_MAGIC);
    if (driver->other_over) {
        generation_free(other(driver));
        driver->generations[1 - driver->present] = NULL;
        driver->other_over = FALSE;
        driver->events.settled(driver->user);
    }
    if (driver->present_over && other(driver) == NULL)
        driver->events.stopped(driver->user);
}

/* Of the worker whose end is being told. */
static const gchar *obituary(const Driver *driver)
{
    const gchar *text = generation_obituary(present(driver));
    return text != NULL || other(driver) == NULL ? text : generation_obituary(other(driver));
}

static void act_on_generation(Driver *driver, const FactoryAction *action)
{
    if (action->kind == ACTION_SWAPPED) {
        driver->present = 1 - driver->present;
        driver->on_trial = FALSE;
    } else if (action->kind == ACTION_NEXT_READY) {
        driver->events.trial(TRIAL_READY, NULL, driver->user);
    } else if (action->kind == ACTION_CANARY_PASSED) {
        driver->events.trial(TRIAL_PASSED, NULL, driver->user);
    } else if (action->kind == ACTION_CANARY_FAILED) {
        const FactoryEvidence seen = factory_evidence(driver->factory);
        g_autofree gchar *why =
            g_strdup_printf("%u of the %u calls that it got failed, and %u of its workers",
                            seen.errors, seen.finished, seen.crashes);
        fail_trial(driver, why);
    } else if (action->kind == ACTION_RELOAD_FAILED) {
        const gchar *end = obituary(driver);
        fail_trial(driver, end != NULL ? end : "the service is being stopped");
    } else if (action->kind == ACTION_GENERATION_ENDED) {
        generation_stop(find_generation(driver, action->value));
    }
}

/* --- what the factory wants -------------------------------------------------------------- */

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
                             by_worker[action->reason] ? obituary(driver) : NULL, action->value,
                             driver->user);
    request_release(request);
}

static void act_on_request(Driver *driver, const FactoryAction *action)
{
    Request *request = action->user;
    if (action->kind == ACTION_ADMITTED)
        request_admit(request, action->job);
    else if (action->kind == ACTION_START)
        generation_hand(find_generation(driver, action->value), request, action->worker);
    else if (action->kind == ACTION_END)
        end(driver, action);
    else if (action->kind == ACTION_RECALL && request->out != NULL)
        generation_recall(request->out, request);
    else if (action->kind == ACTION_ABANDON && request->out != NULL)
        pool_cancel(generation_pool(request->out), request->ticket);
}

static void look(Driver *driver)
{
    for (guint i = 0; i < G_N_ELEMENTS(driver->generations); i++)
        if (driver->generations[i] != NULL)
            pool_look(generation_pool(driver->generations[i]));
}

static void act(Driver *driver, const FactoryAction *action)
{
    if (action->job != 0)
        act_on_request(driver, action);
    else if (action->kind == ACTION_LOOK)
        look(driver);
    else if (action->kind == ACTION_SPAWN || action->kind == ACTION_STOP ||
             action->kind == ACTION_KILL)
        generation_act_on_worker(driver->generations[action->worker % 2], action);
    else
        act_on_generation(driver, action);
    if (action->kind == ACTION_READY) {
        driver->was_ready = TRUE;
        if (driver->on_trial && other(driver) == NULL)
            driver->events.trial(TRIAL_READY, NULL, driver->user);
    }
    if (action->kind == ACTION_DRAINED)
        driver->events.drained((guint64)action->value, driver->user);
    factory_log(driver->service, driver->factory, action);
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
    driver_step(driver, &event);
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
    event.submit.user = request_hold(request); /* until its ACTION_END */
    driver_step(driver, &event);
}

void driver_refused(Driver *driver, FactoryReason reason)
{
    driver_step(driver, &(FactoryEvent){ .kind = EVENT_REFUSED, .reason = reason });
}

void driver_bar(Driver *driver, const Request *request)
{
    driver_step(driver, &(FactoryEvent){
                            .kind = EVENT_CANCEL, .job = request->job, .reason = REASON_POISON });
}

void driver_client_gone(Driver *driver, const Request *request)
{
    driver_step(
        driver,
        &(FactoryEvent){ .kind = EVENT_CANCEL, .job = request->job, .reason = REASON_CLIENT_GONE });
}

void driver_apply(Driver *driver, const FactorySettings *settings)
{
    driver_step(driver, &(FactoryEvent){ .kind = EVENT_SETTINGS, .settings = settings });
}

void driver_drain(Driver *driver, gint64 deadline_usec)
{
    driver_step(driver, &(FactoryEvent){
                            .kind = EVENT_DRAIN, .mode = DRAIN_QUEUE, .at_usec = deadline_usec });
}

/* --- the next generation ----------------------------------------------------------------- */

/* Seats of a generation: one is spare, for a worker that replaces a worn one. */
static guint32 most_workers(const ServiceConfig *service)
{
    return service->workers.max + HOST_SPARE_WORKERS;
}

static guint32 size_at_first(const Driver *driver, const FactorySettings *settings)
{
    return CLAMP(factory_worker_count(driver->factory), settings->workers_min,
                 settings->workers_max);
}

void driver_reload(Driver *driver, const HostSpec *next, const FactorySettings *settings)
{
    g_assert(driver_is_settled(driver));
    const guint place = 1 - driver->present;
    driver->on_trial = TRUE;
    driver->trial_failed = FALSE;
    driver->generations[place] = generation_new(driver, place, next, driver->stats);
    generation_start(driver->generations[place], driver->actors, driver->parent);
    driver_step(driver, &(FactoryEvent){
                            .kind = EVENT_RELOAD,
                            .reload = { next->generation, size_at_first(driver, settings),
                                        most_workers(next->service), next->service->lookahead } });
}

void driver_share(Driver *driver, const Canary *canary)
{
    driver_step(driver,
                &(FactoryEvent){ .kind = EVENT_CANARY,
                                 .canary = { canary->share_permille, canary->errors_permille,
                                             canary->crashes, canary->window_usec } });
}

void driver_swap(Driver *driver, const FactorySettings *settings, gint64 deadline_usec)
{
    driver_step(driver, &(FactoryEvent){ .kind = EVENT_SWAP, .at_usec = deadline_usec });
    driver_step(driver, &(FactoryEvent){ .kind = EVENT_SERVE, .served = TRUE });
    driver->was_ready = TRUE;
    driver_apply(driver, settings);
}

void driver_abort(Driver *driver)
{
    driver->trial_failed = TRUE; /* whoever asks knows why */
    tell(driver, EVENT_ABORT_RELOAD);
}

void driver_end_trial(Driver *driver) { driver->on_trial = FALSE; }
gboolean driver_is_settled(const Driver *driver) { return other(driver) == NULL; }

/* --- life -------------------------------------------------------------------------------- */

void driver_start(Driver *driver, ActorSystem *actors, ActorId parent, gboolean on_trial)
{
    driver->actors = actors;
    driver->parent = parent;
    driver->on_trial = on_trial;
    generation_start(present(driver), actors, parent);
    tell(driver, EVENT_TICK);
}

Driver *driver_new(Loop *loop, const HostSpec *first, const FactorySettings *settings,
                   ServiceStats *stats, const DriverEvents *events, gpointer user)
{
    Driver *driver = g_new0(Driver, 1);
    OBJ_INIT(driver, DRIVER_MAGIC);
    driver->loop = loop;
    driver->service = g_strdup(first->service->name);
    driver->stats = stats;
    driver->events = *events;
    driver->user = user;
    driver->factory = factory_new(settings, most_workers(first->service), first->generation,
                                  random_secret(), loop_now_usec());
    driver->generations[0] = generation_new(driver, 0, first, stats);
    driver->bury = (LoopDeferred){ .run = on_bury, .user = driver };
    driver->timer = loop_timer_new(loop, on_timer, driver);
    driver->timer_usec = G_MAXINT64;
    return driver;
}

void driver_free(Driver *driver)
{
    if (driver == NULL)
        return;
    g_assert(factory_is_idle(driver->factory));
    loop_undefer(driver->loop, &driver->bury);
    generation_free(driver->generations[0]);
    generation_free(driver->generations[1]);
    factory_free(driver->factory);
    factory_actions_clear(&driver->actions);
    event_free(driver->timer);
    g_free(driver->service);
    OBJ_FINI(driver, DRIVER_MAGIC);
    g_free(driver);
}

gboolean driver_is_ready(const Driver *driver)
{
    return driver->was_ready && factory_ready_workers(driver->factory) > 0;
}
const Factory *driver_factory(const Driver *driver) { return driver->factory; }
const Pool *driver_pool(const Driver *driver) { return generation_pool(present(driver)); }
const Pool *driver_other_pool(const Driver *driver)
{
    return other(driver) != NULL ? generation_pool(other(driver)) : NULL;
}
const gchar *driver_service(const Driver *driver) { return driver->service; }
