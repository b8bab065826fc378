/* pool.c - how many workers a generation has, and fresh ones for worn ones.
 *
 *   RESIZE:  members are added at the end or retired from the end; what is queued stays.
 *   RECYCLE: a substitute is started beside the worn member.  When it is ready it takes over
 *            the member's number, and the worn one ends after its job: capacity never falls.
 *
 * Members keep their number, so that hashing and turns do not depend on who died when.      */
#include "actor/factory/state.h"

/* --- seats ------------------------------------------------------------------------------- */

void pool_init(Factory *f, Pool *pool)
{
    (void)f;
    run_queue_init(&pool->shared);
    pool->unclaimed = LIST_EMPTY;
    pool->substitute = pool->worn = NONE;
    pool->last_routed = BITSET_MOST - 1;
}

void pool_set_most(Factory *f, guint32 workers_most)
{
    const guint32 from = 2 * f->workers_most, to = 2 * workers_most;
    if (to <= from)
        return;
    f->workers_most = workers_most;
    f->seats = g_renew(Seat, f->seats, to);
    memset(f->seats + from, 0, (to - from) * sizeof(Seat));
    for (guint32 i = from; i < to; i++) {
        run_queue_init(&f->seats[i].bound);
        f->seats[i].jobs = LIST_EMPTY;
        f->seats[i].member = NONE;
    }
    wheel_grow(&f->seat_timers, to);
    for (guint i = 0; i < G_N_ELEMENTS(f->pools); i++) {
        f->pools[i].members = g_renew(guint32, f->pools[i].members, workers_most);
        memset(f->pools[i].members + from / 2, 0, (to - from) / 2 * sizeof(guint32));
        router_pool_changed(f, &f->pools[i]);
    }
}

static guint32 free_seat(const Factory *f, const Pool *pool)
{
    for (guint32 seat = (guint32)(pool - f->pools); seat < 2 * f->workers_most; seat += 2)
        if (f->seats[seat].state == SEAT_FREE)
            return seat;
    return NONE;
}

static void take_seat(Factory *f, Pool *pool, guint32 seat, guint32 member)
{
    Seat *s = &f->seats[seat];
    s->member = member;
    s->generation = pool->generation;
    s->backoff = (Backoff){ 0 };
    s->is_denied = s->is_worn = FALSE;
    pool->n_seats++;
    seat_want(f, seat, 0);
}

/* --- members ----------------------------------------------------------------------------- */

/* One pass over the seats, however many are missing. */
static void fill(Factory *f, Pool *pool, guint32 workers)
{
    for (guint32 seat = (guint32)(pool - f->pools);
         seat < 2 * f->workers_most && pool->n_members < workers; seat += 2) {
        if (f->seats[seat].state != SEAT_FREE)
            continue;
        pool->members[pool->n_members++] = seat;
        take_seat(f, pool, seat, pool->n_members - 1);
    }
}

static void members_changed(Factory *f, Pool *pool)
{
    router_pool_changed(f, pool);
    if (!factory_routing_is_shared(f->settings.routing))
        requeue_all(f);
}

void pool_begin(Factory *f, Pool *pool, guint32 workers)
{
    fill(f, pool, workers);
    router_pool_changed(f, pool);
}

/* Seats of those that are still ending are not free yet: what is missing comes with them. */
void pool_fill(Factory *f)
{
    Pool *pool = POOL_NOW(f);
    const guint32 before = pool->n_members;
    if (before < f->target)
        fill(f, pool, f->target);
    if (pool->n_members != before)
        members_changed(f, pool);
}

void pool_resize(Factory *f, guint32 workers)
{
    Pool *pool = POOL_NOW(f);
    const guint32 wanted = MIN(workers, f->workers_most);
    if (wanted == f->target)
        return;
    f->target = wanted;
    f->stats.resizes++;
    emit_value(f, ACTION_RESIZED, wanted);
    const gboolean shrinks = pool->n_members > wanted;
    while (pool->n_members > wanted)
        seat_retire(f, pool->members[--pool->n_members]);
    if (shrinks)
        members_changed(f, pool);
    pool_fill(f);
    degraded_check(f);
}

static void retire_substitute(Factory *f, Pool *pool)
{
    const guint32 seat = pool->substitute;
    pool->substitute = pool->worn = NONE;
    if (seat != NONE)
        seat_retire(f, seat);
}

void pool_retire(Factory *f, Pool *pool)
{
    for (guint32 i = 0; i < pool->n_members; i++)
        pool_not_worn(f, pool->members[i]); /* a seat that becomes free is for nobody now */
    retire_substitute(f, pool);
    while (pool->n_members > 0) {
        const guint32 seat = pool->members[--pool->n_members];
        if (f->seats[seat].member != NONE)
            seat_retire(f, seat);
    }
}

/* --- recycling --------------------------------------------------------------------------- */

static guint32 worn_member(const Factory *f, const Pool *pool)
{
    for (guint32 i = 0; i < pool->n_members; i++)
        if (f->seats[pool->members[i]].is_worn)
            return pool->members[i];
    return NONE;
}

/* One at a time, when a seat is free for it. */
static void recycle_next(Factory *f, Pool *pool)
{
    const guint32 seat = pool->n_worn > 0 && pool->substitute == NONE ? free_seat(f, pool) : NONE;
    if (seat == NONE)
        return;
    pool->worn = worn_member(f, pool);
    pool->substitute = seat;
    take_seat(f, pool, seat, NONE);
}

void on_recycle(Factory *f, const FactoryEvent *event)
{
    Seat *s = event->worker < 2 * f->workers_most ? &f->seats[event->worker] : NULL;
    if (s == NULL || s->incarnation != event->incarnation || !seat_serves(f, event->worker) ||
        s->is_worn) {
        f->stats.stale++;
        return;
    }
    s->is_worn = TRUE;
    POOL_OF(f, event->worker)->n_worn++;
    recycle_next(f, POOL_OF(f, event->worker));
}

void pool_not_worn(Factory *f, guint32 seat)
{
    POOL_OF(f, seat)->n_worn -= f->seats[seat].is_worn;
    f->seats[seat].is_worn = FALSE;
}

static void substitute_ready(Factory *f, Pool *pool)
{
    const guint32 seat = pool->substitute, worn = pool->worn;
    const guint32 member = f->seats[worn].member;
    if (member == NONE || !f->seats[worn].is_worn) { /* it has died or gone meanwhile */
        retire_substitute(f, pool);
        return;
    }
    pool->substitute = pool->worn = NONE;
    pool->members[member] = seat;
    f->seats[seat].member = member;
    seat_count_serving(f, seat, TRUE);
    f->stats.recycled++;
    seat_retire(f, worn);
    members_changed(f, pool);
}

/* --- what happens to seats --------------------------------------------------------------- */

void pool_seat_freed(Factory *f, guint32 seat)
{
    Pool *pool = POOL_OF(f, seat);
    if (--pool->n_seats == 0 && pool != POOL_NOW(f))
        emit_value(f, ACTION_GENERATION_ENDED, pool->generation);
    if (pool == POOL_NOW(f))
        pool_fill(f);
    recycle_next(f, pool);
}

void pool_worker_ready(Factory *f, guint32 seat)
{
    Pool *pool = POOL_OF(f, seat);
    if (pool->substitute == seat) {
        substitute_ready(f, pool);
        recycle_next(f, pool);
        return;
    }
    if (pool != POOL_NOW(f)) {
        reload_worker_ready(f);
        return;
    }
    if (!f->was_ready && pool->n_ready == f->target) {
        f->was_ready = TRUE;
        emit(f, ACTION_READY);
    }
    degraded_check(f);
}
