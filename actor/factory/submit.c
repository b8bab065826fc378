/* submit.c - admission: a job comes in, or is refused on the spot.
 *
 * Everything is decided here, once: nothing that was admitted is dropped for its rate later,
 * and a refusal touches no table.  The order of the questions: is anything served, is there
 * time, has the rate a token, is there room.  A token is taken only by what comes in.        */
#include "actor/factory/state.h"
#include <string.h>

typedef struct {
    const FactoryJob *job;
    guint16 method;
    guint8 priority, class_;
    gint64 expires_usec;
    RateBucket *client;
    gint64 wait_usec; /* until the rate has a token for it */
} Arrival;

static void refuse(Factory *f, const FactoryJob *job, FactoryReason reason, gint64 value)
{
    f->stats.ended[reason]++;
    FactoryAction *action = emit(f, ACTION_END);
    action->reason = reason;
    action->job = job_id(f->next_serial++, NONE);
    action->user = job->user;
    action->value = value;
    TRACE_ID(f, action->job, "was refused: %s (%s); %" G_GUINT64_FORMAT " waited, limit %u",
             factory_reason_token(reason), factory_reason_text(reason), f->stats.queued,
             f->queue_limit);
}

static gboolean is_served(const Factory *f, const Arrival *arrival, FactoryReason *reason)
{
    *reason = REASON_REFUSED_DRAINING;
    if (f->drain != FACTORY_RUNNING)
        return FALSE;
    *reason = REASON_NO_HANDLER;
    if (f->is_unserved)
        return FALSE;
    *reason = REASON_REFUSED_DEGRADED;
    if (f->is_degraded && POOL_NOW(f)->n_ready == 0)
        return FALSE;
    *reason = REASON_REFUSED_EXPIRED;
    return arrival->expires_usec > f->now_usec;
}

/* --- rate -------------------------------------------------------------------------------- */

static gboolean rate_allows(Factory *f, Arrival *arrival)
{
    const FactorySettings *s = &f->settings;
    gint64 wait = rate_wait_usec(&f->rate, &s->rate, f->now_usec);
    wait = MAX(wait, rate_wait_usec(&f->methods[arrival->method].bucket,
                                    &s->methods[arrival->method].rate, f->now_usec));
    if (s->client_rate.count > 0) {
        arrival->client = rate_client_bucket(f->clients, arrival->job->client);
        wait = MAX(wait, rate_wait_usec(arrival->client, &s->client_rate, f->now_usec));
    }
    arrival->wait_usec = wait;
    return wait == 0 || (s->shape && f->now_usec + wait < arrival->expires_usec);
}

static void take_tokens(Factory *f, const Arrival *arrival)
{
    const FactorySettings *s = &f->settings;
    rate_take(&f->rate, &s->rate, f->now_usec);
    rate_take(&f->methods[arrival->method].bucket, &s->methods[arrival->method].rate, f->now_usec);
    if (arrival->client != NULL)
        rate_take(arrival->client, &s->client_rate, f->now_usec);
}

/* --- room -------------------------------------------------------------------------------- */

/* Jobs that wait, also those that stand before a worker's door. */
static guint64 n_waiting(const Factory *f)
{
    guint64 waiting = f->stats.queued;
    for (guint i = 0; i < G_N_ELEMENTS(f->pools); i++) {
        const Pool *pool = &f->pools[i];
        const guint32 ahead = pool->n_out > pool->n_ready ? pool->n_out - pool->n_ready : 0;
        waiting += MIN(ahead, pool->n_unclaimed);
    }
    return waiting;
}

static gboolean discards_oldest(const Factory *f)
{
    return f->settings.discard == DISCARD_OLDEST || f->settings.discard == DISCARD_DYNAMIC_OLDEST;
}

/* Who goes so that one of `class_` may come in; NULL: nobody, so it may not.  Always of the
 * lowest class that has somebody to go: its oldest, or its newest if it is below `class_`. */
static Job *victim(Factory *f, guint8 class_)
{
    for (guint i = FACTORY_PRIORITIES; i-- > class_;) {
        const List *list = &f->waiting[FALSE][i];
        if (list->head == NONE)
            continue;
        if (discards_oldest(f))
            return job_at(f, list->head);
        return i > class_ ? job_at(f, list->tail) : NULL;
    }
    return NULL;
}

