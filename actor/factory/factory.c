/* factory.c - the life of a factory, and its one step. */
#include "actor/factory/factory.h"
#include "actor/factory/recording.h"
#include "actor/factory/state.h"
#include <string.h>

#define RETRY_TOKENS_AT_FIRST 10000 /* ten retries before anything has completed */

/* --- actions ----------------------------------------------------------------------------- */

FactoryAction *emit(Factory *f, FactoryActionKind kind)
{
    FactoryActions *out = f->out;
    if (out->n == out->allocated) {
        out->allocated = MAX(out->allocated * 2, 32);
        out->items = g_renew(FactoryAction, out->items, out->allocated);
    }
    FactoryAction *action = &out->items[out->n++];
    *action = (FactoryAction){ .kind = kind, .worker = FACTORY_NO_WORKER };
    return action;
}

FactoryAction *emit_job(Factory *f, FactoryActionKind kind, const Job *job, gint64 value)
{
    FactoryAction *action = emit(f, kind);
    action->job = job->id;
    action->user = job->user;
    action->value = value;
    return action;
}

void emit_value(Factory *f, FactoryActionKind kind, gint64 value) { emit(f, kind)->value = value; }

void factory_actions_clear(FactoryActions *actions)
{
    g_clear_pointer(&actions->items, g_free);
    actions->n = actions->allocated = 0;
}

