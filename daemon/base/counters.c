#include "daemon/base/counters.h"

const CounterInfo daemon_counter_info[DAEMON_COUNTERS] = {
#define DAEMON(id, metric_, label_, kind_, help_) \
    [CTR_##id] = { metric_, label_, COUNTER_##kind_, help_ },
#define SERVICE(id, metric, label, kind, help)
#include "daemon/base/counters.def"
};

const CounterInfo service_counter_info[SERVICE_COUNTERS] = {
#define DAEMON(id, metric, label, kind, help)
#define SERVICE(id, metric_, label_, kind_, help_) \
    [CTR_##id] = { metric_, label_, COUNTER_##kind_, help_ },
#include "daemon/base/counters.def"
};

gint64 service_stats_sum(const ServiceStats *stats, const gchar *metric)
{
    gint64 sum = 0;
    for (guint i = 0; i < SERVICE_COUNTERS; i++)
        if (g_str_equal(service_counter_info[i].metric, metric))
            sum += stats->service[i];
    return sum;
}

gboolean service_stats_ledger_balances(const ServiceStats *stats)
{
    gint64 outcomes = 0;
    for (ServiceCounter id = CTR_REFUSED_UNKNOWN_SERVICE; id <= CTR_RUNNING; id++)
        outcomes += stats->service[id];
    return stats->service[CTR_RECEIVED] == outcomes;
}
