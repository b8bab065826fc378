#include "daemon/dispatch/service.h"
#include "daemon/dispatch/call_headers.h"
#include "daemon/dispatch/job_key.h"
#include "daemon/dispatch/plan.h"
#include "daemon/dispatch/service_state.h"

/* --- what clients are told --------------------------------------------------------------- */

static gchar *deadline_text(const Request *request)
{
    return g_strdup_printf("no answer within the deadline of %" G_GINT64_FORMAT " ms",
                           (request->deadline_usec - request->received_usec) / 1000);
}

/* What the reason alone does not say; NULL: nothing. */
static gchar *details(const Service *service, const Request *request, FactoryReason reason,
                      gint64 value)
{
    const gchar *error = pool_error(driver_pool(service->driver));
    if (reason == REASON_DEADLINE || reason == REASON_LATE)
        return deadline_text(request);
    if (reason == REASON_REFUSED_RATE)
        return g_strdup_printf("%s; retry_after_ms=%" G_GINT64_FORMAT, factory_reason_text(reason),
                               (value + 999) / 1000);
    if (error != NULL && (reason == REASON_NO_HANDLER || reason == REASON_UNSERVED))
        return g_strdup(error);
    if (error != NULL && (reason == REASON_REFUSED_DEGRADED || reason == REASON_DEGRADED ||
                          reason == REASON_START_FAILED))
        return g_strdup_printf("%s; the last one: %s", factory_reason_text(reason), error);
    return NULL;
}

static void on_ended(Request *request, FactoryReason reason, const gchar *text, gint64 value,
                     gpointer user)
{
    const Service *service = service_of(user);
    g_autofree gchar *more = text == NULL ? details(service, request, reason, value) : NULL;
    if (text == NULL)
        text = more != NULL ? more : factory_reason_text(reason);
    service_note_end(service, request, reason);
    request_fail(request, reason, text, -1);
}

/* --- what workers say -------------------------------------------------------------------- */

static FactorySettings *plan(const Service *service, const ServiceConfig *config)
{
    FactorySettings *settings = g_new(FactorySettings, 1);
    plan_settings(config, service->methods, settings);
    return settings;
}

static void learn_method(Service *service, const Request *request)
{
    if (!methods_learn(service->methods, request->method))
        return;
    g_autofree FactorySettings *settings = plan(service, service->config);
    driver_apply(service->driver, settings);
}

static FactoryReason on_replied(Request *request, const RingReply *reply, gpointer user)
{
    static const FactoryReason reasons[RING_OUTCOMES] = {
        [RING_REPLY] = REASON_COMPLETED,
        [RING_APP_ERROR] = REASON_APP_ERROR,
        [RING_UNKNOWN_METHOD] = REASON_UNKNOWN_METHOD,
        [RING_BAD_ARGUMENTS] = REASON_BAD_ARGUMENTS,
        [RING_REPLY_TOO_LARGE] = REASON_REPLY_TOO_LARGE,
        [RING_BROKEN_HANDLER] = REASON_BROKEN_HANDLER,
        [RING_NO_REPLY] = REASON_COMPLETED,
        [RING_NOT_STARTED] = REASON_DEADLINE,
    };
    request_set_reply_headers(request, reply->headers, reply->headers_bytes);
    service_note_end(service_of(user), request, reasons[reply->outcome]);
    if (request->state == REQUEST_FINISHED)
        return REASON_COMPLETED; /* its deadline answered it before: counted then */
    if (reply->outcome == RING_REPLY || reply->outcome == RING_NO_REPLY)
        learn_method(service_of(user), request);
    if (reply->outcome == RING_REPLY)
        return request_answer(request, reply->body, reply->body_bytes);
    if (reply->outcome == RING_NO_REPLY)
        request_finish_silently(request);
    else if (reply->outcome != RING_NOT_STARTED)
        request_fail(request, reasons[reply->outcome], (const gchar *)reply->body,
                     reply->body_bytes);
    return reasons[reply->outcome];
}

/* --- from the front ---------------------------------------------------------------------- */

