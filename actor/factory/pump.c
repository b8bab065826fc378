/* pump.c - hands jobs to workers, as long as there are both.
 *
 * The rule: when this returns, no worker able to take a waiting job is idle.                 */
#include "actor/factory/state.h"

static gboolean may_start(Factory *f, Job *job)
{
    if (job->expires_usec > f->now_usec || FAULT(START_EXPIRED))
        return TRUE;
    on_expired(f, job);
    return FALSE;
}

/* `seat` NONE: any may claim it. */
static void start(Factory *f, Job *job, guint32 seat)
{
    job_set_state(f, job, JOB_HANDED);
    job->seat = seat;
    if (seat == NONE) {
        Pool *from = &f->pools[job->pool];
        list_insert(f->jobs, LINK_OUT, &from->unclaimed, NONE, index_of(f, job));
        from->n_unclaimed++;
        from->n_out++;
        TRACE(f, job, "is handed over, for any worker");
    } else {
        seat_take(f, seat, job);
        TRACE(f, job, "is handed to " WORKER_FORMAT, WORKER_ARGS(f, seat));
    }
    job_arm_timer(f, job);
    const Pool *pool = seat == NONE ? &f->pools[job->pool] : POOL_OF(f, seat);
    emit_job(f, ACTION_START, job, pool->generation)->worker = seat;
}

static gboolean has_room(const Factory *f, const Pool *pool)
{
    if (FAULT(IDLE_WORKER))
        return pool->n_out + 1 < pool->n_ready;
    const guint32 ahead = MIN(f->settings.lookahead, pool->lookahead);
    return pool->n_ready > 0 && pool->n_out < pool->n_ready + ahead;
}

static void pump_shared(Factory *f, Pool *pool)
{
    while (pool->shared.used != 0 && has_room(f, pool)) {
        Job *job = run_peek(f, &pool->shared);
        if (!may_start(f, job))
            continue;
        start(f, run_pop(f, &pool->shared), NONE);
    }
}

/* Of its own queue and that of all, the one whose next job goes first; NULL: both are empty. */
static RunQueue *next_queue(Factory *f, guint32 seat)
{
    RunQueue *shared = &POOL_OF(f, seat)->shared;
    const Job *own = run_peek(f, &f->seats[seat].bound), *any = run_peek(f, shared);
    if (own == NULL)
        return any == NULL ? NULL : shared;
    if (any == NULL || own->class_ < any->class_ ||
        (own->class_ == any->class_ && own->order < any->order))
        return &f->seats[seat].bound;
    return shared;
}

/* An idle worker whose own queue has something takes what is next for it. */
static void pump_seat(Factory *f, guint32 seat)
{
    RunQueue *queue;
    while (bitset_has(&POOL_OF(f, seat)->idle, seat) && (queue = next_queue(f, seat)) != NULL) {
        Job *job = run_peek(f, queue);
        if (may_start(f, job))
            start(f, run_pop(f, queue), seat);
    }
}

static void pump_directed(Factory *f, Pool *pool)
{
    while (pool->shared.used != 0 && pool->idle.n > 0 && !FAULT(IDLE_WORKER)) {
        Job *job = run_peek(f, &pool->shared);
        if (!may_start(f, job))
            continue;
        job = run_pop(f, &pool->shared);
        start(f, job, router_choose(f, pool, job));
    }
}

/* Whoever is idle and has a job of its own became one or the other in this step: it is in the
 * list of the dirty. */
void pump(Factory *f)
{
    if (f->n_recalled > 0)
        return; /* the driver says at once what comes back, and that may go first */
    if (factory_routing_is_shared(f->settings.routing)) {
        pump_shared(f, &f->pools[0]);
        pump_shared(f, &f->pools[1]);
        return;
    }
    while (f->dirty != NONE) {
        const guint32 seat = f->dirty;
        f->dirty = f->seats[seat].next_dirty;
        f->seats[seat].is_dirty = FALSE;
        if (f->seats[seat].bound.used != 0)
            pump_seat(f, seat);
    }
    pump_directed(f, &f->pools[0]);
    pump_directed(f, &f->pools[1]);
}

void seat_mark_dirty(Factory *f, guint32 seat)
{
    if (f->seats[seat].is_dirty)
        return;
    f->seats[seat].is_dirty = TRUE;
    f->seats[seat].next_dirty = f->dirty;
    f->dirty = seat;
}

gboolean would_start(Factory *f, const FactoryJob *submit, guint16 method)
{
    if (lane_is_busy(f, submit))
        return FALSE;
    const gboolean has_key = submit->has_key && f->settings.routing != ROUTING_QUEUER;
    const Pool *pool = pool_for(f, has_key, submit->key_hash, submit->connection);
    if (factory_routing_is_shared(f->settings.routing))
        return pool->n_out < pool->n_ready;
    const guint32 seat = router_bound_seat(f, pool, submit->key_hash, method, has_key);
    return seat == NONE ? pool->idle.n > 0 : bitset_has(&pool->idle, seat);
}
