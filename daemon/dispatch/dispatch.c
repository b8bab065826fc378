#include "daemon/dispatch/dispatch.h"
#include "daemon/base/log.h"
#include "daemon/dispatch/dispatch_state.h"

static Dispatch *dispatch_of(gpointer user) { return OBJ_FROM(Dispatch, user, DISPATCH_MAGIC); }

/* --- services ---------------------------------------------------------------------------- */

static void service_drained(Service *service, guint64 cut_off, gpointer user)
{
    Dispatch *dispatch = dispatch_of(user);
    if (g_ptr_array_find(dispatch->leaving, service, NULL)) {
        service_stop(service, loop_now_usec() + service_config(service)->start_timeout_usec);
        return;
    }
    dispatch->cut_off += cut_off;
    if (dispatch->n_draining > 0 && --dispatch->n_draining == 0)
        dispatch->events.drained(dispatch->cut_off, dispatch->user);
}

static gboolean nothing_is_left(const Dispatch *dispatch)
{
    return dispatch->stopping &&
           dispatch->services->len + dispatch->leaving->len == dispatch->gone->len;
}

/* Its actor's event is on the stack: what is leaving is freed when that is over. */
static void service_stopped(Service *service, gpointer user)
{
    Dispatch *dispatch = dispatch_of(user);
    g_ptr_array_add(dispatch->gone, service);
    if (nothing_is_left(dispatch))
        dispatch->events.stopped(dispatch->user);
    else
        loop_defer(dispatch->loop, &dispatch->bury);
}

static void on_bury(gpointer user)
{
    Dispatch *dispatch = dispatch_of(user);
    for (guint i = 0; i < dispatch->gone->len;) {
        Service *service = g_ptr_array_index(dispatch->gone, i);
        if (!g_ptr_array_remove(dispatch->leaving, service)) {
            i++; /* it was stopped with the daemon, which frees it */
            continue;
        }
        g_ptr_array_remove_index(dispatch->gone, i);
        service_free(service);
    }
    changeover_settle(dispatch);
}

Service *dispatch_new_service(Dispatch *dispatch, Config *config, const ServiceConfig *service,
                              guint generation)
{
    static const ServiceEvents events = { service_drained, changeover_on_trial,
                                          changeover_on_settled, service_stopped };
    const HostSpec first = { config, service, generation, dispatch->frame_bytes };
    return service_new(dispatch->loop, &first, &events, dispatch);
}

Service *dispatch_find(const Dispatch *dispatch, const gchar *name)
{
    return g_hash_table_lookup(dispatch->by_name, name);
}

void dispatch_index(Dispatch *dispatch)
{
    g_hash_table_remove_all(dispatch->by_name);
    dispatch->default_service = NULL;
    for (guint i = 0; i < dispatch->services->len; i++) {
        Service *service = dispatch_service(dispatch, i);
        g_hash_table_insert(dispatch->by_name, (gpointer)service_name(service), service);
        if (service_config(service)->is_default)
            dispatch->default_service = service;
    }
}

/* --- calls ------------------------------------------------------------------------------- */

