/* generations.c - the next generation of workers beside the present one (reload_state.def).
 *
 * A whole second pool is started.  When all of it is ready the driver says SWAP, and in one
 * step it takes over: what waits goes to it, what runs ends where it is, up to a deadline.  Or
 * it gets a share first, and is judged: jobs of one key, or of one connection, all go to the
 * same generation, so nobody sees answers change back and forth.  When a worker of it does
 * not come up, or it is judged badly, it goes again and nothing has changed.                 */
#include "actor/factory/state.h"

#define PERMILLE 1000u

#define FROM(name) (1u << RELOAD_##name)
static const struct {
    const gchar *text;
    guint from;
} reload_states[RELOAD_STATES] = {
#define STATE(name, text_, from_) [RELOAD_##name] = { .text = text_, .from = from_ },
#include "actor/factory/reload_state.def"
};
#undef FROM

static void set_state(Factory *f, ReloadState next)
{
    if (!(reload_states[next].from & (1u << f->reload)))
        g_error("reload: no arrow from %s to %s", reload_states[f->reload].text,
                reload_states[next].text);
    f->reload = next;
}

/* --- which pool a job is for ------------------------------------------------------------- */

/* Upper bits: the lower ones choose a worker. */
static gboolean is_in_share(const Factory *f, guint64 hash)
{
    hash = (hash ^ hash >> 30) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9); /* as SplitMix64 */
    return (guint32)(hash >> 32) % PERMILLE < f->canary.limits.share_permille;
}

Pool *pool_for(Factory *f, gboolean has_key, guint64 key_hash, guint64 connection)
{
    if (f->reload == RELOAD_SHARING && is_in_share(f, has_key ? key_hash : connection))
        return POOL_OTHER(f);
    return POOL_NOW(f);
}

/* --- the next generation ----------------------------------------------------------------- */

static void fail(Factory *f, guint32 generation)
{
    f->stats.reload_failures++;
    emit_value(f, ACTION_RELOAD_FAILED, generation);
}

/* A third generation has to wait until the first has ended: they would have the same seats. */
void on_reload(Factory *f, const FactoryEvent *event)
{
    const FactoryReload *reload = &event->reload;
    Pool *next = POOL_OTHER(f);
    if (f->reload != RELOAD_NONE || f->drain != FACTORY_RUNNING || next->n_seats > 0 ||
        reload->generation <= POOL_NOW(f)->generation || reload->most > FACTORY_MAX_WORKERS) {
        fail(f, reload->generation);
        emit_value(f, ACTION_GENERATION_ENDED, reload->generation);
        return;
    }
    set_state(f, RELOAD_STARTING);
    f->reload_target = f->target;
    pool_set_most(f, MAX(reload->most, reload->workers));
    next->generation = reload->generation;
    next->end_usec = 0;
    next->lookahead = reload->lookahead;
    pool_begin(f, next, reload->workers);
    reload_worker_ready(f); /* if it shall have no workers */
}

void reload_worker_ready(Factory *f)
{
    const Pool *next = POOL_OTHER(f);
    if (f->reload != RELOAD_STARTING || next->n_ready < next->n_members)
        return;
    set_state(f, RELOAD_READY);
    emit_value(f, ACTION_NEXT_READY, next->generation);
}

/* What waits for it goes to the present one; its last seat says that it has ended. */
static void retire(Factory *f, Pool *pool)
{
    const gboolean is_empty = pool->n_seats == 0;
    pool_retire(f, pool);
    requeue_all(f);
    if (is_empty)
        emit_value(f, ACTION_GENERATION_ENDED, pool->generation);
}

void reload_abort(Factory *f)
{
    Pool *next = POOL_OTHER(f);
    if (f->reload == RELOAD_NONE)
        return;
    set_state(f, RELOAD_NONE);
    f->canary.until_usec = 0;
    retire(f, next);
    fail(f, next->generation);
}

