/* router.c - which worker a job may have, and which of the idle ones it gets.
 *
 * Consistent hashing: a table of member numbers, filled by jump consistent hash (Lamping and
 * Veach 2014) when the pool changes, so that a look-up is one load whatever the pool's size,
 * and a change of size moves only the keys that it must.                                     */
#include "actor/factory/state.h"

#define HASH_SLOTS_PER_WORKER 32u
#define HASH_SLOTS_LEAST      1024u

/* Where jump consistent hash puts `key` among `n` > 0. */
static guint32 jump_hash(guint64 key, guint32 n)
{
    gint64 at = -1, next = 0;
    while (next < (gint64)n) {
        at = next;
        key = key * G_GUINT64_CONSTANT(2862933555777941757) + 1;
        next =
            (gint64)((gdouble)(at + 1) * ((gdouble)((gint64)1 << 31) / (gdouble)((key >> 33) + 1)));
    }
    return (guint32)at;
}

void router_pool_changed(Factory *f, Pool *pool)
{
    if (f->settings.routing != ROUTING_CONSISTENT_HASH || pool->n_members == 0)
        return;
    guint32 slots = HASH_SLOTS_LEAST;
    while (slots < f->workers_most * HASH_SLOTS_PER_WORKER)
        slots *= 2;
    if (pool->n_hash_table != slots)
        pool->hash_table = g_renew(guint32, pool->hash_table, slots);
    pool->n_hash_table = slots;
    for (guint32 i = 0; i < slots; i++)
        pool->hash_table[i] =
            jump_hash((guint64)i * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15), pool->n_members);
}

guint32 router_bound_seat(const Factory *f, const Pool *pool, guint64 key_hash, guint16 method,
                          gboolean has_key)
{
    if (pool->n_members == 0)
        return NONE;
    if (f->settings.routing == ROUTING_CUSTOM)
        return pool
            ->members[f->settings.route(key_hash, method, pool->n_members) % pool->n_members];
    if (f->settings.routing == ROUTING_CONSISTENT_HASH && has_key)
        return pool->members[pool->hash_table[key_hash & (pool->n_hash_table - 1)]];
    return NONE;
}

/* Mitzenmacher's two choices: as even as looking at all of them, at the price of two. */
static guint32 less_loaded(Factory *f, const Pool *pool)
{
    const guint32 span = 2 * f->workers_most;
    const guint32 a = bitset_after(&pool->idle, (guint32)(random_next(f) % span));
    const guint32 b = bitset_after(&pool->idle, (guint32)(random_next(f) % span));
    return f->seats[b].busy_usec < f->seats[a].busy_usec ? b : a;
}

guint32 router_choose(Factory *f, Pool *pool, const Job *job)
{
    if (pool->idle.n == 0)
        return NONE;
    if (f->settings.routing == ROUTING_LEAST_LOADED)
        return less_loaded(f, pool);
    if (f->settings.routing == ROUTING_STICKY && job->lane != NONE) {
        const guint32 last = f->lanes[job->lane].last_seat;
        if (last != NONE && bitset_has(&pool->idle, last))
            return last;
    }
    pool->last_routed = bitset_after(&pool->idle, pool->last_routed);
    return pool->last_routed;
}
