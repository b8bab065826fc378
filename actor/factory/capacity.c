/* capacity.c - what moves by itself: the pool's size and a dynamic queue limit.
 *
 * Ten times a second, apart from the path of a job, with what the factory has counted and the
 * machine's load that the driver told.  More workers must pay: growth that does not raise
 * what is completed is taken back, and the next try waits longer (blocked workers show an
 * idle machine and a long queue, and more of them would only wait for the same thing).      */
#include "actor/factory/state.h"

#define TICK_USEC         100000
#define TRIAL_GAIN_MILLI  1020u /* completed per second, against before */
#define IDLE_USEC         ((gint64)10 * G_USEC_PER_SEC)
#define BACKOFF_MOST      8u /* doublings of the cool-down */
#define INFLATION_PERCENT 200

gboolean control_is_on(const Factory *f)
{
    const gboolean moves =
        f->settings.capacity != CAPACITY_FIXED || factory_discard_is_dynamic(f->settings.discard);
    const gboolean busy = f->stats.queued + f->stats.running > 0;
    return moves && (busy || f->target > f->settings.workers_min ||
                     f->queue_limit != f->settings.queue_limit);
}

static void measure(Factory *f)
{
    const guint64 completed = f->stats.ended[REASON_COMPLETED] + f->stats.ended[REASON_APP_ERROR];
    const guint64 in_tick = completed - f->control_completed;
    const guint64 rate_milli = in_tick * (G_USEC_PER_SEC / TICK_USEC) * 1000;
    f->control_completed = completed;
    f->completed_rate_milli = (f->completed_rate_milli * 7 + rate_milli * 3) / 10;
    f->recent[f->n_recent++ % TRIAL_TICKS] = in_tick;
}

/* In the ticks of a trial; the pool has had its size for so long. */
static guint64 recently_completed(const Factory *f)
{
    guint64 sum = 0;
    for (guint i = 0; i < TRIAL_TICKS; i++)
        sum += f->recent[i];
    return sum;
}

/* As many as are worked off in the time aimed for (Little's law); all that there may be while
 * nothing waits, because then the rate says what came and not what could be done. */
static void move_queue_limit(Factory *f)
{
    guint64 limit = f->settings.queue_limit;
    if (factory_discard_is_dynamic(f->settings.discard) && f->stats.queued > 0 &&
        f->completed_rate_milli > 0) {
        const guint64 fits = f->completed_rate_milli * (guint64)f->settings.queue_target_usec /
                             (1000 * G_USEC_PER_SEC);
        limit = MIN(limit, MAX(fits, 1));
    }
    if (limit == f->queue_limit)
        return;
    f->queue_limit = (guint)limit;
    f->stats.limit_changes++;
}

/* --- the pool ---------------------------------------------------------------------------- */

/* Of the busiest resource, in permille of what it shall be. */
static guint use_permille(const Factory *f)
{
    const guint most =
        MAX(MAX(f->load.cpu, f->load.memory), MAX(f->load.network, f->load.pressure));
    return most * 1000 / f->settings.capacity_target_permille;
}

static gboolean is_saturated(const Factory *f)
{
    return f->stats.queued > 0 && POOL_NOW(f)->n_out >= POOL_NOW(f)->n_ready;
}

/* Service takes twice as long as it has at its best: something behind it is overloaded. */
static gboolean is_inflated(Factory *f)
{
    gboolean inflated = FALSE;
    for (guint i = 0; i < f->settings.n_methods; i++) {
        Method *method = &f->methods[i];
        if (method->mean_usec == 0)
            continue;
        if (method->best_usec == 0 || method->mean_usec < method->best_usec)
            method->best_usec = method->mean_usec;
        else /* drifts up, so that one lucky time is not the measure for ever */
            method->best_usec += (method->mean_usec - method->best_usec) / 1024;
        inflated |= method->mean_usec * 100 > method->best_usec * INFLATION_PERCENT;
    }
    return inflated;
}

static guint32 fewer(const Factory *f, guint percent)
{
    const guint32 by = MAX(f->settings.capacity_step, f->target * percent / 100);
    return f->target > by ? f->target - by : 0;
}

/* A growth on trial that has not paid is taken back. */
static guint32 judge_trial(Factory *f)
{
    if (f->growth_from == 0 || f->n_recent < TRIAL_TICKS)
        return f->target;
    const guint32 from = f->growth_from;
    f->growth_from = 0;
    if (recently_completed(f) * 1000 >= f->growth_before * TRIAL_GAIN_MILLI) {
        f->growth_backoff = 0;
        return f->target;
    }
    f->growth_backoff = MIN(f->growth_backoff + 1, BACKOFF_MOST);
    f->cooldown_until_usec =
        f->now_usec + (f->settings.capacity_cooldown_usec << f->growth_backoff);
    return from;
}

static guint32 grown(Factory *f)
{
    f->growth_from = f->target;
    f->growth_before = recently_completed(f);
    return f->target + f->settings.capacity_step;
}

static guint32 wanted(Factory *f)
{
    const guint use = use_permille(f), band = f->settings.capacity_hysteresis_permille;
    const gboolean inflated = f->settings.capacity == CAPACITY_AIMD && is_inflated(f);
    if (POOL_NOW(f)->n_out * 2 > POOL_NOW(f)->n_ready)
        f->idle_since_usec = f->now_usec;
    const guint32 judged = judge_trial(f);
    if (judged != f->target || f->growth_from != 0 || f->now_usec < f->cooldown_until_usec)
        return judged;
    if (use > 1000 + band)
        return fewer(f, 5);
    if (inflated)
        return fewer(f, 25);
    if (is_saturated(f) && use + band < 1000 && f->n_recent >= TRIAL_TICKS)
        return grown(f);
    if (f->now_usec - f->idle_since_usec >= IDLE_USEC) {
        f->idle_since_usec = f->now_usec;
        return fewer(f, 0);
    }
    return f->target;
}

static void move_pool(Factory *f)
{
    const guint32 wish = wanted(f); /* once: it remembers */
    const guint32 size = CLAMP(wish, f->settings.workers_min, f->settings.workers_max);
    if (size == f->target)
        return;
    f->stats.decisions++;
    f->n_recent = 0; /* what was measured was with another size */
    f->cooldown_until_usec =
        MAX(f->cooldown_until_usec, f->now_usec + f->settings.capacity_cooldown_usec);
    if (f->settings.capacity_dry_run)
        emit_value(f, ACTION_CAPACITY, size);
    else
        pool_resize(f, size);
}

void control_tick(Factory *f)
{
    if (!control_is_on(f)) {
        f->next_control_usec = G_MAXINT64;
        return;
    }
    if (f->next_control_usec == G_MAXINT64) {
        f->next_control_usec = f->now_usec + TICK_USEC;
        f->idle_since_usec = f->now_usec;
        f->n_recent = 0;
    }
    if (f->now_usec < f->next_control_usec)
        return;
    f->next_control_usec = f->now_usec + TICK_USEC;
    measure(f);
    move_queue_limit(f);
    if (f->settings.capacity != CAPACITY_FIXED && f->drain == FACTORY_RUNNING)
        move_pool(f);
}
