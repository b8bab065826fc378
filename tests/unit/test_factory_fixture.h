/* test_factory_fixture.h - a factory, workers that do as they are told, and what became of jobs.
 *
 * Jobs are numbered as they come.  With the routings in which any worker may claim, the fixture
 * gives a job to the lowest idle worker, as soon as it is handed over.                       */
#pragma once
#include "actor/factory/factory.h"
#include "actor/factory/recorder.h"
#include "actor/factory/stats.h"
#include <check.h>
#include <string.h>

#define FIX_JOBS    1200u
#define FIX_WORKERS 32u
#define FIX_NOBODY  G_MAXUINT32
#define MSEC        ((gint64)1000)
#define SECOND      ((gint64)1000000)

typedef struct {
    guint64 id;
    guint32 worker;     /* that has it, FIX_NOBODY: none */
    guint32 generation; /* that it was handed to */
    gboolean is_out, ended;
    FactoryReason reason;
    guint starts, retries;
    gint64 value; /* of its END */
} FixJob;

typedef struct {
    Factory *factory;
    FactorySettings settings;
    FactoryActions actions;
    gboolean acting;
    gint64 now_usec;
    FixJob jobs[FIX_JOBS];
    guint n_jobs;
    guint order[FIX_JOBS * 2]; /* numbers of the jobs as they were started */
    guint n_started;
    struct {
        guint32 incarnation, generation, job;
        gboolean asked, ready, stopping, killed;
    } workers[2 * FIX_WORKERS];
    guint said[FACTORY_ACTIONS]; /* how often each action was seen */
    gint64 last_value[FACTORY_ACTIONS];
    gboolean no_start; /* workers that are asked for stay silent */
} Fix;

static void fix_act(Fix *fix, const FactoryAction *action);

static inline void fix_step(Fix *fix, const FactoryEvent *event)
{
    factory_step(fix->factory, event, fix->now_usec, &fix->actions);
    if (fix->acting)
        return;
    fix->acting = TRUE;
    for (guint i = 0; i < fix->actions.n; i++) {
        const FactoryAction action = fix->actions.items[i];
        fix_act(fix, &action);
    }
    fix->actions.n = 0;
    fix->acting = FALSE;
    g_autoptr(GString) broken = g_string_new(NULL);
    ck_assert_msg(factory_check(fix->factory, broken), "%s", broken->str);
}

static inline void fix_tell(Fix *fix, FactoryEventKind kind)
{
    fix_step(fix, &(FactoryEvent){ .kind = kind });
}

/* The fixture has the workers of the first generation before those of the second. */
static inline guint32 fix_seat(guint32 worker)
{
    return worker < FIX_WORKERS ? 2 * worker : 2 * (worker - FIX_WORKERS) + 1;
}

static inline guint32 fix_worker(guint32 seat) { return seat / 2 + seat % 2 * FIX_WORKERS; }

static inline void fix_tell_worker(Fix *fix, FactoryEventKind kind, guint32 worker, guint64 job)
{
    fix_step(fix, &(FactoryEvent){ .kind = kind,
                                   .worker = fix_seat(worker),
                                   .incarnation = fix->workers[worker].incarnation,
                                   .job = job,
                                   .at_usec = fix->now_usec });
}

/* The job runs on that worker from now on. */
static inline void fix_give(Fix *fix, FixJob *job, guint32 worker)
{
    job->worker = worker;
    fix->workers[worker].job = (guint32)(job - fix->jobs);
    fix_tell_worker(fix, EVENT_STARTED, worker, job->id);
}

static inline guint32 fix_idle_worker(const Fix *fix, guint32 generation)
{
    for (guint32 w = 0; w < 2 * FIX_WORKERS; w++)
        if (fix->workers[w].ready && !fix->workers[w].stopping && !fix->workers[w].killed &&
            fix->workers[w].job == FIX_NOBODY && fix->workers[w].generation == generation)
            return w;
    return FIX_NOBODY;
}

