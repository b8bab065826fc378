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

gboolean worker_log_end(const gchar *service, guint generation, const Worker *worker,
                        const WorkerObituary *obituary, guint64 calls, guint calls_lost)
{
    const gboolean planned = obituary->status == 0 && calls_lost == 0 && obituary->was_ready;
    g_autofree gchar *how = log_quotable(obituary->how);
    if (planned)
        log_info("worker.ended service=%s worker=%u generation=%u pid=%d calls=%" G_GUINT64_FORMAT,
                 service, worker_index(worker), generation, obituary->pid, calls);
    else
        log_error("worker.died service=%s worker=%u generation=%u pid=%d calls=%" G_GUINT64_FORMAT
                  " calls_lost=%u how=\"%s\"",
                  service, worker_index(worker), generation, obituary->pid, calls, calls_lost, how);
    return planned;
}
