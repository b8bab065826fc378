/* stats.c - what the factory counts, as others want to see it. */
#include "actor/factory/stats.h"
#include "actor/factory/state.h"

static const Method *method_of(const Factory *f, guint16 method)
{
    return &f->methods[method < f->settings.n_methods ? method : 0];
}

const Histogram *factory_queue_time(const Factory *f, guint16 method)
{
    return &method_of(f, method)->queue_time;
}

const Histogram *factory_service_time(const Factory *f, guint16 method)
{
    return &method_of(f, method)->service_time;
}

const Histogram *factory_priority_queue_time(const Factory *f, FactoryPriority priority)
{
    return &f->priority_queue_time[priority];
}

const Histogram *factory_priority_service_time(const Factory *f, FactoryPriority priority)
{
    return &f->priority_service_time[priority];
}

static guint64 sum_ended(const Factory *f, FactoryReasonKind kind)
{
    guint64 sum = 0;
    for (guint i = 0; i < REASONS; i++)
        if (factory_reason_kind((FactoryReason)i) == kind)
            sum += f->stats.ended[i];
    return sum;
}

FactoryRactorStats factory_ractor_stats(const Factory *f)
{
    const FactoryStats *s = &f->stats;
    return (FactoryRactorStats){
        .factory_ping_received = s->looks,
        .worker_ping_received = s->signs_of_life,
        .new_job = s->received,
        .job_completed = sum_ended(f, REASON_DONE),
        .job_discarded = sum_ended(f, REASON_DISCARDED) + sum_ended(f, REASON_REFUSED) -
                         s->ended[REASON_REFUSED_RATE],
        .job_rate_limited = s->ended[REASON_REFUSED_RATE],
        .job_ttl_expired = s->ended[REASON_TTL_EXPIRED] + s->ended[REASON_DEADLINE] +
                           s->ended[REASON_REFUSED_EXPIRED],
        .queue_depth = s->queued,
        .processing_messages_count = s->running - f->n_handed,
        .in_flight_messages_count = s->queued + s->running,
        .worker_count = f->target,
        .queue_limit = f->settings.discard == DISCARD_NONE ? 0 : f->queue_limit,
    };
}
