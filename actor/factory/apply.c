/* apply.c - new settings, taken over at once and as a whole.
 *
 * What is admitted stays admitted, also over a lower limit.  Jobs that came while keys did not
 * matter have none.                                                                          */
#include "actor/factory/state.h"
#include <string.h>

static void resize_methods(Factory *f, guint from, guint to)
{
    f->methods = g_renew(Method, f->methods, to);
    if (to > from)
        memset(f->methods + from, 0, (to - from) * sizeof(Method));
    for (guint32 i = 0; i < f->n_jobs_allocated; i++)
        if (f->jobs[i].id != 0 && f->jobs[i].method >= to)
            f->jobs[i].method = 0;
}

/* What another method of that number has taken says nothing about this one. */
static void forget_others(Factory *f, const FactorySettings *was)
{
    for (guint i = 0; i < MIN(was->n_methods, f->settings.n_methods); i++)
        if (was->methods[i].identity != f->settings.methods[i].identity)
            memset(&f->methods[i], 0, sizeof(Method));
}

static void rearm_all(Factory *f)
{
    for (guint32 i = 0; i < f->n_jobs_allocated; i++)
        if (f->jobs[i].state == JOB_RUNNING || f->jobs[i].state == JOB_ANSWERED)
            job_arm_timer(f, &f->jobs[i]);
}

void apply_settings(Factory *f, const FactorySettings *settings)
{
    const FactorySettings was = f->settings;
    f->settings = *settings;
    f->settings_version++;
    f->queue_limit = settings->queue_limit;
    if (settings->n_methods != was.n_methods)
        resize_methods(f, was.n_methods, settings->n_methods);
    forget_others(f, &was);
    if (was.routing != settings->routing || was.queue != settings->queue ||
        was.route != settings->route) {
        for (guint i = 0; i < G_N_ELEMENTS(f->pools); i++)
            router_pool_changed(f, &f->pools[i]);
        requeue_all(f);
        for (guint i = 0; i < G_N_ELEMENTS(f->pools); i++)
            if (!factory_routing_is_shared(settings->routing))
                recall_unclaimed(f, &f->pools[i]); /* from now on it must be known who is idle */
    }
    rearm_all(f);
    emit_value(f, ACTION_APPLIED, (gint64)f->settings_version);
    pool_resize(f, CLAMP(f->target, settings->workers_min, settings->workers_max));
}
