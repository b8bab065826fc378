#include "daemon/dispatch/service.h"
#include "daemon/base/log.h"
#include "daemon/base/obj.h"

#define SERVICE_MAGIC 0x53455256u

struct Service {
    ObjTag tag;
    const ServiceConfig *config;
    ServiceStats stats;
    Pool *pool;
    GQueue waiting;    /* of Request: oldest first */
    GQueue unfinished; /* of Request: next deadline first */
    struct event *deadline_timer;
    Loop *loop;
    LoopDeferred pump_later;
    guint64 next_serial;
    guint handed; /* calls that the pool has */
    gboolean draining;
    void (*stopped)(gpointer user);
    gpointer user;
};

static Service *service_of(gpointer user) { return OBJ_FROM(Service, user, SERVICE_MAGIC); }

static void forget(Service *service, Request *request)
{
    g_queue_unlink(&service->unfinished, &request->unfinished);
    if (request->state == REQUEST_QUEUED)
        g_queue_unlink(&service->waiting, &request->waiting);
}

static void fail(Service *service, Request *request, Verdict verdict, const gchar *text)
{
    forget(service, request);
    request_fail(request, verdict, text, -1);
}

/* --- to the workers ---------------------------------------------------------------------- */

static void hand(Service *service, Request *request)
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
    request_set_state(request, REQUEST_RUNNING);
    service->handed++;
    request->ticket = pool_hand(service->pool, &call, request_hold(request));
}

static void pump(Service *service)
{
    while (!g_queue_is_empty(&service->waiting) && pool_has_room(service->pool))
        hand(service, g_queue_pop_head_link(&service->waiting)->data);
}

static void refuse_all_waiting(Service *service, Verdict verdict, const gchar *text)
{
    while (!g_queue_is_empty(&service->waiting))
        fail(service, g_queue_peek_head(&service->waiting), verdict, text);
}

static void on_room(gpointer user)
{
    Service *service = service_of(user);
    if (pool_is_refused(service->pool))
        refuse_all_waiting(service, VERDICT_PLUGIN_REFUSED, pool_error(service->pool));
    pump(service);
}

/* --- from the workers -------------------------------------------------------------------- */

/* What the worker's outcome means to the client. */
static void conclude(Request *request, const RingReply *reply)
{
    static const Verdict verdict_of[RING_OUTCOMES] = {
        [RING_REPLY] = VERDICT_COMPLETED,
        [RING_APP_ERROR] = VERDICT_APP_ERROR,
        [RING_UNKNOWN_METHOD] = VERDICT_UNKNOWN_METHOD,
        [RING_BAD_ARGUMENTS] = VERDICT_BAD_ARGUMENTS,
        [RING_REPLY_TOO_LARGE] = VERDICT_REPLY_TOO_LARGE,
        [RING_BROKEN_HANDLER] = VERDICT_BROKEN_HANDLER,
        [RING_NO_REPLY] = VERDICT_COMPLETED,
        [RING_NOT_STARTED] = VERDICT_DEADLINE,
    };
    Verdict verdict = verdict_of[reply->outcome];
    if (reply->outcome == RING_NOT_STARTED && request->client.finished == NULL)
        verdict = VERDICT_CLIENT_GONE;
    if (reply->outcome == RING_REPLY)
        request_answer(request, reply->body, reply->body_bytes);
    else if (reply->outcome == RING_NO_REPLY)
        request_finish_silently(request, VERDICT_COMPLETED);
    else
        request_fail(request, verdict, (const gchar *)reply->body, reply->body_bytes);
}

static void on_reply(gpointer job, const RingReply *reply, gpointer user)
{
    Service *service = service_of(user);
    Request *request = job;
    service->handed--;
    if (request->state == REQUEST_RUNNING) { /* else its deadline answered it before */
        forget(service, request);
        conclude(request, reply);
    }
    request_release(request);
}

static void on_lost(gpointer job, PoolLoss why, const gchar *text, gpointer user)
{
    static const Verdict verdict_of[] = {
        [POOL_WORKER_CRASHED] = VERDICT_WORKER_CRASHED,
        [POOL_WORKER_STUCK] = VERDICT_WORKER_STUCK,
        [POOL_HOST_GONE] = VERDICT_HOST_GONE,
    };
    Service *service = service_of(user);
    Request *request = job;
    service->handed--;
    if (request->state == REQUEST_RUNNING)
        fail(service, request, verdict_of[why], text);
    request_release(request);
}

/* Back to where it stood in the queue: it was admitted before those that wait. */
static void on_returned(gpointer job, gpointer user)
{
    Service *service = service_of(user);
    Request *request = job;
    service->handed--;
    if (request->state == REQUEST_RUNNING) {
        request_set_state(request, REQUEST_QUEUED);
        GList *after = service->waiting.head;
        while (after != NULL && ((const Request *)after->data)->serial < request->serial)
            after = after->next;
        g_queue_insert_before_link(&service->waiting, after, &request->waiting);
    }
    request_release(request);
}

static void on_stopped(gpointer user)
{
    Service *service = service_of(user);
    service->stopped(service->user);
}

/* --- time -------------------------------------------------------------------------------- */

static void arm_deadline(Service *service, gint64 now)
{
    Request *next = g_queue_peek_head(&service->unfinished);
    if (next == NULL)
        evtimer_del(service->deadline_timer);
    else
        loop_timer_arm(service->deadline_timer, MAX(next->deadline_usec - now, 0));
}

