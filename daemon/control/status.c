#include "daemon/control/status.h"
#include "actor/ring/link.h"
#include <json-glib/json-glib.h>
#include <unistd.h>

static gboolean is_draining(const AdminContext *context)
{
    return context->is_draining(context->user);
}

static gboolean is_ready(const AdminContext *context)
{
    return dispatch_is_ready(context->dispatch) && !is_draining(context);
}

/* --- /readyz ----------------------------------------------------------------------------- */

static void print_reason(GString *out, const Service *service)
{
    const Pool *pool = service_pool(service);
    const gboolean host_is_ready = host_state(pool_host(pool)) == HOST_READY;
    const gboolean degraded = factory_is_degraded(service_factory(service));
    const gchar *state = degraded        ? "degraded: its workers fail again and again"
                         : host_is_ready ? "no worker is ready"
                                         : host_state_name(pool_host(pool));
    g_autofree gchar *error = g_strdup(pool_error(pool));
    g_string_append_printf(out, "service %s: %s", service_config(service)->name, state);
    if (error != NULL) /* a plugin's words may have several lines */
        g_string_append_printf(out, ": %s", g_strdelimit(error, "\r\n", ' '));
    g_string_append_c(out, '\n');
}

gboolean status_print_readiness(GString *out, const AdminContext *context)
{
    if (is_ready(context)) {
        g_string_append(out, "ready\n");
        return TRUE;
    }
    if (is_draining(context))
        g_string_append(out, "draining\n");
    for (guint i = 0; i < dispatch_n_services(context->dispatch); i++) {
        const Service *service = dispatch_service(context->dispatch, i);
        if (!service_is_ready(service))
            print_reason(out, service);
    }
    return FALSE;
}

/* --- /status: texts are UTF-8 since they came in, from the configuration or a host ------- */

static void add_text(JsonBuilder *json, const gchar *name, const gchar *text)
{
    json_builder_set_member_name(json, name);
    if (text != NULL)
        json_builder_add_string_value(json, text);
    else
        json_builder_add_null_value(json);
}

static void add_number(JsonBuilder *json, const gchar *name, gint64 number)
{
    json_builder_set_member_name(json, name);
    json_builder_add_int_value(json, number);
}

static void add_truth(JsonBuilder *json, const gchar *name, gboolean truth)
{
    json_builder_set_member_name(json, name);
    json_builder_add_boolean_value(json, truth);
}

static void add_pid(JsonBuilder *json, const gchar *name, gint pid)
{
    if (pid != 0)
        add_number(json, name, pid);
    else
        add_text(json, name, NULL);
}

/* A seat that is spare only counts while somebody sits in it. */
static gboolean is_shown(const Pool *pool, guint i)
{
    return i + HOST_SPARE_WORKERS < pool_n_workers(pool) || pool_worker(pool, i).pid != 0;
}

