#include "daemon/dispatch/dispatch.h"

struct Dispatch {
    guint n_services;
    Service **services;
    GHashTable *by_name; /* borrowed names -> Service */
    Service *default_service;
    ServiceStats unknown;
    guint running_services;
    void (*stopped)(gpointer user);
    gpointer user;
};

static void service_stopped(gpointer user)
{
    Dispatch *dispatch = user;
    g_assert(dispatch->running_services > 0);
    if (--dispatch->running_services == 0)
        dispatch->stopped(dispatch->user);
}

Dispatch *dispatch_new(Loop *loop, const Config *config, void (*stopped)(gpointer user),
                       gpointer user)
{
    Dispatch *dispatch = g_new0(Dispatch, 1);
    dispatch->n_services = config->n_services;
    dispatch->services = g_new0(Service *, config->n_services);
    dispatch->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    dispatch->stopped = stopped;
    dispatch->user = user;
    for (guint i = 0; i < config->n_services; i++) {
        ServiceConfig *service = config->services[i];
        dispatch->services[i] = service_new(loop, config, service, service_stopped, dispatch);
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
    g_free(dispatch);
}

void dispatch_start(Dispatch *dispatch)
{
    for (guint i = 0; i < dispatch->n_services; i++)
        service_start(dispatch->services[i]);
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
    for (guint i = 0; i < dispatch->n_services; i++)
        service_drain(dispatch->services[i], deadline_usec);
}

gboolean dispatch_is_idle(const Dispatch *dispatch)
{
    for (guint i = 0; i < dispatch->n_services; i++)
        if (!service_is_idle(dispatch->services[i]))
            return FALSE;
    return TRUE;
}

gboolean dispatch_is_ready(const Dispatch *dispatch)
{
    for (guint i = 0; i < dispatch->n_services; i++)
        if (!service_is_ready(dispatch->services[i]))
            return FALSE;
    return TRUE;
}

void dispatch_stop(Dispatch *dispatch)
{
    dispatch->running_services = dispatch->n_services;
    for (guint i = 0; i < dispatch->n_services; i++)
        service_stop(dispatch->services[i]);
}

void dispatch_kill(Dispatch *dispatch)
{
    for (guint i = 0; i < dispatch->n_services; i++)
        service_kill(dispatch->services[i]);
}

guint dispatch_n_services(const Dispatch *dispatch) { return dispatch->n_services; }
Service *dispatch_service(const Dispatch *dispatch, guint index)
{
    return dispatch->services[index];
}
const ServiceStats *dispatch_unknown_stats(const Dispatch *dispatch) { return &dispatch->unknown; }