/* Takes a call from whoever has it and answers it; its worker, if any, hears of it. */
static void give_up(Service *service, Request *request, Verdict not_started, Verdict started,
                    const gchar *text)
{
    if (request->state == REQUEST_RUNNING && pool_take_back(service->pool, request->ticket)) {
        service->handed--;
        fail(service, request, not_started, text);
        request_release(request);
        return;
    }
    if (request->state == REQUEST_RUNNING)
        pool_cancel(service->pool, request->ticket);
    fail(service, request, request->state == REQUEST_QUEUED ? not_started : started, text);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    Service *service = OBJ_FROM(Service, arg, SERVICE_MAGIC);
    const gint64 now = loop_now_usec();
    g_autofree gchar *text =
        g_strdup_printf("no answer within the deadline of %" G_GINT64_FORMAT " ms",
                        service->config->deadline_usec / 1000);
    Request *next;
    while ((next = g_queue_peek_head(&service->unfinished)) != NULL && next->deadline_usec <= now)
        give_up(service, next, VERDICT_DEADLINE, VERDICT_LATE, text);
    pump(service);
    arm_deadline(service, now);
}

/* --- from the front
 * --------------------------------------------------------------------------------- */

/* NULL when the call may come in, else the reason against it. */
static const gchar *refusal(const Service *service, const Request *request, Verdict *verdict)
{
    const gint64 waiting = service->stats.service[CTR_QUEUED] + service->handed;
    *verdict = VERDICT_REFUSED_DRAINING;
    if (service->draining)
        return "the daemon is stopping";
    *verdict = VERDICT_NOT_SERVED;
    if (pool_is_refused(service->pool))
        return pool_error(service->pool);
    *verdict = VERDICT_QUEUE_FULL;
    if (waiting >= (gint64)service->config->queue_limit + pool_n_ready(service->pool))
        return "queue-limit calls wait already";
    if (service->stats.service[CTR_QUEUED_BYTES] + (gint64)request->held_bytes >
        (gint64)service->config->queue_bytes)
        return "queue-bytes are full";
    return NULL;
}

void service_submit(Service *service, Request *request)
{
    Verdict verdict;
    request->stats = &service->stats;
    service->stats.service[CTR_RECEIVED]++;
    if (request->oneway)
        service->stats.service[CTR_ONEWAY]++;
    const gchar *against = refusal(service, request, &verdict);
    if (against != NULL) {
        request_fail(request, verdict, against, -1);
        return;
    }
    request->serial = service->next_serial++;
    request->deadline_usec = request->received_usec + service->config->deadline_usec;
    g_queue_push_tail_link(&service->unfinished, &request->unfinished);
    if (!evtimer_pending(service->deadline_timer, NULL))
        arm_deadline(service, request->received_usec);
    if (g_queue_is_empty(&service->waiting) && pool_has_room(service->pool)) {
        hand(service, request);
        return;
    }
    request_set_state(request, REQUEST_QUEUED);
    g_queue_push_tail_link(&service->waiting, &request->waiting);
}

void service_client_gone(Service *service, Request *request)
{
    request->client.finished = NULL;
    if (request->oneway || request->state == REQUEST_FINISHED)
        return; /* a oneway caller need not stay */
    if (request->state == REQUEST_RUNNING && !pool_take_back(service->pool, request->ticket)) {
        pool_cancel(service->pool, request->ticket);
        return;
    }
    const gboolean was_handed = request->state == REQUEST_RUNNING;
    fail(service, request, VERDICT_CLIENT_GONE, "the client has gone");
    if (was_handed) {
        service->handed--;
        request_release(request);
    }
    /* Not now: the next one in the same client's line may be the next to go. */
    loop_defer(service->loop, &service->pump_later);
}

static void on_pump_later(gpointer user) { pump(service_of(user)); }

/* --- life -------------------------------------------------------------------------------- */

Service *service_new(Loop *loop, const Config *config, const ServiceConfig *service_config,
                     void (*stopped)(gpointer user), gpointer user)
{
    static const PoolHandlers handlers = { on_room, on_reply, on_lost, on_returned, on_stopped };
    Service *service = g_new0(Service, 1);
    OBJ_INIT(service, SERVICE_MAGIC);
    service->config = service_config;
    service->loop = loop;
    service->pump_later = (LoopDeferred){ .run = on_pump_later, .user = service };
    service->stopped = stopped;
    service->user = user;
    service->pool = pool_new(loop, config, service_config, 1, &service->stats, &handlers, service);
    service->deadline_timer = loop_timer_new(loop, on_deadline, service);
    return service;
}

void service_free(Service *service)
{
    if (service == NULL)
        return;
    g_assert(g_queue_is_empty(&service->unfinished));
    pool_free(service->pool);
    event_free(service->deadline_timer);
    OBJ_FINI(service, SERVICE_MAGIC);
    g_free(service);
}

void service_start(Service *service) { pool_start(service->pool); }
void service_drain(Service *service) { service->draining = TRUE; }
gboolean service_is_idle(const Service *service)
{
    return g_queue_is_empty((GQueue *)&service->unfinished);
}

void service_stop(Service *service)
{
    Request *next;
    service->draining = TRUE;
    while ((next = g_queue_peek_head(&service->unfinished)) != NULL)
        give_up(service, next, VERDICT_DRAINING, VERDICT_CUT_OFF,
                "the daemon stops and drain-timeout has passed");
    pool_stop(service->pool);
}

void service_kill(Service *service) { pool_kill(service->pool); }

const ServiceConfig *service_config(const Service *service) { return service->config; }
const ServiceStats *service_stats(const Service *service) { return &service->stats; }
const Pool *service_pool(const Service *service) { return service->pool; }