/* What is configured is the most that a client may ask for. */
static FactoryPriority priority_of(const MethodConfig *method, const CallHeaders *asked)
{
    const guint own = method != NULL ? method->priority : PRIORITY_NORMAL;
    if (asked->priority < 0)
        return (FactoryPriority)own;
    return (FactoryPriority)(method != NULL ? MAX(own, (guint)asked->priority)
                                            : (guint)asked->priority);
}

static FactoryJob job_of(Service *service, Request *request, const MethodConfig **method)
{
    guint number;
    *method = methods_config(service->methods, request->method, &number);
    const gint64 own = *method != NULL ? (*method)->deadline_usec : 0;
    const gint64 most = own > 0 ? own : service->config->deadline_usec;
    const CallHeaders asked = call_headers_read(request->headers);
    request->deadline_usec =
        request->received_usec + (asked.timeout_usec > 0 ? MIN(asked.timeout_usec, most) : most);
    return (FactoryJob){
        .client = job_client(request),
        .connection = (guint64)(guintptr)request->client.user,
        .correlation = (guint64)(guint32)request->seqid,
        .received_usec = request->received_usec,
        .deadline_usec = request->deadline_usec,
        .bytes = (guint32)MIN(request->held_bytes, G_MAXUINT32),
        .method = (guint16)number,
        .ttl_usec = asked.queue_usec,
        .priority = (guint8)priority_of(*method, &asked),
        .idempotent = *method != NULL && (*method)->idempotent,
        .no_discard = *method != NULL && !(*method)->discardable,
    };
}

void service_submit(Service *service, Request *request)
{
    const MethodConfig *method;
    const gchar *why;
    request->owner = service;
    request->stats = &service->stats;
    service->stats.service[CTR_RECEIVED]++;
    if (request->oneway)
        service->stats.service[CTR_ONEWAY]++;
    FactoryJob job = job_of(service, request, &method);
    if (!service_passes(service, request))
        return;
    if (method == NULL || job_key_read(&method->key, request, &job, &why)) {
        driver_submit(service->driver, request, &job);
        return;
    }
    driver_refused(service->driver, REASON_BAD_KEY);
    request_fail(request, REASON_BAD_KEY, why, -1);
}

void service_client_gone(Service *service, Request *request)
{
    driver_client_gone(service->driver, request);
}

/* --- reload ------------------------------------------------------------------------------ */

static void set_next(Service *service, const HostSpec *next)
{
    g_assert(service->next_all == NULL);
    service->next_all = config_ref(next->config);
    service->next = next->service;
}

static void forget_next(Service *service)
{
    g_clear_pointer(&service->next_all, config_unref);
    service->next = NULL;
}

void service_reload(Service *service, const HostSpec *next)
{
    g_autofree FactorySettings *settings = plan(service, next->service);
    set_next(service, next);
    driver_reload(service->driver, next, settings);
}

gboolean service_share(Service *service)
{
    if (service->next == NULL || service->next->reload_canary.share_permille == 0)
        return FALSE;
    driver_share(service->driver, &service->next->reload_canary);
    return TRUE;
}

void service_commit(Service *service, gint64 deadline_usec)
{
    if (service->next == NULL) {
        driver_end_trial(service->driver);
        return;
    }
    config_unref(service->all);
    service->all = g_steal_pointer(&service->next_all);
    service->config = service->next;
    forget_next(service);
    methods_reload(service->methods, service->config);
    g_autofree FactorySettings *settings = plan(service, service->config);
    driver_swap(service->driver, settings, deadline_usec);
}

void service_abort(Service *service)
{
    forget_next(service);
    driver_abort(service->driver);
}

gboolean service_is_settled(const Service *service) { return driver_is_settled(service->driver); }

/* --- life -------------------------------------------------------------------------------- */

static void on_drained(guint64 cut_off, gpointer user)
{
    Service *service = service_of(user);
    service->events.drained(service, cut_off, service->user);
}

static void on_trial(TrialResult result, const gchar *why, gpointer user)
{
    Service *service = service_of(user);
    service->events.trial(service, result, why, service->user);
}

static void on_settled(gpointer user)
{
    Service *service = service_of(user);
    service->events.settled(service, service->user);
}

