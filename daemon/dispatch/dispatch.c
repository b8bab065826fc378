#include "daemon/dispatch/dispatch.h"

struct Dispatch {
    guint n_services;
    Service **services;
    GHashTable *by_name; /* borrowed names -> Service */
    Service *default_service;
    ServiceStats unknown;
    ActorId *actors; /* of the services */
    guint n_draining, n_running;
    guint64 cut_off;
    DispatchEvents events;
    gpointer user;
};

static void service_drained(guint64 cut_off, gpointer user)
{
    Dispatch *dispatch = user;
    dispatch->cut_off += cut_off;
    if (dispatch->n_draining > 0 && --dispatch->n_draining == 0)
        dispatch->events.drained(dispatch->cut_off, dispatch->user);
}

static void service_stopped(gpointer user)
{
    Dispatch *dispatch = user;
    g_assert(dispatch->n_running > 0);
    if (--dispatch->n_running == 0)
        dispatch->events.stopped(dispatch->user);
}

Dispatch *dispatch_new(Loop *loop, const Config *config, const DispatchEvents *events,
                       gpointer user)
{
    static const ServiceEvents service_events = { service_drained, service_stopped };
    Dispatch *dispatch = g_new0(Dispatch, 1);
    dispatch->n_services = config->n_services;
    dispatch->services = g_new0(Service *, config->n_services);
    dispatch->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    dispatch->actors = g_new0(ActorId, config->n_services);
    dispatch->events = *events;
    dispatch->user = user;
    for (guint i = 0; i < config->n_services; i++) {
        ServiceConfig *service = config->services[i];
        dispatch->services[i] = service_new(loop, config, service, &service_events, dispatch);
        g_hash_table_insert(dispatch->by_name, service->name, dispatch->services[i]);
        if (service->is_default)
            dispatch->default_service = dispatch->services[i];
    }
    return dispatch;
}

void dispatch_free(Dispatch *dispatch)
{
    if (dispatch == NULL)
        return;
    g_hash_table_unref(dispatch->by_name);
    for (guint i = 0; i < dispatch->n_services; i++)
        service_free(dispatch->services[i]);
    g_free(dispatch->services);
    g_free(dispatch->actors);
    g_free(dispatch);
}

void dispatch_start(Dispatch *dispatch, ActorSystem *actors, ActorId parent)
{
    dispatch->n_running = dispatch->n_services;
    for (guint i = 0; i < dispatch->n_services; i++)
        dispatch->actors[i] = service_start(dispatch->services[i], actors, parent);
}

static Service *find(const Dispatch *dispatch, const Request *request)
{
    if (request->service == NULL)
        return dispatch->default_service;
    return g_hash_table_lookup(dispatch->by_name, request->service);
}

void dispatch_submit(Dispatch *dispatch, Request *request)
{
    Service *service = find(dispatch, request);
    if (service != NULL) {
        service_submit(service, request);
        return;
    }
    request->stats = &dispatch->unknown;
    dispatch->unknown.service[CTR_RECEIVED]++;
    if (request->oneway)
        dispatch->unknown.service[CTR_ONEWAY]++;
    request_fail(request, REASON_UNKNOWN_SERVICE,
                 request->service == NULL ? "the call names no service and none is the default"
                                          : "no service of that name is served here",
                 -1);
}

void dispatch_client_gone(Dispatch *dispatch, Request *request)
{
    Service *service = find(dispatch, request);
    if (service != NULL)
        service_client_gone(service, request);
    request_release(request);
}

void dispatch_drain(Dispatch *dispatch, gint64 deadline_usec)
{
    dispatch->n_draining = dispatch->n_services;
    dispatch->cut_off = 0;
    for (guint i = 0; i < dispatch->n_services; i++)
        service_drain(dispatch->services[i], deadline_usec);
}

gboolean dispatch_is_ready(const Dispatch *dispatch)
{
    for (guint i = 0; i < dispatch->n_services; i++)
        if (!service_is_ready(dispatch->services[i]))
            return FALSE;
    return TRUE;
}

void dispatch_stop(Dispatch *dispatch, ActorSystem *actors, gint64 deadline_usec)
{
    dispatch->n_draining = 0; /* nobody waits for it any more */
    for (guint i = 0; i < dispatch->n_services; i++) {
        service_drain(dispatch->services[i], loop_now_usec());
        actor_stop(actors, dispatch->actors[i], deadline_usec);
    }
}

guint dispatch_n_services(const Dispatch *dispatch) { return dispatch->n_services; }
Service *dispatch_service(const Dispatch *dispatch, guint index)
{
    return dispatch->services[index];
}
const ServiceStats *dispatch_unknown_stats(const Dispatch *dispatch) { return &dispatch->unknown; }
