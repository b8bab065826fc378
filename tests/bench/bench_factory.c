/* bench_factory.c - what a step of the factory costs: submit, dispatch, finish; and refuse.
 *
 *   bench_factory [--jobs N] [--routing NAME --workers N]    one case, for callgrind
 *
 * A whole round is one job: it is submitted while every worker is busy and `queued` others
 * wait, then the oldest one that is out finishes, which hands the next one over.  So the
 * queue's length and the pool's use are the same all the time.  A driver's work (processes,
 * rings, sockets) is not in it.  `make bench` runs all cases.                                */
#include "actor/factory/factory.h"
#include "actor/factory/recorder.h"
#include "actor/factory/stats.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
    const gchar *name;
    FactoryRouting routing;
} routings[] = {
    { "queuer", ROUTING_QUEUER },
    { "key-persistent", ROUTING_KEY_PERSISTENT },
    { "sticky", ROUTING_STICKY },
    { "round-robin", ROUTING_ROUND_ROBIN },
    { "least-loaded", ROUTING_LEAST_LOADED },
    { "consistent-hash", ROUTING_CONSISTENT_HASH },
};

typedef struct {
    guint64 job;
    guint32 worker;
} Out;

typedef struct {
    Factory *factory;
    FactoryActions actions;
    Out *out; /* a ring of those that are out, oldest first */
    guint head, n, mask;
    guint32 *free_workers; /* workers that may claim: shared routings */
    guint32 n_free;
    guint32 *incarnations;
    gint64 now_usec;
    guint64 ended, steps;
    guint32 n_keys, next_key;
} Bench;

static void step(Bench *bench, const FactoryEvent *event)
{
    bench->steps++;
    factory_step(bench->factory, event, bench->now_usec, &bench->actions);
}

static void push_out(Bench *bench, guint64 job, guint32 worker)
{
    bench->out[(bench->head + bench->n++) & bench->mask] = (Out){ job, worker };
}

static void run_actions(Bench *bench)
{
    for (guint i = 0; i < bench->actions.n; i++) {
        const FactoryAction action = bench->actions.items[i];
        if (action.kind == ACTION_START) {
            push_out(bench, action.job, action.worker);
        } else if (action.kind == ACTION_END) {
            bench->ended++;
        } else if (action.kind == ACTION_SPAWN) {
            bench->incarnations[action.worker] = action.incarnation;
            bench->free_workers[bench->n_free++] = action.worker;
            step(bench, &(FactoryEvent){ .kind = EVENT_WORKER_READY,
                                         .worker = action.worker,
                                         .incarnation = action.incarnation });
        }
    }
    bench->actions.n = 0;
}

static void submit(Bench *bench)
{
    FactoryEvent event = { .kind = EVENT_SUBMIT };
    bench->next_key = bench->next_key + 1 == bench->n_keys ? 0 : bench->next_key + 1;
    event.submit.has_key = TRUE;
    event.submit.key_bytes = sizeof bench->next_key;
    memcpy(event.submit.key, &bench->next_key, sizeof bench->next_key);
    event.submit.key_hash = (bench->next_key + 1) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    event.submit.key_hash ^= event.submit.key_hash >> 32;
    event.submit.received_usec = bench->now_usec;
    event.submit.deadline_usec = bench->now_usec + 30 * (gint64)G_USEC_PER_SEC;
    event.submit.bytes = 200;
    event.submit.priority = PRIORITY_NORMAL;
    step(bench, &event);
    run_actions(bench);
}

static void finish(Bench *bench)
{
    const Out out = bench->out[bench->head & bench->mask];
    const guint32 worker = out.worker == FACTORY_NO_WORKER ? bench->free_workers[0] : out.worker;
    bench->head++;
    bench->n--;
    step(bench, &(FactoryEvent){ .kind = EVENT_FINISHED,
                                 .job = out.job,
                                 .worker = worker,
                                 .incarnation = bench->incarnations[worker],
                                 .reason = REASON_COMPLETED });
    run_actions(bench);
}

static void bench_start(Bench *bench, FactoryRouting routing, guint32 workers, guint queued)
{
    FactorySettings settings;
    factory_settings_init(&settings);
    settings.routing = routing;
    settings.queue_limit = queued + 16;
    settings.queue_hard_limit = queued + 16;
    settings.queue_bytes = G_MAXINT64;
    settings.workers_min = settings.workers_max = workers;
    memset(bench, 0, sizeof *bench);
    bench->now_usec = 1000000;
    bench->n_keys = workers + queued + 8;
    bench->mask = 1;
    while (bench->mask < workers + queued + 16)
        bench->mask = bench->mask * 2 + 1;
    bench->out = g_new0(Out, bench->mask + 1);
    bench->incarnations = g_new0(guint32, 2 * workers);
    bench->free_workers = g_new0(guint32, 2 * workers);
    bench->factory = factory_new(&settings, workers, 1, bench->now_usec);
    step(bench, &(FactoryEvent){ .kind = EVENT_TICK });
    run_actions(bench);
    for (guint i = 0; i < workers + queued; i++)
        submit(bench);
}

static void bench_end(Bench *bench)
{
    factory_free(bench->factory);
    factory_actions_clear(&bench->actions);
    g_free(bench->out);
    g_free(bench->incarnations);
    g_free(bench->free_workers);
}

static gint64 now_nsec(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void rounds(Bench *bench, guint jobs)
{
    for (guint i = 0; i < jobs; i++) {
        bench->now_usec += 3;
        submit(bench);
        finish(bench);
    }
}

static void report(const gchar *name, guint32 workers, guint queued, guint jobs)
{
    gdouble best = 0, all[5];
    Bench bench;
    const guint which = name == NULL ? 0 : 0;
    (void)which;
    for (guint i = 0; i < G_N_ELEMENTS(routings); i++) {
        if (name != NULL && !g_str_equal(name, routings[i].name))
            continue;
        bench_start(&bench, routings[i].routing, workers, queued);
        rounds(&bench, jobs / 10);
        for (guint k = 0; k < G_N_ELEMENTS(all); k++) {
            const gint64 from = now_nsec();
            rounds(&bench, jobs);
            all[k] = (gdouble)(now_nsec() - from) / jobs;
        }
        best = all[0];
        for (guint k = 1; k < G_N_ELEMENTS(all); k++)
            best = MIN(best, all[k]);
        printf("%-16s %8u %9u %10.0f %12.0f\n", routings[i].name, workers, queued, best,
               2e9 / best);
        bench_end(&bench);
    }
}

int main(int argc, char **argv)
{
    static const guint32 pools[] = { 1, 8, 64, 1024, 10000 };
    static const guint queues[] = { 0, 1000, 100000 };
    if (argc == 5) { /* routing workers queued jobs */
        Bench bench;
        for (guint i = 0; i < G_N_ELEMENTS(routings); i++)
            if (g_str_equal(argv[1], routings[i].name))
                bench_start(&bench, routings[i].routing, (guint32)strtoul(argv[2], NULL, 10),
                            (guint)strtoul(argv[3], NULL, 10));
        rounds(&bench, (guint)strtoul(argv[4], NULL, 10));
        bench_end(&bench);
        return 0;
    }
    printf("%-16s %8s %9s %10s %12s\n", "routing", "workers", "queued", "ns/job", "steps/s");
    for (guint i = 0; i < G_N_ELEMENTS(pools); i++)
        for (guint k = 0; k < G_N_ELEMENTS(queues); k++)
            report(NULL, pools[i], queues[k], 200000);
    return 0;
}
