/* service_poison.c - the calls of a service that kill its workers (poison.h). */
#include "daemon/base/log.h"
#include "daemon/dispatch/service_state.h"

/* While it still has its arguments. */
static void know_again(const Service *service, Request *request)
{
    if (service->config->poison_after > 0 && poison_print_is_none(request->print) &&
        request->buffer != NULL)
        request->print =
            poison_print(request->method, request->protocol, request->args, request->args_bytes);
}

/* Those that are alike and wait do not start, nor is one that runs tried again. */
static void bar_all_alike(Service *service, PoisonPrint print)
{
    const FactoryStats *stats = factory_stats(service_factory(service));
    const guint most = (guint)(stats->queued + stats->running);
    g_autofree FactoryJobView *jobs = g_new(FactoryJobView, most);
    const guint n = factory_list_jobs(service_factory(service), jobs, most);
    for (guint i = 0; i < n; i++) {
        Request *request = jobs[i].user;
        know_again(service, request);
        if (request->print.high == print.high && request->print.low == print.low)
            driver_bar(service->driver, request);
    }
}

void service_on_lost(Request *request, gboolean by_its_fault, gpointer user)
{
    Service *service = service_of(user);
    const ServiceConfig *config = service->config;
    const PoisonRules rules = { config->poison_after, config->poison_window_usec,
                                config->poison_time_usec };
    know_again(service, request);
    if (!by_its_fault && request->is_trial)
        poison_ended(service->poison, request->print, FALSE);
    if (!by_its_fault || poison_print_is_none(request->print))
        return;
    request->is_trial = FALSE; /* its end is told by this */
    if (!poison_killed(service->poison, &rules, request->print, request->method, loop_now_usec()))
        return;
    g_autofree gchar *method = log_quotable(request->method);
    log_error("call.poison service=%s method=\"%s\" reason=\"workers died of it\"",
              service_name(service), method);
    bar_all_alike(service, request->print);
}

gboolean service_passes(Service *service, Request *request)
{
    gint64 wait_usec;
    guint deaths;
    if (poison_is_empty(service->poison))
        return TRUE;
    know_again(service, request);
    const PoisonVerdict verdict =
        poison_check(service->poison, request->print, loop_now_usec(), &wait_usec, &deaths);
    request->is_trial = verdict == POISON_TRIAL;
    if (verdict != POISON_REFUSE)
        return TRUE;
    g_autofree gchar *text = g_strdup_printf(
        "calls with these arguments have killed %u workers; retry_after_ms=%" G_GINT64_FORMAT,
        deaths, (wait_usec + 999) / 1000);
    driver_refused(service->driver, REASON_POISONED);
    request_fail(request, REASON_POISONED, text, -1);
    return FALSE;
}

/* Answered while its worker is busy with it, it has its arguments no longer when that dies. */
void service_note_end(const Service *service, Request *request, FactoryReason reason)
{
    const FactoryStats *stats = factory_stats(service_factory(service));
    request->load = (gint64)(stats->queued + stats->running);
    const gboolean runs_on = reason == REASON_LATE || reason == REASON_WORKER_KILLED;
    if (runs_on)
        know_again(service, request);
    else if (request->is_trial)
        poison_ended(service->poison, request->print, factory_reason_kind(reason) == REASON_DONE);
}

Poison *service_poison(const Service *service) { return service->poison; }

void service_clear_poison(Service *service)
{
    const guint n = poison_clear(service->poison);
    log_notice("call.poison_cleared service=%s calls=%u", service_name(service), n);
}
