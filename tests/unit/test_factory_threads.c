/* test_factory_threads.c - the factory behind a lock, with real threads for producers, workers
 * and an operator.  The factory itself knows of no thread; this shows that nothing of it is
 * shared behind its back, and that every job has one outcome whoever comes first.            */
#include "actor/factory/factory.h"
#include "actor/factory/stats.h"
#include "tests/unit/runner.h"
#include <pthread.h>
#include <time.h>

enum { WORKERS = 4, PRODUCERS = 4, JOBS_EACH = 3000, JOBS = PRODUCERS * JOBS_EACH };

typedef struct {
    guint64 id;
    guint ends;
    gboolean taken_back;
} Job;

typedef struct {
    pthread_mutex_t lock; /* not GLib's: TSan knows these */
    pthread_cond_t work;
    Factory *factory;
    FactoryActions actions;
    gboolean acting, over;
    Job jobs[JOBS];
    guint out[JOBS * 4]; /* handed over and not claimed: a queue */
    guint out_head, out_tail;
    guint32 incarnations[2 * WORKERS];
    gboolean alive[2 * WORKERS];
} Shop;

static Shop shop; /* each test has its own process */

/* Until there may be work, or the factory's own time has come; with the lock. */
static void wait_a_little(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&shop.work, &shop.lock, &until);
}

static void act(const FactoryAction *action);

/* With the lock. */
static void step(const FactoryEvent *event)
{
    factory_step(shop.factory, event, g_get_monotonic_time(), &shop.actions);
    if (shop.acting)
        return;
    shop.acting = TRUE;
    for (guint i = 0; i < shop.actions.n; i++) {
        const FactoryAction action = shop.actions.items[i];
        act(&action);
    }
    shop.actions.n = 0;
    shop.acting = FALSE;
}

static void act(const FactoryAction *action)
{
    Job *job = action->user;
    if (action->kind == ACTION_ADMITTED) {
        job->id = action->job;
    } else if (action->kind == ACTION_START) {
        job->taken_back = FALSE;
        shop.out[shop.out_tail++ % G_N_ELEMENTS(shop.out)] = (guint)(job - shop.jobs);
        pthread_cond_signal(&shop.work);
    } else if (action->kind == ACTION_END) {
        job->ends++;
    } else if (action->kind == ACTION_RECALL) {
        job->taken_back = TRUE; /* whoever finds it in the queue passes over it */
        step(&(FactoryEvent){ .kind = EVENT_RETURNED, .job = job->id });
    } else if (action->kind == ACTION_SPAWN) {
        shop.incarnations[action->worker] = action->incarnation;
        shop.alive[action->worker] = TRUE;
        step(&(FactoryEvent){ .kind = EVENT_WORKER_READY,
                              .worker = action->worker,
                              .incarnation = action->incarnation });
    } else if (action->kind == ACTION_STOP) {
        shop.alive[action->worker] = FALSE;
        step(&(FactoryEvent){ .kind = EVENT_WORKER_ENDED,
                              .worker = action->worker,
                              .incarnation = shop.incarnations[action->worker],
                              .end = END_PLANNED });
    }
}

static gpointer produce(gpointer data)
{
    for (guint i = 0; i < JOBS_EACH; i++) {
        Job *job = &shop.jobs[GPOINTER_TO_UINT(data) * JOBS_EACH + i];
        FactoryEvent event = { .kind = EVENT_SUBMIT };
        event.submit.user = job;
        event.submit.received_usec = g_get_monotonic_time();
        event.submit.deadline_usec = G_MAXINT64 / 2;
        event.submit.idempotent = i % 2 == 0;
        event.submit.bytes = 1;
        pthread_mutex_lock(&shop.lock);
        step(&event);
        if (i % 11 == 0)
            step(&(FactoryEvent){
                .kind = EVENT_CANCEL, .job = job->id, .reason = REASON_CANCELLED });
        pthread_mutex_unlock(&shop.lock);
    }
    return NULL;
}

/* With the lock; NULL: nothing is there. */
static Job *claim(guint32 worker)
{
    while (shop.out_head != shop.out_tail) {
        Job *job = &shop.jobs[shop.out[shop.out_head++ % G_N_ELEMENTS(shop.out)]];
        if (job->taken_back)
            continue;
        step(&(FactoryEvent){ .kind = EVENT_STARTED,
                              .job = job->id,
                              .worker = worker,
                              .incarnation = shop.incarnations[worker] });
        return job;
    }
    return NULL;
}

