#include "daemon/dispatch/factory_log.h"
#include "daemon/base/log.h"
#include "daemon/dispatch/request.h"

/* Of a job that is still there; a client chose the name. */
static gchar *method_of(const FactoryAction *action)
{
    return log_quotable(((const Request *)action->user)->method);
}

static void log_job(const gchar *service, const FactoryAction *action)
{
    g_autofree gchar *method = method_of(action);
    if (action->kind == ACTION_WARN)
        log_warning("call.slow service=%s method=\"%s\" job=%" G_GUINT64_FORMAT
                    " worker=%u times_expected=%" G_GINT64_FORMAT,
                    service, method, action->job, factory_worker_index(action->worker),
                    action->value);
    else if (action->kind == ACTION_STUCK)
        log_error("call.stuck service=%s method=\"%s\" job=%" G_GUINT64_FORMAT
                  " worker=%u msec=%" G_GINT64_FORMAT,
                  service, method, action->job, factory_worker_index(action->worker),
                  action->value / 1000);
    else
        log_warning("call.retry service=%s method=\"%s\" job=%" G_GUINT64_FORMAT
                    " attempt=%" G_GINT64_FORMAT,
                    service, method, action->job, action->value);
}

static void log_service(const gchar *service, const Factory *factory, const FactoryAction *action)
{
    if (action->kind == ACTION_RESIZED)
        log_notice("service.resized service=%s workers=%" G_GINT64_FORMAT, service, action->value);
    else if (action->kind == ACTION_CAPACITY)
        log_notice("service.would_resize service=%s workers=%" G_GINT64_FORMAT " now=%u", service,
                   action->value, factory_worker_count(factory));
    else if (action->kind == ACTION_DEGRADED)
        log_error("service.degraded service=%s workers_left=%" G_GINT64_FORMAT
                  " reason=\"restart-intensity is used up\"",
                  service, action->value);
    else if (action->kind == ACTION_RECOVERED)
        log_notice("service.recovered service=%s workers=%u", service,
                   factory_ready_workers(factory));
    else if (action->kind == ACTION_SWAPPED)
        log_info("service.swapped service=%s generation=%" G_GINT64_FORMAT, service, action->value);
    else if (action->kind == ACTION_CANARY_PASSED)
        log_notice("service.canary_passed service=%s generation=%" G_GINT64_FORMAT " calls=%u",
                   service, action->value, factory_evidence(factory).finished);
    else if (action->kind == ACTION_GENERATION_ENDED)
        log_info("service.generation_ended service=%s generation=%" G_GINT64_FORMAT, service,
                 action->value);
    else if (action->kind == ACTION_DRAINED)
        log_notice("service.drained service=%s cut_off=%" G_GINT64_FORMAT, service, action->value);
}

void factory_log(const gchar *service, const Factory *factory, const FactoryAction *action)
{
    if (action->kind == ACTION_WARN || action->kind == ACTION_STUCK || action->kind == ACTION_RETRY)
        log_job(service, action);
    else
        log_service(service, factory, action);
}