static inline void fix_act(Fix *fix, const FactoryAction *action)
{
    FixJob *job = action->user;
    fix->said[action->kind]++;
    fix->last_value[action->kind] = action->value;
    if (action->kind == ACTION_ADMITTED) {
        job->id = action->job;
    } else if (action->kind == ACTION_START) {
        fix->order[fix->n_started++] = (guint)(job - fix->jobs);
        job->is_out = TRUE;
        job->generation = (guint32)action->value;
        job->starts++;
        const guint32 worker = action->worker == FACTORY_NO_WORKER
                                   ? fix_idle_worker(fix, job->generation)
                                   : fix_worker(action->worker);
        if (worker != FIX_NOBODY)
            fix_give(fix, job, worker);
    } else if (action->kind == ACTION_END) {
        ck_assert(!job->ended);
        job->ended = TRUE;
        job->reason = action->reason;
        job->value = action->value;
    } else if (action->kind == ACTION_RECALL && job->is_out && job->worker == FIX_NOBODY) {
        job->is_out = FALSE;
        fix_step(fix, &(FactoryEvent){ .kind = EVENT_RETURNED, .job = job->id });
    } else if (action->kind == ACTION_RETRY) {
        job->retries++;
    } else if (action->kind == ACTION_SPAWN) {
        fix->workers[fix_worker(action->worker)].incarnation = action->incarnation;
        fix->workers[fix_worker(action->worker)].generation = (guint32)action->value;
        fix->workers[fix_worker(action->worker)].asked = TRUE;
        fix->workers[fix_worker(action->worker)].ready = !fix->no_start;
        fix->workers[fix_worker(action->worker)].stopping =
            fix->workers[fix_worker(action->worker)].killed = FALSE;
        fix->workers[fix_worker(action->worker)].job = FIX_NOBODY;
        if (!fix->no_start)
            fix_tell_worker(fix, EVENT_WORKER_READY, fix_worker(action->worker), 0);
    } else if (action->kind == ACTION_STOP) {
        fix->workers[fix_worker(action->worker)].stopping = TRUE;
    } else if (action->kind == ACTION_KILL) {
        fix->workers[fix_worker(action->worker)].killed = TRUE;
    }
}

/* --- what tests do ----------------------------------------------------------------------- */

static inline FactoryEvent fix_submit_event(Fix *fix)
{
    ck_assert_uint_lt(fix->n_jobs, FIX_JOBS);
    FixJob *job = &fix->jobs[fix->n_jobs++];
    *job = (FixJob){ .worker = FIX_NOBODY };
    FactoryEvent event = { .kind = EVENT_SUBMIT };
    event.submit.user = job;
    event.submit.received_usec = fix->now_usec;
    event.submit.deadline_usec = fix->now_usec + 3600 * SECOND;
    event.submit.bytes = 1;
    event.submit.priority = PRIORITY_NORMAL;
    return event;
}

static inline void fix_set_key(FactoryEvent *event, guint8 key)
{
    event->submit.has_key = TRUE;
    event->submit.key[0] = key;
    event->submit.key_bytes = 1;
    event->submit.key_hash = (guint64)key * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15) >> 7;
}

static inline guint fix_submit(Fix *fix)
{
    const FactoryEvent event = fix_submit_event(fix);
    fix_step(fix, &event);
    return fix->n_jobs - 1;
}

static inline guint fix_submit_key(Fix *fix, guint8 key)
{
    FactoryEvent event = fix_submit_event(fix);
    fix_set_key(&event, key);
    fix_step(fix, &event);
    return fix->n_jobs - 1;
}

static inline guint fix_submit_priority(Fix *fix, guint8 priority)
{
    FactoryEvent event = fix_submit_event(fix);
    event.submit.priority = priority;
    fix_step(fix, &event);
    return fix->n_jobs - 1;
}

/* Jobs that are out without a worker go to one that is idle. */
static inline void fix_claim(Fix *fix)
{
    for (guint i = 0; i < fix->n_jobs; i++) {
        const guint32 worker = fix_idle_worker(fix, fix->jobs[i].generation);
        if (worker != FIX_NOBODY && fix->jobs[i].is_out && fix->jobs[i].worker == FIX_NOBODY &&
            !fix->jobs[i].ended)
            fix_give(fix, &fix->jobs[i], worker);
    }
}

static inline void fix_end_job(Fix *fix, guint number, FactoryReason reason)
{
    FixJob *job = &fix->jobs[number];
    const guint32 worker = job->worker;
    ck_assert_uint_ne(worker, FIX_NOBODY);
    fix->workers[worker].job = FIX_NOBODY;
    job->is_out = FALSE;
    job->worker = FIX_NOBODY;
    fix_step(fix, &(FactoryEvent){ .kind = EVENT_FINISHED,
                                   .worker = fix_seat(worker),
                                   .incarnation = fix->workers[worker].incarnation,
                                   .job = job->id,
                                   .reason = reason });
    fix_claim(fix);
}

