/* seats.c - workers: started, ready, stopped, killed, ended, and started again.
 *
 * What a worker's end means for its jobs is in report.c; what pool it belongs to, in pool.c. */
#include "actor/factory/state.h"

#define FROM(name) (1u << SEAT_##name)
static const struct {
    const gchar *text;
    guint from;
} seat_states[SEAT_STATES] = {
#define STATE(name, text_, from_) [SEAT_##name] = { .text = text_, .from = from_ },
#include "actor/factory/seat_state.def"
};
#undef FROM

/* What depends on whether its worker takes jobs. */
void seat_count_serving(Factory *f, guint32 seat, gboolean serves)
{
    const Seat *s = &f->seats[seat];
    Pool *pool = POOL_OF(f, seat);
    pool->n_ready += serves ? 1 : -1;
    pool->n_out += serves ? s->n_jobs : -s->n_jobs;
    if (!serves) {
        bitset_remove(&pool->idle, seat);
    } else if (s->n_jobs == 0) {
        bitset_add(&pool->idle, seat);
        seat_mark_dirty(f, seat);
    }
}

/* The only place where a worker changes state. */
static void set_state(Factory *f, guint32 seat, SeatState next)
{
    Seat *s = &f->seats[seat];
    if (!(seat_states[next].from & (1u << s->state)))
        g_error("worker %u: no arrow from %s to %s", seat, seat_states[s->state].text,
                seat_states[next].text);
    const gboolean served = seat_serves(f, seat);
    s->state = (guint16)next;
    if (served != seat_serves(f, seat))
        seat_count_serving(f, seat, !served);
}

static FactoryAction *emit_seat(Factory *f, FactoryActionKind kind, guint32 seat)
{
    FactoryAction *action = emit(f, kind);
    action->worker = seat;
    action->incarnation = f->seats[seat].incarnation;
    action->value = f->seats[seat].generation;
    return action;
}

/* --- jobs -------------------------------------------------------------------------------- */

void seat_take(Factory *f, guint32 seat, Job *job)
{
    Seat *s = &f->seats[seat];
    job->seat = seat;
    list_insert(f->jobs, LINK_OUT, &s->jobs, NONE, index_of(f, job));
    s->n_jobs++;
    if (job->lane != NONE)
        f->lanes[job->lane].last_seat = seat;
    if (!seat_serves(f, seat))
        return;
    POOL_OF(f, seat)->n_out++;
    bitset_remove(&POOL_OF(f, seat)->idle, seat);
}

void seat_release(Factory *f, Job *job)
{
    if (job->seat == NONE) {
        Pool *pool = &f->pools[job->pool];
        list_remove(f->jobs, LINK_OUT, &pool->unclaimed, index_of(f, job));
        pool->n_unclaimed--;
        pool->n_out--;
        return;
    }
    Seat *s = &f->seats[job->seat];
    list_remove(f->jobs, LINK_OUT, &s->jobs, index_of(f, job));
    s->n_jobs--;
    if (!seat_serves(f, job->seat))
        return;
    POOL_OF(f, job->seat)->n_out--;
    if (s->n_jobs == 0) {
        bitset_add(&POOL_OF(f, job->seat)->idle, job->seat);
        seat_mark_dirty(f, job->seat);
    }
}

/* --- coming and going -------------------------------------------------------------------- */

void seat_due(Factory *f, guint32 seat)
{
    Seat *s = &f->seats[seat];
    const gint64 denied_usec = restart_denied_usec(f, seat);
    if (denied_usec > 0) {
        wheel_arm(&f->seat_timers, seat, f->now_usec + denied_usec);
        return;
    }
    set_state(f, seat, SEAT_STARTING);
    s->incarnation++;
    s->ready_usec = 0;
    f->stats.spawns++;
    emit_seat(f, ACTION_SPAWN, seat);
}

void seat_want(Factory *f, guint32 seat, gint64 wait_usec)
{
    set_state(f, seat, SEAT_WAITING);
    if (wait_usec > 0)
        wheel_arm(&f->seat_timers, seat, f->now_usec + wait_usec);
    else
        seat_due(f, seat);
}

static void seat_free(Factory *f, guint32 seat)
{
    set_state(f, seat, SEAT_FREE);
    pool_seat_freed(f, seat);
}

/* No job that was handed to it and not started stays with it. */
static void recall_handed(Factory *f, guint32 seat)
{
    for (guint32 i = f->seats[seat].jobs.head; i != NONE; i = f->jobs[i].links[LINK_OUT].next)
        if (f->jobs[i].state == JOB_HANDED)
            job_recall(f, job_at(f, i), RECALL_BACK);
    recall_unclaimed(f, POOL_OF(f, seat));
}