/* Discards until one of so many bytes has room. */
static gboolean make_room(Factory *f, const Arrival *arrival, FactoryReason *reason)
{
    const FactorySettings *s = &f->settings;
    const gboolean bounded = s->discard != DISCARD_NONE && !arrival->job->no_discard;
    *reason = REASON_TOO_LARGE;
    if (arrival->job->bytes > s->queue_bytes && !FAULT(BYTES))
        return FALSE;
    *reason = REASON_QUEUE_FULL;
    for (;;) {
        const guint64 waiting = n_waiting(f);
        const gboolean full = waiting >= s->queue_hard_limit + (FAULT(LIMIT) ? 1u : 0u);
        const gboolean heavy =
            f->stats.queued_bytes + arrival->job->bytes > s->queue_bytes && !FAULT(BYTES);
        const gboolean over = bounded && waiting >= f->queue_limit && !FAULT(LIMIT);
        if (!full && !heavy && !over)
            break;
        if (over && !heavy && !discards_oldest(f))
            *reason = REASON_REFUSED_NEWEST;
        Job *gone = s->discard == DISCARD_NONE ? NULL : victim(f, arrival->class_);
        if (gone == NULL)
            return FALSE;
        job_discard(f, gone, discards_oldest(f) ? REASON_OLDEST : REASON_NEWEST);
    }
    if (n_waiting(f) >= f->queue_limit && s->discard != DISCARD_NONE)
        f->stats.over_limit++;
    return TRUE;
}

/* --- in ---------------------------------------------------------------------------------- */

static void admit(Factory *f, const Arrival *arrival)
{
    const FactoryJob *from = arrival->job;
    Job *job = job_new(f);
    job->user = from->user;
    job->client = from->client;
    job->connection = from->connection;
    job->correlation = from->correlation;
    job->received_usec = from->received_usec;
    job->admitted_usec = f->now_usec;
    job->expires_usec = arrival->expires_usec;
    job->deadline_usec = from->deadline_usec;
    job->hold_usec = arrival->wait_usec > 0 ? f->now_usec + arrival->wait_usec : 0;
    job->bytes = from->bytes;
    job->cost_usec = from->cost_usec != 0
                         ? from->cost_usec
                         : (guint32)MIN(f->methods[arrival->method].mean_usec, G_MAXUINT32);
    job->method = arrival->method;
    job->priority = arrival->priority;
    job->class_ = arrival->class_;
    job->idempotent = from->idempotent != FALSE;
    job->no_discard = from->no_discard != FALSE;
    job->has_key = from->has_key && f->settings.routing != ROUTING_QUEUER;
    job->key_hash = from->key_hash;
    job->key_bytes = from->key_bytes;
    memcpy(job->key, from->key, FACTORY_KEY_BYTES);
    f->stats.held += job->hold_usec > 0;
    emit_job(f, ACTION_ADMITTED, job, 0);
    TRACE(f, job, "came in as the %" G_GUINT64_FORMAT "th to wait; %u workers, %u of them idle",
          f->stats.queued + 1, POOL_NOW(f)->n_ready, POOL_NOW(f)->idle.n);
    job_set_state(f, job, JOB_QUEUED);
    if (job->has_key)
        lane_join(f, job);
    else
        make_runnable(f, job);
    if (job->id != 0 && job->state == JOB_QUEUED)
        job_arm_timer(f, job);
}

void submit(Factory *f, const FactoryJob *job)
{
    FactoryReason reason;
    Arrival arrival = { .job = job, .method = job->method, .priority = job->priority };
    f->stats.received++;
    if (job->method >= f->settings.n_methods) {
        arrival.method = 0;
        f->stats.method_unknown++;
    }
    if (job->priority >= FACTORY_PRIORITIES) {
        arrival.priority = FACTORY_PRIORITIES - 1;
        f->stats.priority_clamped++;
    }
    arrival.class_ = class_of(f, arrival.priority);
    arrival.expires_usec = job->deadline_usec;
    if (job->ttl_usec > 0 && job->ttl_usec < job->deadline_usec - job->received_usec)
        arrival.expires_usec = job->received_usec + job->ttl_usec;
    if (!is_served(f, &arrival, &reason)) {
        refuse(f, job, reason, 0);
    } else if (!rate_allows(f, &arrival)) {
        refuse(f, job, REASON_REFUSED_RATE, arrival.wait_usec);
    } else if ((arrival.wait_usec > 0 || !would_start(f, job, arrival.method)) &&
               !make_room(f, &arrival, &reason)) {
        refuse(f, job, reason, 0);
    } else {
        take_tokens(f, &arrival);
        admit(f, &arrival);
    }
}

void discard_all_waiting(Factory *f, FactoryReason reason)
{
    for (guint i = 0; i < 2 * FACTORY_PRIORITIES; i++) {
        const List *list = &f->waiting[i / FACTORY_PRIORITIES][i % FACTORY_PRIORITIES];
        while (list->head != NONE)
            job_discard(f, job_at(f, list->head), reason);
    }
}

guint64 factory_available_capacity(const Factory *f)
{
    const guint64 waiting = n_waiting(f);
    const Pool *pool = POOL_NOW(f);
    const guint64 free_workers = pool->n_out < pool->n_ready ? pool->n_ready - pool->n_out : 0;
    if (f->drain != FACTORY_RUNNING || f->is_unserved)
        return 0;
    return free_workers + (f->queue_limit > waiting ? f->queue_limit - waiting : 0);
}
