#include "actor/factory/settings.h"
#include <string.h>

G_DEFINE_QUARK(sluice_factory_settings_error, factory_settings_error)

#define DAY_USEC ((gint64)24 * 3600 * G_USEC_PER_SEC)

void factory_settings_init(FactorySettings *settings)
{
    static const guint weights[FACTORY_PRIORITIES] = { 16, 8, 4, 2, 1 };
    memset(settings, 0, sizeof *settings);
    settings->routing = ROUTING_KEY_PERSISTENT;
    settings->queue = QUEUE_PRIORITY;
    memcpy(settings->weights, weights, sizeof weights);
    settings->ageing_usec = G_USEC_PER_SEC;
    settings->discard = DISCARD_NEWEST;
    settings->queue_limit = 1024;
    settings->queue_hard_limit = 2048;
    settings->queue_bytes = (guint64)64 << 20;
    settings->queue_target_usec = 100000;
    settings->workers_min = settings->workers_max = 1;
    settings->capacity_target_permille = 850;
    settings->capacity_hysteresis_permille = 50;
    settings->capacity_step = 1;
    settings->capacity_cooldown_usec = G_USEC_PER_SEC;
    settings->stuck = STUCK_KILL;
    settings->stuck_after_usec = 60 * (gint64)G_USEC_PER_SEC;
    settings->stuck_warn_usec = settings->stuck_after_usec / 8;
    settings->backoff_min_usec = 100000;
    settings->backoff_max_usec = 10 * (gint64)G_USEC_PER_SEC;
    settings->backoff_jitter_permille = 200;
    settings->restarts_per_worker = 10;
    settings->restart_window_usec = 60 * (gint64)G_USEC_PER_SEC;
    settings->retry_budget_permille = 100;
    settings->n_methods = 1;
}

gboolean factory_discard_is_dynamic(FactoryDiscard discard)
{
    return discard == DISCARD_DYNAMIC_NEWEST || discard == DISCARD_DYNAMIC_OLDEST;
}

gboolean factory_routing_is_shared(FactoryRouting routing)
{
    return routing == ROUTING_QUEUER || routing == ROUTING_KEY_PERSISTENT;
}

/* One number that must lie in a range. */
typedef struct {
    const gchar *name;
    guint64 value, min, max;
} Range;

static gboolean ranges_hold(const Range *ranges, gsize n_ranges, GError **error)
{
    for (gsize i = 0; i < n_ranges; i++) {
        const Range *range = &ranges[i];
        if (range->value >= range->min && range->value <= range->max)
            continue;
        g_set_error(error, FACTORY_SETTINGS_ERROR, FACTORY_SETTINGS_ERROR_INVALID,
                    "%s is %" G_GUINT64_FORMAT "; allowed: %" G_GUINT64_FORMAT
                    " to %" G_GUINT64_FORMAT,
                    range->name, range->value, range->min, range->max);
        return FALSE;
    }
    return TRUE;
}

static gboolean rate_holds(const gchar *name, const FactoryRate *rate, GError **error)
{
    const Range ranges[] = {
        { name, rate->count, 0, 1000000000 },
        { name, (guint64)rate->per_usec, 1000, DAY_USEC },
        { name, rate->burst, 1, 1000000000 },
    };
    return rate->count == 0 || ranges_hold(ranges, G_N_ELEMENTS(ranges), error);
}

static gboolean queue_holds(const FactorySettings *s, GError **error)
{
    const Range ranges[] = {
        { "routing", s->routing, 0, FACTORY_ROUTINGS - 1 },
        { "route: whether there is one", s->route != NULL || s->routing != ROUTING_CUSTOM, 1, 1 },
        { "lookahead", s->lookahead, 0, 65536 },
        { "queue", s->queue, 0, FACTORY_QUEUES - 1 },
        { "ageing_usec", (guint64)s->ageing_usec, 1, DAY_USEC },
        { "discard", s->discard, 0, FACTORY_DISCARDS - 1 },
        { "queue_limit", s->queue_limit, 0, FACTORY_MAX_QUEUE },
        { "queue_hard_limit", s->queue_hard_limit, s->queue_limit, FACTORY_MAX_QUEUE },
        { "queue_bytes", s->queue_bytes, 0, G_MAXINT64 },
        { "queue_target_usec", (guint64)s->queue_target_usec, 1, DAY_USEC },
    };
    for (guint i = 0; i < FACTORY_PRIORITIES; i++) {
        const Range weight = { "weight", s->weights[i], 1, 1000 };
        if (!ranges_hold(&weight, 1, error))
            return FALSE;
    }
    return ranges_hold(ranges, G_N_ELEMENTS(ranges), error);
}

static gboolean workers_hold(const FactorySettings *s, guint32 workers_most, GError **error)
{
    const Range ranges[] = {
        { "workers_max", s->workers_max, 0, workers_most },
        { "workers_min", s->workers_min, 0, s->workers_max },
        { "capacity", s->capacity, 0, FACTORY_CAPACITIES - 1 },
        { "capacity_target_permille", s->capacity_target_permille, 1, 1000 },
        { "capacity_hysteresis_permille", s->capacity_hysteresis_permille, 0, 1000 },
        { "capacity_step", s->capacity_step, 1, FACTORY_MAX_WORKERS },
        { "capacity_cooldown_usec", (guint64)s->capacity_cooldown_usec, 0, DAY_USEC },
        { "stuck", s->stuck, 0, FACTORY_STUCKS - 1 },
        { "stuck_after_usec", (guint64)s->stuck_after_usec, 1, DAY_USEC },
        { "stuck_warn_usec", (guint64)s->stuck_warn_usec, 1, DAY_USEC },
        { "backoff_min_usec", (guint64)s->backoff_min_usec, 1, DAY_USEC },
        { "backoff_max_usec", (guint64)s->backoff_max_usec, (guint64)s->backoff_min_usec,
          DAY_USEC },
        { "backoff_jitter_permille", s->backoff_jitter_permille, 0, 1000 },
        { "restarts_per_worker", s->restarts_per_worker, 0, 1000000 },
        { "restart_window_usec", (guint64)s->restart_window_usec, 1, DAY_USEC },
        { "retries", s->retries, 0, 100 },
        { "retry_budget_permille", s->retry_budget_permille, 0, 1000 },
    };
    return ranges_hold(ranges, G_N_ELEMENTS(ranges), error);
}

gboolean factory_settings_check(const FactorySettings *s, guint32 workers_most, GError **error)
{
    const Range methods = { "n_methods", s->n_methods, 1, FACTORY_MAX_METHODS };
    if (!queue_holds(s, error) || !workers_hold(s, workers_most, error) ||
        !rate_holds("rate", &s->rate, error) ||
        !rate_holds("client_rate", &s->client_rate, error) || !ranges_hold(&methods, 1, error))
        return FALSE;
    for (guint i = 0; i < s->n_methods; i++)
        if (!rate_holds("a method's rate", &s->methods[i].rate, error))
            return FALSE;
    return TRUE;
}