/* From here on the next pool is the present one. */
void on_swap(Factory *f, const FactoryEvent *event)
{
    Pool *old = POOL_NOW(f), *next = POOL_OTHER(f);
    if (f->reload != RELOAD_READY && f->reload != RELOAD_SHARING) {
        f->stats.stale++;
        return;
    }
    set_state(f, RELOAD_NONE);
    f->canary.until_usec = 0;
    f->present = 1 - f->present;
    f->is_degraded = FALSE;
    f->stats.reloads++;
    old->end_usec = event->at_usec;
    emit_value(f, ACTION_SWAPPED, next->generation);
    retire(f, old);
    const guint32 wanted = f->target == f->reload_target ? next->n_members : f->target;
    f->target = next->n_members;
    pool_resize(f, wanted); /* it may have changed meanwhile */
}

/* --- a share of the jobs ----------------------------------------------------------------- */

void on_canary(Factory *f, const FactoryEvent *event)
{
    if (f->reload != RELOAD_READY) {
        f->stats.stale++;
        return;
    }
    set_state(f, RELOAD_SHARING);
    f->canary =
        (Canary){ .limits = event->canary, .until_usec = f->now_usec + event->canary.window_usec };
    requeue_all(f);
}

/* What clients did wrong says nothing about the generation. */
static gboolean is_its_fault(FactoryReason reason)
{
    return reason != REASON_COMPLETED && reason != REASON_UNKNOWN_METHOD &&
           reason != REASON_BAD_ARGUMENTS && reason != REASON_CUT_OFF;
}

void canary_saw(Factory *f, const Job *job, FactoryReason reason)
{
    if (f->reload != RELOAD_SHARING || job->seat == NONE ||
        POOL_OF(f, job->seat) != POOL_OTHER(f) || factory_reason_kind(reason) == REASON_DISCARDED)
        return;
    f->canary.seen.finished++;
    f->canary.seen.errors += is_its_fault(reason);
}

/* Before the end only once there are so many jobs that one error is not too much. */
static gboolean is_bad(const Factory *f, gboolean at_end)
{
    const Canary *canary = &f->canary;
    const guint32 permille = canary->limits.errors_permille;
    const guint64 least = at_end || permille == 0 ? 0 : PERMILLE / permille;
    return canary->seen.crashes > canary->limits.crashes ||
           (guint64)canary->seen.errors * PERMILLE > permille * MAX(canary->seen.finished, least);
}

static void judge(Factory *f)
{
    const guint32 generation = POOL_OTHER(f)->generation;
    const gboolean at_end = f->now_usec >= f->canary.until_usec;
    if (is_bad(f, at_end)) {
        emit_value(f, ACTION_CANARY_FAILED, generation);
        reload_abort(f);
    } else if (at_end) {
        f->canary.until_usec = 0;
        emit_value(f, ACTION_CANARY_PASSED, generation);
    }
}

/* --- time -------------------------------------------------------------------------------- */

/* Whoever of the old generation still has a job, or hangs. */
static void cut_off(Factory *f, Pool *old)
{
    old->end_usec = 0;
    for (guint32 seat = (guint32)(old - f->pools); seat < 2 * f->workers_most; seat += 2)
        if (f->seats[seat].state == SEAT_STOPPING)
            seat_kill(f, seat, REASON_CUT_OFF);
}

void generations_advance(Factory *f)
{
    Pool *other = POOL_OTHER(f);
    if (f->reload == RELOAD_SHARING && f->canary.until_usec > 0)
        judge(f);
    if (other->end_usec > 0 && f->now_usec >= other->end_usec)
        cut_off(f, other);
}

gint64 generations_next_usec(const Factory *f)
{
    const gint64 end_usec = POOL_OTHER(f)->n_seats > 0 ? POOL_OTHER(f)->end_usec : 0;
    const gint64 until_usec = f->canary.until_usec;
    return MIN(end_usec > 0 ? end_usec : G_MAXINT64, until_usec > 0 ? until_usec : G_MAXINT64);
}

FactoryEvidence factory_evidence(const Factory *f) { return f->canary.seen; }