static inline void fix_finish(Fix *fix, guint number)
{
    fix_end_job(fix, number, REASON_COMPLETED);
}

static inline void fix_worker_ends(Fix *fix, guint32 worker, FactoryEnd end)
{
    const FactoryEvent event = { .kind = EVENT_WORKER_ENDED,
                                 .worker = fix_seat(worker),
                                 .incarnation = fix->workers[worker].incarnation,
                                 .end = end };
    fix_tell_worker(fix, EVENT_WORKER_DYING, worker, 0);
    fix->workers[worker].ready = fix->workers[worker].asked = FALSE;
    if (fix->workers[worker].job != FIX_NOBODY) {
        fix->jobs[fix->workers[worker].job].worker = FIX_NOBODY;
        fix->jobs[fix->workers[worker].job].is_out = FALSE;
        fix->workers[worker].job = FIX_NOBODY;
    }
    fix_step(fix, &event);
    fix_claim(fix);
}

static inline void fix_time(Fix *fix, gint64 usec)
{
    fix->now_usec += usec;
    fix_tell(fix, EVENT_TICK);
    fix_claim(fix);
}

static inline void fix_reload(Fix *fix, guint32 generation, guint32 workers)
{
    fix_step(fix, &(FactoryEvent){
                      .kind = EVENT_RELOAD,
                      .reload = { generation, workers, FIX_WORKERS, fix->settings.lookahead } });
    fix_claim(fix);
}

static inline void fix_swap(Fix *fix, gint64 patience_usec)
{
    fix_step(fix, &(FactoryEvent){ .kind = EVENT_SWAP, .at_usec = fix->now_usec + patience_usec });
    fix_claim(fix);
}

static inline void fix_resize(Fix *fix, guint32 workers)
{
    fix_step(fix, &(FactoryEvent){ .kind = EVENT_RESIZE, .number = workers });
    fix_claim(fix);
}

static inline void fix_drain(Fix *fix, FactoryDrainMode mode, gint64 usec)
{
    fix_step(fix,
             &(FactoryEvent){ .kind = EVENT_DRAIN, .mode = mode, .at_usec = fix->now_usec + usec });
}

static inline void fix_apply(Fix *fix)
{
    fix_step(fix, &(FactoryEvent){ .kind = EVENT_SETTINGS, .settings = &fix->settings });
}

/* So many workers, no look-ahead, the rest as factory_settings_init() has it. */
static inline void fix_settings(Fix *fix, FactoryRouting routing, guint32 workers)
{
    memset(fix, 0, sizeof *fix);
    fix->now_usec = SECOND;
    factory_settings_init(&fix->settings);
    fix->settings.routing = routing;
    fix->settings.workers_min = workers;
    fix->settings.workers_max = FIX_WORKERS;
    fix->settings.queue_limit = fix->settings.queue_hard_limit = FIX_JOBS;
    for (guint32 w = 0; w < 2 * FIX_WORKERS; w++)
        fix->workers[w].job = FIX_NOBODY;
}

static inline void fix_begin(Fix *fix)
{
    g_autoptr(GError) error = NULL;
    ck_assert_msg(factory_settings_check(&fix->settings, FIX_WORKERS, &error), "%s",
                  error != NULL ? error->message : "");
    fix->factory = factory_new(&fix->settings, FIX_WORKERS, 1, 1, fix->now_usec);
    fix_tell(fix, EVENT_TICK);
}

static inline void fix_open(Fix *fix, FactoryRouting routing, guint32 workers)
{
    fix_settings(fix, routing, workers);
    fix_begin(fix);
}

static inline void fix_close(Fix *fix)
{
    factory_free(fix->factory);
    factory_actions_clear(&fix->actions);
}

static inline guint fix_count(const Fix *fix, FactoryReason reason)
{
    guint n = 0;
    for (guint i = 0; i < fix->n_jobs; i++)
        n += fix->jobs[i].ended && fix->jobs[i].reason == reason;
    return n;
}

static inline const FactoryStats *fix_stats(const Fix *fix) { return factory_stats(fix->factory); }

#define assert_came_to(fix, job, reason_)                               \
    do {                                                                \
        ck_assert((fix)->jobs[job].ended);                              \
        ck_assert_str_eq(factory_reason_token((fix)->jobs[job].reason), \
                         factory_reason_token(reason_));                \
    } while (0)