/* It is not a member any more: it ends when its job has. */
void seat_retire(Factory *f, guint32 seat)
{
    Seat *s = &f->seats[seat];
    const gboolean served = seat_serves(f, seat);
    pool_not_worn(f, seat);
    s->member = NONE;
    if (served)
        seat_count_serving(f, seat, FALSE);
    if (s->state == SEAT_WAITING) {
        wheel_disarm(&f->seat_timers, seat);
        seat_free(f, seat);
    } else if (s->state == SEAT_STARTING || s->state == SEAT_READY) {
        set_state(f, seat, SEAT_STOPPING);
        emit_seat(f, ACTION_STOP, seat);
        recall_handed(f, seat);
    }
}

void seat_kill(Factory *f, guint32 seat, FactoryReason reason)
{
    set_state(f, seat, SEAT_KILLED);
    f->seats[seat].kill_reason = (guint16)reason;
    f->stats.kills += reason == REASON_WORKER_KILLED;
    emit_seat(f, ACTION_KILL, seat)->reason = reason;
    guint32 next;
    for (guint32 i = f->seats[seat].jobs.head; i != NONE; i = next) {
        Job *job = job_at(f, i);
        next = job->links[LINK_OUT].next;
        if (job->state == JOB_HANDED)
            job_recall(f, job, RECALL_BACK);
        else if (job->state == JOB_RUNNING && !job_may_retry(f, job))
            answer_running(f, job, reason);
    }
}

/* --- what drivers tell ------------------------------------------------------------------- */

static guint32 seat_of(const Factory *f, const FactoryEvent *event)
{
    if (event->worker >= 2 * f->workers_most)
        return NONE;
    const Seat *seat = &f->seats[event->worker];
    const gboolean there = seat->state != SEAT_FREE && seat->state != SEAT_WAITING;
    return there && seat->incarnation == event->incarnation ? event->worker : NONE;
}

void on_worker_ready(Factory *f, const FactoryEvent *event)
{
    const guint32 seat = seat_of(f, event);
    if (seat == NONE ||
        (f->seats[seat].state != SEAT_STARTING && f->seats[seat].state != SEAT_STOPPING)) {
        f->stats.stale++;
        return;
    }
    if (f->seats[seat].state == SEAT_STOPPING)
        return; /* it was told to stop while it started */
    f->stats.starts++;
    f->seats[seat].ready_usec = f->now_usec;
    f->seats[seat].busy_usec = 0;
    set_state(f, seat, SEAT_READY);
    pool_worker_ready(f, seat);
}

void on_worker_dying(Factory *f, const FactoryEvent *event)
{
    const guint32 seat = seat_of(f, event);
    if (seat == NONE)
        f->stats.stale++;
    else if (f->seats[seat].state == SEAT_READY)
        set_state(f, seat, SEAT_DYING);
}

/* What it had is lost, or tried again. */
static void lose_jobs(Factory *f, guint32 seat, FactoryEnd end)
{
    static const FactoryReason reasons[FACTORY_ENDS] = {
        [END_CRASHED] = REASON_WORKER_CRASHED,      [END_KILLED] = REASON_WORKER_KILLED,
        [END_START_FAILED] = REASON_WORKER_CRASHED, [END_PLANNED] = REASON_WORKER_CRASHED,
        [END_HOST_GONE] = REASON_HOST_GONE,
    };
    const Seat *s = &f->seats[seat];
    const FactoryReason reason =
        s->state == SEAT_KILLED ? (FactoryReason)s->kill_reason : reasons[end];
    while (s->jobs.head != NONE)
        job_lose(f, job_at(f, s->jobs.head), reason);
}

static void count_end(Factory *f, const Seat *s, FactoryEnd end)
{
    if (s->ready_usec == 0)
        f->stats.start_failures++;
    else if (end == END_CRASHED)
        f->stats.crashes++;
}

void on_worker_ended(Factory *f, const FactoryEvent *event)
{
    const guint32 seat = seat_of(f, event);
    if (seat == NONE) {
        f->stats.stale++;
        return;
    }
    Seat *s = &f->seats[seat];
    Pool *pool = POOL_OF(f, seat);
    const FactoryEnd end = s->state == SEAT_KILLED ? END_KILLED : event->end;
    const gboolean is_fault = end != END_PLANNED && end != END_HOST_GONE;
    const gboolean stays = s->member != NONE || pool->substitute == seat;
    count_end(f, s, end);
    if (s->state == SEAT_READY) /* its end was not announced */
        set_state(f, seat, SEAT_DYING);
    lose_jobs(f, seat, end);
    pool_not_worn(f, seat); /* the next one in the seat is fresh */
    if (!stays) {
        seat_free(f, seat);
    } else if (pool == POOL_NOW(f) || f->reload == RELOAD_SHARING) {
        f->canary.seen.crashes += is_fault && pool != POOL_NOW(f);
        seat_want(f, seat, restart_wait(f, seat, is_fault));
        degraded_check(f);
    } else {
        s->member = NONE;
        reload_abort(f);
        seat_free(f, seat);
    }
}