void dispatch_submit(Dispatch *dispatch, Request *request)
{
    Service *service = request->service == NULL ? dispatch->default_service
                                                : dispatch_find(dispatch, request->service);
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

/* Of a call that is finished the service may be gone. */
void dispatch_client_gone(Dispatch *dispatch, Request *request)
{
    (void)dispatch;
    request->client.finished = NULL;
    if (request->state != REQUEST_FINISHED && !request->oneway) /* whose caller need not stay */
        service_client_gone(request->owner, request);
    request_release(request);
}

/* --- the end ----------------------------------------------------------------------------- */

void dispatch_drain(Dispatch *dispatch, gint64 deadline_usec)
{
    dispatch->n_draining = dispatch->services->len;
    dispatch->cut_off = 0;
    for (guint i = 0; i < dispatch->services->len; i++)
        service_drain(dispatch_service(dispatch, i), deadline_usec);
}

void dispatch_stop(Dispatch *dispatch, gint64 deadline_usec)
{
    dispatch->n_draining = 0; /* nobody waits for it any more */
    dispatch->stopping = TRUE;
    for (guint i = 0; i < dispatch->services->len; i++)
        service_stop(dispatch_service(dispatch, i), deadline_usec);
    for (guint i = 0; i < dispatch->leaving->len; i++)
        service_stop(g_ptr_array_index(dispatch->leaving, i), deadline_usec);
}

gboolean dispatch_is_ready(const Dispatch *dispatch)
{
    for (guint i = 0; i < dispatch->services->len; i++)
        if (!service_is_ready(dispatch_service(dispatch, i)))
            return FALSE;
    return TRUE;
}

void dispatch_log_totals(const Dispatch *dispatch)
{
    for (guint i = 0; i < dispatch->services->len; i++) {
        Service *service = dispatch_service(dispatch, i);
        const ServiceStats *stats = service_stats(service);
        log_notice("service.totals service=%s received=%" G_GINT64_FORMAT
                   " completed=%" G_GINT64_FORMAT " app_error=%" G_GINT64_FORMAT
                   " refused=%" G_GINT64_FORMAT " discarded=%" G_GINT64_FORMAT
                   " lost=%" G_GINT64_FORMAT,
                   service_name(service), stats->service[CTR_RECEIVED],
                   stats->service[CTR_COMPLETED], stats->service[CTR_APP_ERROR],
                   service_stats_sum(stats, "sluice_requests_refused_total"),
                   service_stats_sum(stats, "sluice_requests_discarded_total"),
                   service_stats_sum(stats, "sluice_requests_lost_total"));
    }
}

/* --- life -------------------------------------------------------------------------------- */

static void free_service(gpointer service) { service_free(service); }

Dispatch *dispatch_new(Loop *loop, Config *config, const DispatchEvents *events, gpointer user)
{
    Dispatch *dispatch = g_new0(Dispatch, 1);
    OBJ_INIT(dispatch, DISPATCH_MAGIC);
    dispatch->loop = loop;
    dispatch->config = config_ref(config);
    dispatch->generation = dispatch->last_generation = 1;
    dispatch->frame_bytes = (guint32)config->max_frame_bytes;
    dispatch->services = g_ptr_array_new();
    dispatch->leaving = g_ptr_array_new();
    dispatch->gone = g_ptr_array_new();
    dispatch->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    dispatch->bury = (LoopDeferred){ .run = on_bury, .user = dispatch };
    dispatch->changeover.fresh = g_ptr_array_new();
    dispatch->events = *events;
    dispatch->user = user;
    for (guint i = 0; i < config->n_services; i++)
        g_ptr_array_add(
            dispatch->services,
            dispatch_new_service(dispatch, config, config->services[i], dispatch->generation));
    dispatch_index(dispatch);
    return dispatch;
}

void dispatch_free(Dispatch *dispatch)
{
    if (dispatch == NULL)
        return;
    GPtrArray *all[] = { dispatch->services, dispatch->leaving, dispatch->changeover.fresh };
    loop_undefer(dispatch->loop, &dispatch->bury);
    g_hash_table_unref(dispatch->by_name);
    for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
        g_ptr_array_set_free_func(all[i], free_service);
        g_ptr_array_unref(all[i]);
    }
    g_ptr_array_unref(dispatch->gone);
    g_clear_pointer(&dispatch->changeover.next, config_unref);
    config_unref(dispatch->config);
    OBJ_FINI(dispatch, DISPATCH_MAGIC);
    g_free(dispatch);
}

void dispatch_start(Dispatch *dispatch, ActorSystem *actors, ActorId parent)
{
    dispatch->actors = actors;
    dispatch->parent = parent;
    for (guint i = 0; i < dispatch->services->len; i++)
        service_start(dispatch_service(dispatch, i), actors, parent, FALSE);
}

guint dispatch_generation(const Dispatch *dispatch) { return dispatch->generation; }
guint dispatch_n_services(const Dispatch *dispatch) { return dispatch->services->len; }
Service *dispatch_service(const Dispatch *dispatch, guint index)
{
    return g_ptr_array_index(dispatch->services, index);
}
const ServiceStats *dispatch_unknown_stats(const Dispatch *dispatch) { return &dispatch->unknown; }