static void on_stopped(gpointer user)
{
    Service *service = service_of(user);
    service->events.stopped(service, service->user);
}

/* The actor: its hosts are its children, and end before it does. */
void service_start(Service *service, ActorSystem *actors, ActorId parent, gboolean is_trial)
{
    static const ActorClass class = { .start = NULL };
    const ActorOptions options = { .name = driver_service(service->driver),
                                   .restart = RESTART_NEVER };
    service->actors = actors;
    service->actor = actor_spawn(actors, parent, &class, &options, service);
    driver_start(service->driver, actors, service->actor, is_trial);
}

Service *service_new(Loop *loop, const HostSpec *first, const ServiceEvents *events, gpointer user)
{
    static const DriverEvents driver_events = { on_ended, on_replied, service_on_lost, on_drained,
                                                on_trial, on_settled, on_stopped };
    Service *service = g_new0(Service, 1);
    OBJ_INIT(service, SERVICE_MAGIC);
    service->all = config_ref(first->config);
    service->config = first->service;
    service->events = *events;
    service->user = user;
    service->methods = methods_new(first->service);
    service->poison = poison_new();
    g_autofree FactorySettings *settings = plan(service, first->service);
    service->driver = driver_new(loop, first, settings, &service->stats, &driver_events, service);
    return service;
}

void service_free(Service *service)
{
    if (service == NULL)
        return;
    driver_free(service->driver);
    methods_free(service->methods);
    poison_free(service->poison);
    forget_next(service);
    config_unref(service->all);
    OBJ_FINI(service, SERVICE_MAGIC);
    g_free(service);
}

void service_drain(Service *service, gint64 deadline_usec)
{
    driver_drain(service->driver, deadline_usec);
}

void service_stop(Service *service, gint64 deadline_usec)
{
    service_drain(service, loop_now_usec());
    actor_stop(service->actors, service->actor, deadline_usec);
}

gboolean service_is_ready(const Service *service) { return driver_is_ready(service->driver); }

/* --- numbers ----------------------------------------------------------------------------- */

/* The ledger's totals are counted where a call ends; what the factory counts is copied. */
const ServiceStats *service_stats(Service *service)
{
    const Factory *factory = service_factory(service);
    const FactoryStats *from = factory_stats(factory);
    gint64 *to = service->stats.service;
    to[CTR_QUEUED] = (gint64)from->queued;
    to[CTR_RUNNING] = (gint64)from->running;
    to[CTR_QUEUED_BYTES] = (gint64)from->queued_bytes;
    to[CTR_QUEUE_LIMIT] = (gint64)factory_ractor_stats(factory).queue_limit;
    to[CTR_HELD] = (gint64)from->held;
    to[CTR_RETRIED] = (gint64)from->retried;
    to[CTR_RETRY_DENIED] = (gint64)from->retry_denied;
    to[CTR_SLOW_WARNINGS] = (gint64)from->warned;
    to[CTR_STUCK] = (gint64)from->stuck;
    to[CTR_WORKER_KILLS] = (gint64)from->kills;
    to[CTR_POISON] = poison_count(service->poison);
    to[CTR_WORKERS_READY] = factory_ready_workers(factory);
    to[CTR_WORKER_RECYCLED] = (gint64)from->recycled;
    to[CTR_WORKERS_WANTED] = factory_worker_count(factory);
    to[CTR_RESIZES] = (gint64)from->resizes;
    to[CTR_CAPACITY_DECISIONS] = (gint64)from->decisions;
    to[CTR_RESTARTS_DENIED] = (gint64)from->restarts_denied;
    to[CTR_DEGRADED] = factory_is_degraded(factory);
    return &service->stats;
}

const gchar *service_name(const Service *service) { return service->config->name; }
const ServiceConfig *service_config(const Service *service) { return service->config; }
const Factory *service_factory(const Service *service) { return driver_factory(service->driver); }
const Methods *service_methods(const Service *service) { return service->methods; }
const Pool *service_pool(const Service *service) { return driver_pool(service->driver); }
const Pool *service_other_pool(const Service *service)
{
    return driver_other_pool(service->driver);
}