/* SplitMix64 (Steele, Lea and Flood 2014). */
guint64 random_next(Factory *f)
{
    guint64 z = f->random += G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* --- life -------------------------------------------------------------------------------- */

Factory *factory_new(const FactorySettings *settings, guint32 workers_most, guint32 generation,
                     guint64 seed, gint64 now_usec)
{
    g_assert(workers_most > 0 && workers_most <= FACTORY_MAX_WORKERS);
    Factory *f = g_new0(Factory, 1);
    f->settings = *settings;
    f->settings_version = 1;
    f->now_usec = now_usec;
    f->random = seed;
    f->free_job = NONE;
    f->dirty = NONE;
    for (guint i = 0; i < 2 * FACTORY_PRIORITIES; i++)
        f->waiting[i / FACTORY_PRIORITIES][i % FACTORY_PRIORITIES] = LIST_EMPTY;
    wheel_init(&f->job_timers, now_usec);
    wheel_init(&f->seat_timers, now_usec);
    lanes_init(f);
    pool_init(f, &f->pools[0]);
    pool_init(f, &f->pools[1]);
    pool_set_most(f, workers_most);
    f->pools[0].generation = generation;
    f->pools[0].lookahead = settings->lookahead;
    f->clients = g_new0(RateClient, RATE_CLIENT_SETS * RATE_CLIENT_WAYS);
    f->methods = g_new0(Method, settings->n_methods);
    f->queue_limit = settings->queue_limit;
    f->retry_tokens = RETRY_TOKENS_AT_FIRST;
    f->next_control_usec = f->next_look_usec = G_MAXINT64;
    f->recorder = recorder_new();
    return f;
}

void factory_free(Factory *f)
{
    if (f == NULL)
        return;
    recorder_free(f->recorder);
    state_clear(f);
    g_free(f);
}

/* --- the step ---------------------------------------------------------------------------- */

static void take_due(Factory *f)
{
    guint32 due;
    while ((due = wheel_take_due(&f->job_timers, f->now_usec)) != WHEEL_NONE)
        job_due(f, job_at(f, due));
    while ((due = wheel_take_due(&f->seat_timers, f->now_usec)) != WHEEL_NONE)
        seat_due(f, due);
}

static void on_resize(Factory *f, const FactoryEvent *event) { pool_resize(f, event->number); }
static void on_submit(Factory *f, const FactoryEvent *event) { submit(f, &event->submit); }
static void on_load(Factory *f, const FactoryEvent *event) { f->load = event->load; }

static void on_drain(Factory *f, const FactoryEvent *event)
{
    drain_begin(f, event->mode, event->at_usec);
}

static void on_abort_reload(Factory *f, const FactoryEvent *event)
{
    (void)event;
    reload_abort(f);
}

static void on_abort_drain(Factory *f, const FactoryEvent *event)
{
    (void)event;
    drain_abort(f);
}

static void on_settings(Factory *f, const FactoryEvent *event)
{
    apply_settings(f, event->settings);
}

static void on_refused(Factory *f, const FactoryEvent *event)
{
    f->stats.received++;
    f->stats.ended[event->reason]++;
}

static void on_serve(Factory *f, const FactoryEvent *event)
{
    f->is_unserved = !event->served;
    if (f->is_unserved)
        discard_all_waiting(f, REASON_UNSERVED);
}

static void on_tick(Factory *f, const FactoryEvent *event)
{
    (void)f; /* what time brings is seen to in every step */
    (void)event;
}

static void (*const handlers[FACTORY_EVENTS])(Factory *, const FactoryEvent *) = {
    [EVENT_SUBMIT] = on_submit,
    [EVENT_REFUSED] = on_refused,
    [EVENT_STARTED] = on_started,
    [EVENT_FINISHED] = on_finished,
    [EVENT_RETURNED] = on_returned,
    [EVENT_LOST] = on_lost,
    [EVENT_CANCEL] = on_cancel,
    [EVENT_PROGRESS] = on_progress,
    [EVENT_PROTECT] = on_protect,
    [EVENT_WORKER_READY] = on_worker_ready,
    [EVENT_WORKER_DYING] = on_worker_dying,
    [EVENT_WORKER_ENDED] = on_worker_ended,
    [EVENT_RESIZE] = on_resize,
    [EVENT_RECYCLE] = on_recycle,
    [EVENT_RELOAD] = on_reload,
    [EVENT_CANARY] = on_canary,
    [EVENT_SWAP] = on_swap,
    [EVENT_ABORT_RELOAD] = on_abort_reload,
    [EVENT_SETTINGS] = on_settings,
    [EVENT_DRAIN] = on_drain,
    [EVENT_ABORT_DRAIN] = on_abort_drain,
    [EVENT_SERVE] = on_serve,
    [EVENT_LOAD] = on_load,
    [EVENT_TICK] = on_tick,
};

/* The first step asks for the workers. */
static void begin(Factory *f)
{
    const guint32 wanted = f->settings.workers_min;
    f->has_begun = TRUE;
    f->target = wanted;
    pool_fill(f);
}

void state_step(Factory *f, const FactoryEvent *event, gint64 now_usec)
{
    f->now_usec = MAX(f->now_usec, now_usec);
    if (!f->has_begun)
        begin(f);
    if (event->kind == EVENT_SUBMIT)
        take_due(f); /* what has expired makes room for it */
    handlers[event->kind](f, event);
    take_due(f); /* behind a report, which may say that it is over in time */
    generations_advance(f);
    control_tick(f);
    pump(f);
    drain_advance(f);
    watch_look(f);
}

void factory_step(Factory *f, const FactoryEvent *event, gint64 now_usec, FactoryActions *out)
{
    const guint from = out->n;
    recorder_begin(f, event, now_usec);
    f->out = out;
    state_step(f, event, now_usec);
    f->out = NULL;
    recorder_end(f, event, out->items + from, out->n - from);
}

gint64 factory_next_usec(const Factory *f)
{
    gint64 next = MIN(wheel_next_usec(&f->job_timers), wheel_next_usec(&f->seat_timers));
    next = MIN(next, MIN(f->next_control_usec, f->next_look_usec));
    next = MIN(next, generations_next_usec(f));
    if (f->drain == FACTORY_DRAINING)
        next = MIN(next, f->drain_deadline_usec);
    return f->has_begun ? next : f->now_usec;
}

/* --- what it is like --------------------------------------------------------------------- */

gboolean factory_is_idle(const Factory *f) { return f->stats.queued + f->stats.running == 0; }
gboolean factory_is_degraded(const Factory *f) { return f->is_degraded; }
FactoryDrainState factory_drain_state(const Factory *f) { return f->drain; }
guint32 factory_worker_count(const Factory *f) { return f->target; }
guint32 factory_ready_workers(const Factory *f) { return POOL_NOW(f)->n_ready; }
guint32 factory_generation(const Factory *f) { return POOL_NOW(f)->generation; }
const FactorySettings *factory_settings(const Factory *f) { return &f->settings; }
guint64 factory_settings_version(const Factory *f) { return f->settings_version; }
const FactoryStats *factory_stats(const Factory *f) { return &f->stats; }
