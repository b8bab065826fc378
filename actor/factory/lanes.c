/* lanes.c - the jobs of a key, one at a time and in their order.
 *
 * A lane exists while its key has jobs.  Its current job is able to run, or out; the others
 * stand in line.  When the current one is over, the next becomes able to run, behind those
 * that already are: so many jobs of one key do not keep other keys waiting, and whichever
 * worker is free takes the next one.                                                        */
#include "actor/factory/state.h"
#include <string.h>

#define LANES_AT_FIRST 16u

void lanes_init(Factory *f)
{
    f->free_lane = NONE;
    f->n_buckets = LANES_AT_FIRST;
    f->buckets = g_new(guint32, f->n_buckets);
    memset(f->buckets, 0xff, f->n_buckets * sizeof *f->buckets);
}

static guint32 *bucket_of(const Factory *f, guint64 hash)
{
    return &f->buckets[hash & (f->n_buckets - 1)];
}

/* As many buckets as there can be lanes.  A lane needs a job, so what the table may grow to is
 * bounded by the queue; growing costs each lane that there is one step, at each doubling. */
static void grow(Factory *f)
{
    const guint32 from = f->n_lanes_allocated, to = MAX(from * 2, LANES_AT_FIRST);
    f->lanes = g_renew(Lane, f->lanes, to);
    memset(f->lanes + from, 0, (to - from) * sizeof(Lane));
    f->n_lanes_allocated = to;
    f->n_buckets = to;
    f->buckets = g_renew(guint32, f->buckets, to);
    memset(f->buckets, 0xff, to * sizeof *f->buckets);
    for (guint32 i = 0; i < from; i++) { /* every lane is in use, else none would be wanted */
        guint32 *bucket = bucket_of(f, f->lanes[i].key_hash);
        f->lanes[i].next = *bucket;
        *bucket = i;
    }
    for (guint32 i = to; i-- > from;) {
        f->lanes[i].next = f->free_lane;
        f->free_lane = i;
    }
}

static guint32 lane_find(const Factory *f, guint64 hash, guint32 key_bytes, const guint8 *key)
{
    guint32 i = *bucket_of(f, hash);
    while (i != NONE && (f->lanes[i].key_hash != hash || f->lanes[i].key_bytes != key_bytes ||
                         memcmp(f->lanes[i].key, key, FACTORY_KEY_BYTES) != 0))
        i = f->lanes[i].next;
    return i;
}

static guint32 lane_new(Factory *f, const Job *job)
{
    if (f->free_lane == NONE)
        grow(f);
    const guint32 index = f->free_lane;
    Lane *lane = &f->lanes[index];
    guint32 *bucket = bucket_of(f, job->key_hash);
    f->free_lane = lane->next;
    f->n_lanes++;
    *lane = (Lane){ .key_hash = job->key_hash,
                    .key_bytes = job->key_bytes,
                    .next = *bucket,
                    .current = NONE,
                    .last_seat = NONE,
                    .waiting = LIST_EMPTY };
    memcpy(lane->key, job->key, FACTORY_KEY_BYTES);
    *bucket = index;
    return index;
}

static void lane_free(Factory *f, guint32 index)
{
    guint32 *link = bucket_of(f, f->lanes[index].key_hash);
    while (*link != index)
        link = &f->lanes[*link].next;
    *link = f->lanes[index].next;
    f->lanes[index].next = f->free_lane;
    f->free_lane = index;
    f->n_lanes--;
}

gboolean lane_is_busy(const Factory *f, const FactoryJob *submit)
{
    return submit->has_key && f->settings.routing != ROUTING_QUEUER &&
           lane_find(f, submit->key_hash, submit->key_bytes, submit->key) != NONE;
}

void lane_join(Factory *f, Job *job)
{
    guint32 index = lane_find(f, job->key_hash, job->key_bytes, job->key);
    if (index == NONE)
        index = lane_new(f, job);
    Lane *lane = &f->lanes[index];
    job->lane = index;
    if (lane->current == NONE) {
        lane->current = index_of(f, job);
        make_runnable(f, job);
        return;
    }
    TRACE(f, job, "waits for its turn: another job of its key is before it");
    job->run_place = RUN_IN_LANE;
    list_insert(f->jobs, LINK_RUN, &lane->waiting, NONE, index_of(f, job));
}

void lane_leave(Factory *f, Job *job)
{
    if (job->lane == NONE)
        return;
    const guint32 index = job->lane;
    Lane *lane = &f->lanes[index];
    job->lane = NONE;
    if (lane->current != index_of(f, job))
        return; /* it only stood in line, and run_remove() took it out */
    lane->current = FAULT(KEY_ORDER) ? lane->waiting.tail : lane->waiting.head;
    if (lane->current == NONE) {
        lane_free(f, index);
        return;
    }
    Job *next = job_at(f, lane->current);
    run_remove(f, next);
    TRACE(f, next, "its turn has come: it is the first of its key now");
    make_runnable(f, next);
}