static void add_workers(JsonBuilder *json, const Pool *pool)
{
    json_builder_set_member_name(json, "workers");
    json_builder_begin_array(json);
    for (guint i = 0; i < pool_n_workers(pool); i++) {
        if (!is_shown(pool, i))
            continue;
        const PoolWorker worker = pool_worker(pool, i);
        json_builder_begin_object(json);
        add_number(json, "index", worker.index);
        add_text(json, "state", worker.state);
        add_pid(json, "pid", worker.pid);
        add_number(json, "incarnation", worker.incarnation);
        add_number(json, "calls", (gint64)worker.calls);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static void add_host(JsonBuilder *json, const Host *host)
{
    add_text(json, "plugin_name", host_plugin_name(host));
    add_text(json, "plugin_version", host_plugin_version(host));
    add_truth(json, "thread_safe", (host_plugin_flags(host) & LINK_PLUGIN_THREAD_SAFE) != 0);
    add_text(json, "state", host_state_name(host));
    add_pid(json, "host_pid", host_pid(host));
}

/* The processes of a generation that comes or goes. */
static void add_other_generation(JsonBuilder *json, const Pool *pool)
{
    if (pool == NULL)
        return;
    json_builder_set_member_name(json, "other_generation");
    json_builder_begin_object(json);
    add_number(json, "generation", pool_generation(pool));
    add_host(json, pool_host(pool));
    add_text(json, "error", pool_error(pool));
    add_workers(json, pool);
    json_builder_end_object(json);
}

/* Calls of which workers have died; those with a time left are refused. */
static void add_poison(JsonBuilder *json, const Poison *poison)
{
    const gint64 now_usec = loop_now_usec();
    json_builder_set_member_name(json, "poison");
    json_builder_begin_array(json);
    for (guint i = 0; i < poison_count(poison); i++) {
        const PoisonView view = poison_view(poison, i);
        g_autofree gchar *method = g_utf8_make_valid(view.method, -1); /* a client chose it */
        json_builder_begin_object(json);
        add_text(json, "method", method);
        add_number(json, "deaths", view.deaths);
        add_number(json, "refused", (gint64)view.refused);
        add_number(json, "last_death_sec_ago", (now_usec - view.last_usec) / G_USEC_PER_SEC);
        add_number(json, "refused_for_msec", MAX(view.until_usec - now_usec, 0) / 1000);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static void add_service(JsonBuilder *json, Service *service)
{
    const ServiceConfig *config = service_config(service);
    const ServiceStats *stats = service_stats(service);
    const Pool *pool = service_pool(service);
    json_builder_begin_object(json);
    add_text(json, "name", config->name);
    add_truth(json, "default", config->is_default);
    add_text(json, "plugin", config->plugin);
    add_host(json, pool_host(pool));
    add_text(json, "error", pool_error(pool));
    add_number(json, "generation", pool_generation(pool));
    add_number(json, "queued", stats->service[CTR_QUEUED]);
    add_number(json, "running", stats->service[CTR_RUNNING]);
    add_workers(json, pool);
    add_other_generation(json, service_other_pool(service));
    add_poison(json, service_poison(service));
    json_builder_end_object(json);
}

static void add_services(JsonBuilder *json, const Dispatch *dispatch)
{
    json_builder_set_member_name(json, "services");
    json_builder_begin_array(json);
    for (guint i = 0; i < dispatch_n_services(dispatch); i++)
        add_service(json, dispatch_service(dispatch, i));
    json_builder_end_array(json);
}

static void add_listeners(JsonBuilder *json, const Front *front)
{
    json_builder_set_member_name(json, "listeners");
    json_builder_begin_array(json);
    for (guint i = 0; i < front_n_listeners(front); i++) {
        json_builder_begin_object(json);
        add_text(json, "address", front_listener_address(front, i));
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static void add_connections(JsonBuilder *json, const DaemonStats *stats)
{
    json_builder_set_member_name(json, "connections");
    json_builder_begin_object(json);
    add_number(json, "open", stats->daemon[CTR_CONN_OPEN]);
    json_builder_end_object(json);
}

static void add_reload(JsonBuilder *json, const AdminContext *context)
{
    json_builder_set_member_name(json, "reload");
    json_builder_begin_object(json);
    add_number(json, "generation", dispatch_generation(context->dispatch));
    add_text(json, "state", reload_state_name(context->reload));
    add_text(json, "last_result", reload_last_result(context->reload));
    add_text(json, "problems", reload_last_problems(context->reload));
    json_builder_end_object(json);
}

void status_print(GString *out, const AdminContext *context, const gchar *admin)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    add_text(json, "version", SLUICE_VERSION);
    add_number(json, "pid", getpid());
    add_number(json, "uptime_sec", (loop_now_usec() - context->started_usec) / G_USEC_PER_SEC);
    add_truth(json, "ready", is_ready(context));
    add_truth(json, "draining", is_draining(context));
    add_listeners(json, context->front);
    add_text(json, "admin", admin);
    add_connections(json, context->stats);
    add_reload(json, context);
    add_services(json, context->dispatch);
    json_builder_end_object(json);

    g_autoptr(JsonNode) root = json_builder_get_root(json);
    g_autofree gchar *text = json_to_string(root, TRUE);
    g_string_append_printf(out, "%s\n", text);
}
