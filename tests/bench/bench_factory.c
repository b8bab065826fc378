/* bench_factory.c - what a step of the factory costs: submit, dispatch, finish; and refuse.
 *
 *   bench_factory                                        all cases
 *   bench_factory ROUTING|refused WORKERS QUEUED JOBS    one case, for callgrind
 *
 * A whole round is one job: it is submitted while every worker is busy and `queued` others
 * wait, then the oldest one that is out finishes, which hands the next one over.  So the
 * queue's length and the pool's use are the same all the time.  With `refused` the queue is
 * full, and every job is turned away.  A driver's work (processes, rings, sockets) is not in
 * it.                                                                                        */
#include "actor/factory/factory.h"
#include "actor/factory/recorder.h"
#include "actor/factory/stats.h"
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define JOBS       100000u
#define TRIES      5u
#define SPARE_ROOM 16u

/* Every allocation of this program passes here. */
static guint64 n_allocations;
extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t n, size_t bytes);
extern void *__libc_realloc(void *old, size_t bytes);
void *malloc(size_t bytes)
{
    n_allocations++;
    return __libc_malloc(bytes);
}
void *calloc(size_t n, size_t bytes)
{
    n_allocations++;
    return __libc_calloc(n, bytes);
}
void *realloc(void *old, size_t bytes)
{
    n_allocations++;
    return __libc_realloc(old, bytes);
}

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
    gboolean refuses; /* nothing that comes is taken */
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

/* With `queued` jobs waiting, and room for so many more. */
static void bench_start(Bench *bench, FactoryRouting routing, guint32 workers, guint queued,
                        guint room)
{
    FactorySettings settings;
    factory_settings_init(&settings);
    settings.routing = routing;
    settings.queue_limit = settings.queue_hard_limit = queued + room;
    settings.queue_bytes = G_MAXINT64;
    settings.workers_min = settings.workers_max = workers;
    memset(bench, 0, sizeof *bench);
    bench->now_usec = 1000000;
    bench->n_keys = workers + queued + room + 8;
    bench->mask = 1;
    while (bench->mask < workers + queued + SPARE_ROOM)
        bench->mask = bench->mask * 2 + 1;
    bench->out = g_new0(Out, bench->mask + 1);
    bench->incarnations = g_new0(guint32, 2 * workers);
    bench->free_workers = g_new0(guint32, 2 * workers);
    bench->factory = factory_new(&settings, workers, 1, 1, bench->now_usec);
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
        if (!bench->refuses)
            finish(bench);
    }
}

/* FALSE: there is no such case. */
static gboolean start_case(Bench *bench, const gchar *name, guint32 workers, guint queued)
{
    const gboolean refuses = g_str_equal(name, "refused");
    for (guint i = 0; i < G_N_ELEMENTS(routings); i++) {
        if (!g_str_equal(refuses ? "key-persistent" : name, routings[i].name))
            continue;
        bench_start(bench, routings[i].routing, workers, queued, refuses ? 0 : SPARE_ROOM);
        bench->refuses = refuses;
        return TRUE;
    }
    return FALSE;
}

static void print_case(const gchar *name, guint32 workers, guint queued)
{
    Bench bench;
    gdouble best = G_MAXDOUBLE;
    if (!start_case(&bench, name, workers, queued))
        return;
    rounds(&bench, JOBS / 10);
    const guint64 allocations = n_allocations;
    for (guint k = 0; k < TRIES; k++) {
        const gint64 from = now_nsec();
        rounds(&bench, JOBS);
        best = MIN(best, (gdouble)(now_nsec() - from) / JOBS);
    }
    printf("%-16s %8u %9u %10.0f %12.0f %12.3f\n", name, workers, queued, best,
           (bench.refuses ? 1e9 : 2e9) / best,
           (gdouble)(n_allocations - allocations) / (TRIES * JOBS));
    bench_end(&bench);
}

static void print_times(void)
{
    static const guint32 pools[] = { 1, 8, 64, 1024, 10000 };
    static const guint queues[] = { 0, 1000, 100000 };
    printf("%-16s %8s %9s %10s %12s %12s\n", "routing", "workers", "queued", "ns/job", "steps/s",
           "allocs/job");
    for (guint r = 0; r <= G_N_ELEMENTS(routings); r++)
        for (guint i = 0; i < G_N_ELEMENTS(pools); i++)
            for (guint k = 0; k < G_N_ELEMENTS(queues); k++)
                print_case(r < G_N_ELEMENTS(routings) ? routings[r].name : "refused", pools[i],
                           queues[k]);
}

static gsize heap_bytes(void)
{
    const struct mallinfo2 heap = mallinfo2();
    return heap.uordblks + heap.hblkhd;
}

/* Tables double: at a power of two they are full. */
static void print_bytes(void)
{
    printf("\n%9s %16s\n", "queued", "bytes/queued job");
    for (guint queued = 1024; queued <= 1048576; queued *= 32) {
        Bench bench;
        bench_start(&bench, ROUTING_KEY_PERSISTENT, 1, 0, queued + SPARE_ROOM);
        factory_set_recording(bench.factory, FALSE);
        const gsize before = heap_bytes();
        for (guint i = 0; i < queued - 1; i++)
            submit(&bench);
        printf("%9u %16.0f\n", queued, (gdouble)(heap_bytes() - before) / queued);
        bench_end(&bench);
    }
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        print_times();
        print_bytes();
        return EXIT_SUCCESS;
    }
    Bench bench; /* for callgrind: one case, so many jobs */
    if (argc != 5 || !start_case(&bench, argv[1], (guint32)strtoul(argv[2], NULL, 10),
                                 (guint)strtoul(argv[3], NULL, 10))) {
        fprintf(stderr, "usage: bench_factory [ROUTING|refused WORKERS QUEUED JOBS]\n");
        return 2;
    }
    rounds(&bench, (guint)strtoul(argv[4], NULL, 10));
    bench_end(&bench);
    return EXIT_SUCCESS;
}
