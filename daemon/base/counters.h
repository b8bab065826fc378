/* counters.h - the daemon's numbers, made from counters.def.
 *
 * Thread: the loop's.  A set of one scope is a plain array; nothing locks.                  */
#pragma once
#include <glib.h>

typedef enum {
#define DAEMON(id, metric, label, kind, help) CTR_##id,
#define SERVICE(id, metric, label, kind, help)
#include "daemon/base/counters.def"
    DAEMON_COUNTERS
} DaemonCounter;

typedef enum {
#define DAEMON(id, metric, label, kind, help)
#define SERVICE(id, metric, label, kind, help) CTR_##id,
#include "daemon/base/counters.def"
    SERVICE_COUNTERS
} ServiceCounter;

typedef struct {
    gint64 daemon[DAEMON_COUNTERS];
} DaemonStats;

typedef struct {
    gint64 service[SERVICE_COUNTERS];
} ServiceStats;

typedef enum { COUNTER_TOTAL, COUNTER_GAUGE } CounterKind;

typedef struct {
    const gchar *metric;
    const gchar *label; /* "" or name="value" */
    CounterKind kind;
    const gchar *help;
} CounterInfo;

extern const CounterInfo daemon_counter_info[DAEMON_COUNTERS];
extern const CounterInfo service_counter_info[SERVICE_COUNTERS];

/* Of all labels of a metric of services. */
gint64 service_stats_sum(const ServiceStats *stats, const gchar *metric);

/* FALSE: a call has been lost or counted twice, which is our bug. */
gboolean service_stats_ledger_balances(const ServiceStats *stats);
