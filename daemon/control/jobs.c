#include "daemon/control/jobs.h"
#include "actor/factory/recorder.h"
#include "actor/factory/stats.h"
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <json-glib/json-glib.h>

#define JOBS_SHOWN 100u /* of each service: the oldest */

static void add_number(JsonBuilder *json, const gchar *name, gint64 number)
{
    json_builder_set_member_name(json, name);
    json_builder_add_int_value(json, number);
}

static void add_text(JsonBuilder *json, const gchar *name, const gchar *text)
{
    g_autofree gchar *valid = g_utf8_make_valid(text, -1); /* clients choose methods */
    json_builder_set_member_name(json, name);
    json_builder_add_string_value(json, valid);
}

/* --- /jobs ------------------------------------------------------------------------------- */

static void add_job(JsonBuilder *json, const FactoryJobView *job, gint64 now_usec)
{
    json_builder_begin_object(json);
    add_number(json, "id", (gint64)job->id);
    add_text(json, "method", ((const Request *)job->user)->method);
    add_text(json, "state", job->state);
    add_number(json, "priority", job->priority);
    add_number(json, "attempt", job->attempt);
    add_number(json, "age_msec", (now_usec - job->received_usec) / 1000);
    add_number(json, "deadline_msec", (job->deadline_usec - now_usec) / 1000);
    if (job->worker != FACTORY_NO_WORKER)
        add_number(json, "worker", factory_worker_index(job->worker));
    json_builder_end_object(json);
}

static void add_jobs(JsonBuilder *json, const Factory *factory)
{
    FactoryJobView jobs[JOBS_SHOWN];
    const guint n = factory_list_jobs(factory, jobs, JOBS_SHOWN);
    json_builder_set_member_name(json, "jobs");
    json_builder_begin_array(json);
    for (guint i = 0; i < n; i++)
        add_job(json, &jobs[i], loop_now_usec());
    json_builder_end_array(json);
}

static void add_times(JsonBuilder *json, const gchar *name, const Histogram *times)
{
    static const guint permilles[] = { 500, 900, 990, 999 };
    static const gchar *const names[] = { "p50", "p90", "p99", "p999" };
    json_builder_set_member_name(json, name);
    json_builder_begin_object(json);
    add_number(json, "count", (gint64)times->count);
    for (guint i = 0; i < G_N_ELEMENTS(permilles); i++)
        add_number(json, names[i], histogram_quantile_usec(times, permilles[i]));
    json_builder_end_object(json);
}

static void add_methods(JsonBuilder *json, const Service *service)
{
    const Methods *methods = service_methods(service);
    json_builder_set_member_name(json, "methods");
    json_builder_begin_array(json);
    for (guint i = 0; i < methods_count(methods); i++) {
        json_builder_begin_object(json);
        add_text(json, "name", methods_name(methods, i));
        add_times(json, "queue_usec", factory_queue_time(service_factory(service), (guint16)i));
        add_times(json, "service_usec", factory_service_time(service_factory(service), (guint16)i));
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

void jobs_print(GString *out, const AdminContext *context)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    json_builder_set_member_name(json, "services");
    json_builder_begin_array(json);
    for (guint i = 0; i < dispatch_n_services(context->dispatch); i++) {
        const Service *service = dispatch_service(context->dispatch, i);
        json_builder_begin_object(json);
        add_text(json, "name", service_config(service)->name);
        add_number(json, "workers_wanted", factory_worker_count(service_factory(service)));
        add_number(json, "workers_ready", factory_ready_workers(service_factory(service)));
        add_number(json, "capacity", (gint64)factory_available_capacity(service_factory(service)));
        add_number(json, "settings_version",
                   (gint64)factory_settings_version(service_factory(service)));
        add_jobs(json, service_factory(service));
        add_methods(json, service);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    json_builder_end_object(json);
    g_autoptr(JsonNode) root = json_builder_get_root(json);
    g_autofree gchar *text = json_to_string(root, TRUE);
    g_string_append_printf(out, "%s\n", text);
}

/* --- /explain ---------------------------------------------------------------------------- */

static const Service *find_service(const AdminContext *context, const gchar *name)
{
    for (guint i = 0; i < dispatch_n_services(context->dispatch); i++) {
        const Service *service = dispatch_service(context->dispatch, i);
        if (g_strcmp0(service_config(service)->name, name) == 0)
            return service;
    }
    return NULL;
}

static gboolean explain(GString *out, const AdminContext *context, struct evkeyvalq *values)
{
    const gchar *text = evhttp_find_header(values, "job");
    const Service *service = find_service(context, evhttp_find_header(values, "service"));
    guint64 job;
    if (service == NULL || text == NULL ||
        !g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT64, &job, NULL)) {
        g_string_append(out,
                        "ask for /explain?service=NAME&job=ID; /jobs has the ids, and the log\n");
        return FALSE;
    }
    if (factory_explain(service_factory(service), job, out))
        return TRUE;
    g_string_append(out,
                    "nothing is recorded of this job: only the last few thousand events are\n");
    return FALSE;
}

gboolean jobs_explain(GString *out, const AdminContext *context, const gchar *query)
{
    struct evkeyvalq values;
    if (evhttp_parse_query_str(query != NULL ? query : "", &values) != 0) {
        g_string_append(out, "the query cannot be read\n");
        return FALSE;
    }
    const gboolean known = explain(out, context, &values);
    evhttp_clear_headers(&values);
    return known;
}
