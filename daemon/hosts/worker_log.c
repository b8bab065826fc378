#include "daemon/hosts/worker_log.h"
#include "daemon/base/log.h"

/* Exactly one level: g_log() would end sluiced on any with the ERROR bit in it. */
static GLogLevelFlags level_of(gint32 said)
{
    if (said == G_LOG_LEVEL_WARNING || said == G_LOG_LEVEL_MESSAGE || said == G_LOG_LEVEL_INFO ||
        said == G_LOG_LEVEL_DEBUG)
        return (GLogLevelFlags)said;
    return G_LOG_LEVEL_CRITICAL;
}

void worker_log_line(const gchar *service, guint generation, const LinkMessage *message)
{
    g_autofree gchar *worker = message->worker == LINK_NO_WORKER
                                   ? g_strdup("load")
                                   : g_strdup_printf("%u", message->worker);
    g_autofree gchar *text = log_quotable(message->text);
    g_log("handler", level_of(message->value),
          "handler.log service=%s worker=%s generation=%u message=\"%s\"", service, worker,
          generation, text);
}

void worker_log_ready(const gchar *service, guint generation, const Worker *worker)
{
    log_info("worker.ready service=%s worker=%u generation=%u pid=%d", service,
             worker_index(worker), generation, worker_pid(worker));
}

gboolean worker_end_is_planned(const WorkerEndLine *end)
{
    return end->obituary->status == 0 && end->calls_lost == 0 && end->obituary->was_ready;
}

static void append_call(GString *line, const WorkerEndLine *end)
{
    if (end->method == NULL)
        return;
    g_autofree gchar *method = log_quotable(end->method); /* a client chose it */
    g_string_append_printf(line, " method=\"%s\"", method);
    if (end->running_usec >= 0)
        g_string_append_printf(line, " running_msec=%" G_GINT64_FORMAT, end->running_usec / 1000);
}

static void append_usage(GString *line, const WorkerUsage *usage)
{
    g_string_append_printf(line,
                           " user_msec=%" G_GINT64_FORMAT " system_msec=%" G_GINT64_FORMAT
                           " max_rss_kib=%" G_GINT64_FORMAT,
                           usage->user_usec / 1000, usage->system_usec / 1000,
                           usage->max_rss_bytes / 1024);
}

static void append_trace(GString *line, const gchar *trace)
{
    if (trace == NULL)
        return;
    g_autofree gchar *text = log_quotable(trace);
    g_string_append_printf(line, " trace=\"%s\"", text);
}

void worker_log_end(const WorkerEndLine *end)
{
    const WorkerObituary *obituary = end->obituary;
    const gboolean planned = worker_end_is_planned(end);
    g_autofree gchar *how = log_quotable(obituary->how);
    g_autoptr(GString) line = g_string_new(planned ? "worker.ended" : "worker.died");
    g_string_append_printf(line,
                           " service=%s worker=%u generation=%u pid=%d calls=%" G_GUINT64_FORMAT,
                           end->service, end->worker, end->generation, obituary->pid, end->calls);
    if (!planned)
        g_string_append_printf(line, " calls_lost=%u how=\"%s\"", end->calls_lost, how);
    append_call(line, end);
    append_usage(line, &obituary->usage);
    append_trace(line, obituary->trace);
    if (planned)
        log_info("%s", line->str);
    else
        log_error("%s", line->str);
}
