/* plan.c - see plan.h.
 *
 * The words of a CHOICE in options.def stand in the order of the factory's enums: the asserts
 * below break when one of them grows alone.                                                  */
#include "daemon/dispatch/plan.h"

#define PERMILLE_PER_PERCENT 10
#define HARD_LIMIT_FACTOR    2 /* for calls that may not be discarded */
#define HARD_LIMIT_LEAST     64
#define WARNINGS_PER_LIMIT   8

G_STATIC_ASSERT(ROUTING_QUEUER == 0 && ROUTING_CONSISTENT_HASH == 5);
G_STATIC_ASSERT(QUEUE_FIFO == 0 && FACTORY_QUEUES == 3);
G_STATIC_ASSERT(DISCARD_NONE == 0 && FACTORY_DISCARDS == 5);
G_STATIC_ASSERT(CAPACITY_FIXED == 0 && FACTORY_CAPACITIES == 3);
G_STATIC_ASSERT(STUCK_OFF == 0 && FACTORY_STUCKS == 3);
G_STATIC_ASSERT(PRIORITY_HIGHEST == 0 && FACTORY_PRIORITIES == 5);

static FactoryRate rate_of(const Rate *rate)
{
    return (FactoryRate){ rate->count, rate->per_usec, rate->burst };
}

static void plan_queue(const ServiceConfig *service, FactorySettings *s)
{
    s->routing = (FactoryRouting)service->routing;
    s->lookahead = service->lookahead;
    s->queue = (FactoryQueueKind)service->queue;
    s->ageing_usec = service->queue_ageing_usec;
    s->discard = (FactoryDiscard)service->discard;
    s->queue_limit = service->queue_limit;
    s->queue_hard_limit =
        MAX(service->queue_limit * HARD_LIMIT_FACTOR, service->queue_limit + HARD_LIMIT_LEAST);
    s->queue_bytes = service->queue_bytes;
    s->queue_target_usec = service->queue_target_usec;
    s->rate = rate_of(&service->rate_limit);
    s->client_rate = rate_of(&service->client_rate_limit);
    s->shape = service->rate_mode == 1;
}

static void plan_workers(const ServiceConfig *service, FactorySettings *s)
{
    s->workers_min = service->workers.min;
    s->workers_max = service->workers.max;
    s->capacity = (FactoryCapacity)service->capacity;
    s->capacity_target_permille = service->capacity_target * PERMILLE_PER_PERCENT;
    s->capacity_hysteresis_permille = service->capacity_hysteresis * PERMILLE_PER_PERCENT;
    s->capacity_step = service->capacity_step;
    s->capacity_cooldown_usec = service->capacity_cooldown_usec;
    s->capacity_dry_run = service->capacity_dry_run;
    s->stuck = (FactoryStuck)service->stuck_action;
    s->stuck_after_usec = service->stuck_after_usec;
    s->stuck_warn_usec = service->stuck_warn_usec != 0
                             ? service->stuck_warn_usec
                             : service->stuck_after_usec / WARNINGS_PER_LIMIT;
    s->backoff_min_usec = service->restart_backoff_min_usec;
    s->backoff_max_usec = service->restart_backoff_max_usec;
    s->restarts_per_worker = (guint)MIN(service->restart_intensity.count, 1000000);
    s->restart_window_usec = service->restart_intensity.per_usec;
    s->retries = service->retries;
    s->retry_budget_permille = service->retry_budget * PERMILLE_PER_PERCENT;
}

void plan_settings(const ServiceConfig *service, const Methods *methods, FactorySettings *settings)
{
    factory_settings_init(settings);
    plan_queue(service, settings);
    plan_workers(service, settings);
    settings->n_methods = methods_count(methods);
    for (guint i = 0; i < settings->n_methods; i++) {
        const MethodConfig *method = methods_config_of(methods, i);
        settings->methods[i].identity = methods_identity(methods, i);
        if (method != NULL)
            settings->methods[i].rate = rate_of(&method->rate_limit);
    }
}