/* Every so often it dies instead of finishing, and comes back as the factory wants. */
static void end_job(Job *job, guint32 worker, guint32 incarnation, guint n)
{
    FactoryEvent event = { .kind = EVENT_FINISHED,
                           .job = job->id,
                           .worker = worker,
                           .incarnation = incarnation,
                           .reason = REASON_COMPLETED };
    if (n % 50 == 49) {
        event.kind = EVENT_WORKER_ENDED;
        event.end = END_CRASHED;
        shop.alive[worker] = FALSE;
    }
    step(&event);
}

static gpointer work(gpointer data)
{
    const guint32 worker = GPOINTER_TO_UINT(data);
    pthread_mutex_lock(&shop.lock);
    for (guint n = 0; !shop.over;) {
        Job *job = shop.alive[worker] ? claim(worker) : NULL;
        if (job == NULL) {
            step(&(FactoryEvent){ .kind = EVENT_TICK });
            wait_a_little();
            continue;
        }
        const guint32 incarnation = shop.incarnations[worker];
        pthread_mutex_unlock(&shop.lock);
        sched_yield(); /* the job */
        pthread_mutex_lock(&shop.lock);
        end_job(job, worker, incarnation, n++);
    }
    pthread_mutex_unlock(&shop.lock);
    return NULL;
}

/* Changes settings while all goes on. */
static gpointer operate(gpointer data)
{
    FactorySettings *settings = data;
    for (guint i = 0; i < 200; i++) {
        pthread_mutex_lock(&shop.lock);
        settings->queue = (FactoryQueueKind)(i % FACTORY_QUEUES);
        settings->lookahead = i % 4;
        settings->routing = i % 2 == 0 ? ROUTING_QUEUER : ROUTING_KEY_PERSISTENT;
        step(&(FactoryEvent){ .kind = EVENT_SETTINGS, .settings = settings });
        pthread_mutex_unlock(&shop.lock);
        sched_yield();
    }
    return NULL;
}

static void join_all(const pthread_t *threads, guint n)
{
    for (guint i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

START_TEST(every_job_has_one_outcome_whoever_comes_first)
{
    static FactorySettings settings;
    pthread_t producers[PRODUCERS], workers[WORKERS];
    g_autoptr(GString) broken = g_string_new(NULL);
    pthread_mutex_init(&shop.lock, NULL);
    pthread_cond_init(&shop.work, NULL);
    factory_settings_init(&settings);
    settings.workers_min = settings.workers_max = WORKERS;
    settings.queue_limit = settings.queue_hard_limit = JOBS;
    settings.restarts_per_worker = 0;
    settings.backoff_min_usec = settings.backoff_max_usec = 1000;
    settings.retries = 3;
    shop.factory = factory_new(&settings, WORKERS, 1, 1, g_get_monotonic_time());
    pthread_mutex_lock(&shop.lock);
    step(&(FactoryEvent){ .kind = EVENT_TICK });
    pthread_mutex_unlock(&shop.lock);
    for (guint i = 0; i < WORKERS; i++)
        ck_assert_int_eq(pthread_create(&workers[i], NULL, work, GUINT_TO_POINTER(i)), 0);
    for (guint i = 0; i < PRODUCERS; i++)
        ck_assert_int_eq(pthread_create(&producers[i], NULL, produce, GUINT_TO_POINTER(i)), 0);
    operate(&settings);
    join_all(producers, PRODUCERS);
    pthread_mutex_lock(&shop.lock);
    while (!factory_is_idle(shop.factory))
        wait_a_little();
    shop.over = TRUE;
    pthread_mutex_unlock(&shop.lock);
    join_all(workers, WORKERS);
    for (guint i = 0; i < JOBS; i++)
        ck_assert_uint_eq(shop.jobs[i].ends, 1);
    ck_assert_msg(factory_check(shop.factory, broken), "%s", broken->str);
    ck_assert_uint_eq(factory_stats(shop.factory)->received, JOBS);
    factory_free(shop.factory);
    factory_actions_clear(&shop.actions);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("factory threads");
    TCase *tcase = tcase_create("threads");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, every_job_has_one_outcome_whoever_comes_first);
    suite_add_tcase(suite, tcase);
    return suite;
}
