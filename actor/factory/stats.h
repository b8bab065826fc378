/* stats.h - what a factory counts.
 *
 * The ledger, always: received == sum of ended[] + queued + running.
 * Thread: as the factory.   Owns: nothing; plain data.                                       */
#pragma once
#include "actor/factory/factory.h"
#include "actor/factory/histogram.h"

typedef struct {
    guint64 received;
    guint64 ended[REASONS];
    guint64 queued, queued_bytes; /* now: waiting */
    guint64 queued_cost_usec;     /* now: the work that waits, as estimated */
    guint64 running;              /* now: handed over or started, and not answered */
    guint64 answered_running;     /* now: answered, and their workers still busy with them */
#define STAT(name, help) guint64 name;
#include "actor/factory/stats.def"
} FactoryStats;

const FactoryStats *factory_stats(const Factory *factory);
const Histogram *factory_queue_time(const Factory *factory, guint16 method);
const Histogram *factory_service_time(const Factory *factory, guint16 method);
const Histogram *factory_priority_queue_time(const Factory *factory, FactoryPriority priority);
const Histogram *factory_priority_service_time(const Factory *factory, FactoryPriority priority);

/* The twelve of ractor's FactoryStatsLayer, by its names.  Where it pings its workers, this
 * one is told (STARTED, PROGRESS): those count as worker_ping_received, and the looks that it
 * asks for as factory_ping_received. */
typedef struct {
    guint64 factory_ping_received, worker_ping_received;
    guint64 new_job, job_completed, job_discarded, job_rate_limited, job_ttl_expired;
    guint64 queue_depth, processing_messages_count, in_flight_messages_count;
    guint64 worker_count, queue_limit;
} FactoryRactorStats;
FactoryRactorStats factory_ractor_stats(const Factory *factory);
