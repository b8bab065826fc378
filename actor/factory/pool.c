/* pool.c - how many workers there are, and of which generation.
 *
 *   RESIZE: members are added at the end or retired from the end; what is queued stays.
 *   RELOAD: a whole second pool is started beside the first.  When all of it is ready it
 *   takes over in one step: what waits goes to it, what runs ends where it is.  When one of
 *   it does not come up, it goes again and nothing has changed.
 *
 * Members keep their number, so that hashing and turns do not depend on who died when.      */
#include "actor/factory/state.h"

/* --- members ----------------------------------------------------------------------------- */

static void member_add(Factory *f, Pool *pool, guint32 seat)
{
    Seat *s = &f->seats[seat];
    s->member = pool->n_members;
    s->generation = pool->generation;
    s->backoff = (Backoff){ 0 };
    s->is_denied = FALSE;
    pool->members[pool->n_members++] = seat;
    f->seats_used[pool->generation % 2]++;
    seat_want(f, seat, 0);
}

static void fill(Factory *f, Pool *pool)
{
    const guint32 base = seat_base(f, pool->generation);
    for (guint32 i = 0; i < f->workers_most && pool->n_members < f->target; i++)
        if (f->seats[base + i].state == SEAT_FREE)
            member_add(f, pool, base + i);
}

static void members_changed(Factory *f)
{
    router_pool_changed(f);
    if (!factory_routing_is_shared(f->settings.routing))
        requeue_all(f);
}

/* Seats of those that are still ending are not free yet: what is missing comes with them. */
void pool_fill(Factory *f)
{
    const guint32 before = f->pool.n_members;
    if (f->pool.n_members < f->target)
        fill(f, &f->pool);
    if (f->pool.n_members != before)
        members_changed(f);
}

void pool_seat_freed(Factory *f, guint32 seat)
{
    const guint32 generation = f->seats[seat].generation;
    if (--f->seats_used[generation % 2] == 0 && generation != f->pool.generation)
        emit_value(f, ACTION_GENERATION_ENDED, generation);
    if (generation == f->pool.generation)
        pool_fill(f);
}

void pool_resize(Factory *f, guint32 workers)
{
    const guint32 wanted = MIN(workers, f->workers_most);
    if (wanted == f->target)
        return;
    f->target = wanted;
    f->stats.resizes++;
    emit_value(f, ACTION_RESIZED, wanted);
    const gboolean shrinks = f->pool.n_members > wanted;
    while (f->pool.n_members > wanted)
        seat_retire(f, f->pool.members[--f->pool.n_members]);
    if (shrinks)
        members_changed(f);
    pool_fill(f);
    degraded_check(f);
}

/* --- generations ------------------------------------------------------------------------- */

static void retire_all(Factory *f, Pool *pool)
{
    while (pool->n_members > 0) {
        const guint32 seat = pool->members[--pool->n_members];
        if (f->seats[seat].member != NONE)
            seat_retire(f, seat);
    }
}

/* From here on the next pool is the present one.  Its number is counted by those that serve. */
static void swap(Factory *f)
{
    guint32 *members = f->pool.members;
    retire_all(f, &f->pool);
    f->pool = f->next;
    f->pool.n_ready = 0;
    f->next = (Pool){ .members = members };
    f->is_degraded = FALSE;
    f->stats.reloads++;
    for (guint32 i = 0; i < f->pool.n_members; i++)
        if (seat_serves(f, f->pool.members[i]))
            seat_count_serving(f, f->pool.members[i], TRUE);
    members_changed(f);
    emit_value(f, ACTION_SWAPPED, f->pool.generation);
    const guint32 wanted = f->target;
    f->target = f->pool.n_members;
    pool_resize(f, wanted); /* it may have changed meanwhile */
}

static void swap_if_ready(Factory *f)
{
    if (f->next.generation != 0 && f->next.n_ready == f->next.n_members)
        swap(f);
}

static void reload_fail(Factory *f, guint32 generation)
{
    f->stats.reload_failures++;
    emit_value(f, ACTION_RELOAD_FAILED, generation);
}

/* A third generation has to wait until the first has ended: they would have the same seats. */
void reload_begin(Factory *f, guint32 generation)
{
    if (f->next.generation != 0 || f->drain != FACTORY_RUNNING ||
        generation != f->pool.generation + 1 || f->seats_used[generation % 2] > 0) {
        reload_fail(f, generation);
        return;
    }
    f->next.generation = generation;
    f->next.n_members = f->next.n_ready = 0;
    fill(f, &f->next);
    swap_if_ready(f); /* at once, if it shall have no workers */
}

void reload_abort(Factory *f)
{
    const guint32 generation = f->next.generation;
    if (generation == 0)
        return;
    f->next.generation = 0;
    retire_all(f, &f->next);
    reload_fail(f, generation);
}

void pool_member_ready(Factory *f, guint32 seat)
{
    if (f->seats[seat].generation != f->pool.generation) {
        f->next.n_ready++;
        swap_if_ready(f);
        return;
    }
    if (!f->was_ready && f->pool.n_ready == f->target) {
        f->was_ready = TRUE;
        emit(f, ACTION_READY);
    }
    degraded_check(f);
}
