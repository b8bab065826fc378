/* report.c - what becomes of jobs that are out: told by their workers, by time, by clients.
 *
 * A report names the job, the worker and which of its lives it speaks of.  One that does not
 * fit is about something that is over: it is counted and changes nothing.                    */
#include "actor/factory/state.h"

#define RETRY_COST 1000 /* thousandths of a token */

/* The worker of a report, NONE if it is not there (any more). */
static guint32 reporter(const Factory *f, const FactoryEvent *event)
{
    if (event->worker >= 2 * f->workers_most)
        return NONE;
    const Seat *seat = &f->seats[event->worker];
    /* Also one that has not said yet that it is ready: it may have claimed a job before. */
    const gboolean lives = seat->state != SEAT_FREE && seat->state != SEAT_WAITING;
    return lives && seat->incarnation == event->incarnation ? event->worker : NONE;
}

static gboolean fits(const Job *job, guint32 worker)
{
    if (job == NULL || worker == NONE || job_waits(job))
        return FALSE;
    if (job->seat == NONE)
        return worker % 2 == job->pool;
    return job->seat == worker || FAULT(STALE_FINISH);
}

/* The driver has answered, whatever with. */
static Recall take_recall(Factory *f, Job *job)
{
    const Recall why = job->recall;
    f->n_recalled -= why != RECALL_NOT;
    job->recall = RECALL_NOT;
    return why;
}

/* --- started ----------------------------------------------------------------------------- */

/* Its caller has its answer; the worker is still busy with it. */
void answer_running(Factory *f, Job *job, FactoryReason reason)
{
    job_end(f, job, reason);
    job_set_state(f, job, JOB_ANSWERED);
    if (FAULT(KEY_OVERLAP))
        lane_leave(f, job);
    emit_job(f, ACTION_ABANDON, job, 0)->worker = job->seat;
    job_arm_timer(f, job);
}

/* It was asked back, but a worker has it. */
static void settle_recall(Factory *f, Job *job)
{
    const Recall why = take_recall(f, job);
    if (why == RECALL_NOT)
        return;
    if (why == RECALL_DRAIN) {
        f->drain_cut_off++;
        answer_running(f, job, REASON_CUT_OFF);
    } else if (f->now_usec >= job->deadline_usec) {
        answer_running(f, job, REASON_LATE);
    } else if (why == RECALL_POISON) {
        job->idempotent = FALSE;
    } else if (why == RECALL_GONE || why == RECALL_CANCELLED) {
        job->gone = TRUE;
        emit_job(f, ACTION_ABANDON, job, 0)->worker = job->seat;
    }
}

static void mark_started(Factory *f, Job *job, guint32 worker, gint64 at_usec)
{
    if (job->seat == NONE) {
        seat_release(f, job);
        seat_take(f, worker, job);
    }
    /* A driver's word for it, and that is a worker's: believed within what is possible. */
    const gint64 earliest = MIN(job->admitted_usec, f->now_usec);
    job->started_usec = at_usec == 0 ? f->now_usec : CLAMP(at_usec, earliest, f->now_usec);
    job->watch_usec = job->started_usec;
    job_set_state(f, job, JOB_RUNNING);
    f->stats.signs_of_life++;
    TRACE(f, job, "runs on " WORKER_FORMAT, WORKER_ARGS(f, worker));
}

void on_started(Factory *f, const FactoryEvent *event)
{
    Job *job = find_job(f, event->job);
    const guint32 worker = reporter(f, event);
    if (!fits(job, worker)) {
        f->stats.stale++;
        return;
    }
    if (job->state != JOB_HANDED)
        return; /* it was told before */
    mark_started(f, job, worker, event->at_usec);
    job_arm_timer(f, job);
    settle_recall(f, job);
}

/* --- finished ---------------------------------------------------------------------------- */

static void measure(Factory *f, const Job *job)
{
    Method *method = &f->methods[job->method];
    const gint64 queue_usec = job->started_usec - job->admitted_usec;
    const gint64 service_usec = f->now_usec - job->started_usec;
    histogram_add(&method->queue_time, queue_usec);
    histogram_add(&method->service_time, service_usec);
    histogram_add(&f->priority_queue_time[job->priority], queue_usec);
    histogram_add(&f->priority_service_time[job->priority], service_usec);
    f->seats[job->seat].busy_usec += (guint64)service_usec;
    method->mean_usec = method->mean_usec == 0
                            ? service_usec
                            : method->mean_usec + (service_usec - method->mean_usec) / 8;
}

/* Completed jobs pay for retries: at most a hundred are saved up. */
static void earn_retry(Factory *f)
{
    f->retry_tokens = MIN(f->retry_tokens + f->settings.retry_budget_permille, 100 * RETRY_COST);
}

/* The worker looked at it and did not run it. */
static FactoryReason unrun_reason(const Factory *f, const Job *job)
{
    if (job->gone)
        return REASON_CLIENT_GONE;
    return f->now_usec >= job->deadline_usec ? REASON_DEADLINE : REASON_TTL_EXPIRED;
}

void on_finished(Factory *f, const FactoryEvent *event)
{
    Job *job = find_job(f, event->job);
    const guint32 worker = reporter(f, event);
    if (!fits(job, worker)) {
        f->stats.stale++;
        return;
    }
    if (job->state == JOB_HANDED)
        mark_started(f, job, worker, event->at_usec);
    const gboolean ran = event->reason != REASON_DEADLINE;
    job->gone |= take_recall(f, job) == RECALL_GONE;
    if (ran)
        measure(f, job);
    if (event->reason == REASON_COMPLETED)
        earn_retry(f);
    if (job->state == JOB_RUNNING)
        job_end(f, job, ran ? event->reason : unrun_reason(f, job));
    seat_release(f, job);
    lane_leave(f, job);
    job_free(f, job);
}

/* --- back, or lost ----------------------------------------------------------------------- */

void job_put_back(Factory *f, Job *job)
{
    seat_release(f, job);
    take_recall(f, job);
    job->started_usec = 0;
    job->seat = NONE;
    job->class_ = class_of(f, job->priority); /* the settings may have changed meanwhile */
    job_set_state(f, job, JOB_QUEUED);
    TRACE(f, job, "is queued again, where it stood");
    make_runnable(f, job);
    job_arm_timer(f, job);
}

void on_returned(Factory *f, const FactoryEvent *event)
{
    Job *job = find_job(f, event->job);
    if (job == NULL || job->state != JOB_HANDED) {
        f->stats.stale++;
        return;
    }
    const Recall why = take_recall(f, job);
    const gboolean cancelled = why == RECALL_GONE || why == RECALL_CANCELLED;
    if (why <= RECALL_BACK || (cancelled && FAULT(START_GONE))) {
        job_put_back(f, job);
        return;
    }
    static const FactoryReason reasons[] = {
        [RECALL_GONE] = REASON_CLIENT_GONE, [RECALL_CANCELLED] = REASON_CANCELLED,
        [RECALL_POISON] = REASON_POISON,    [RECALL_EXPIRED] = REASON_DEADLINE,
        [RECALL_DRAIN] = REASON_DRAINING,
    };
    const gboolean ttl = why == RECALL_EXPIRED && f->now_usec < job->deadline_usec;
    seat_release(f, job);
    job_discard(f, job, ttl ? REASON_TTL_EXPIRED : reasons[why]);
}

/* Only what may run twice, and only while somebody waits, there is time, and few others do. */
gboolean job_may_retry(const Factory *f, const Job *job)
{
    return job->state == JOB_RUNNING && job->idempotent && !job->gone &&
           job->attempt < f->settings.retries && f->now_usec < job->deadline_usec &&
           f->retry_tokens >= RETRY_COST && !f->is_unserved;
}

static void retry(Factory *f, Job *job)
{
    f->retry_tokens -= RETRY_COST;
    f->stats.retried++;
    job->attempt++;
    job->expires_usec = job->deadline_usec; /* its time to live was for the first wait */
    job->warned = job->stuck = FALSE;
    job_put_back(f, job);
    emit_job(f, ACTION_RETRY, job, job->attempt);
}

void job_lose(Factory *f, Job *job, FactoryReason reason)
{
    if (job->state == JOB_HANDED) { /* no worker had started it */
        job_put_back(f, job);
        return;
    }
    if (job_may_retry(f, job)) {
        retry(f, job);
        return;
    }
    if (job->state == JOB_RUNNING) {
        const gboolean denied = job->idempotent && f->settings.retries > 0;
        f->stats.retry_denied += denied;
        job_end(f, job, denied && !job->gone ? REASON_RETRY_EXHAUSTED : reason);
    }
    seat_release(f, job);
    lane_leave(f, job);
    job_free(f, job);
}

void on_lost(Factory *f, const FactoryEvent *event)
{
    Job *job = find_job(f, event->job);
    if (job == NULL || job_waits(job)) {
        f->stats.stale++;
        return;
    }
    if (job->state == JOB_HANDED) {
        take_recall(f, job);
        job_set_state(f, job, JOB_RUNNING);
    }
    job_lose(f, job, event->reason);
}

/* --- asked back -------------------------------------------------------------------------- */

void job_recall(Factory *f, Job *job, Recall why)
{
    const gboolean asked = job->recall != RECALL_NOT;
    job->recall = MAX(job->recall, (guint8)why);
    if (asked)
        return;
    f->n_recalled++;
    emit_job(f, ACTION_RECALL, job, 0)->worker = job->seat;
}

/* So that afterwards each job that is out has a known worker. */
void recall_unclaimed(Factory *f, const Pool *pool)
{
    for (guint32 i = pool->unclaimed.head; i != NONE; i = f->jobs[i].links[LINK_OUT].next)
        job_recall(f, job_at(f, i), RECALL_BACK);
}

void on_expired(Factory *f, Job *job)
{
    if (job->state == JOB_HANDED)
        job_recall(f, job, RECALL_EXPIRED);
    else
        job_discard(f, job,
                    f->now_usec >= job->deadline_usec ? REASON_DEADLINE : REASON_TTL_EXPIRED);
}

void on_cancel(Factory *f, const FactoryEvent *event)
{
    Job *job = find_job(f, event->job);
    static const Recall recalls[REASONS] = { [REASON_CLIENT_GONE] = RECALL_GONE,
                                             [REASON_CANCELLED] = RECALL_CANCELLED,
                                             [REASON_POISON] = RECALL_POISON };
    if (job == NULL || job->state == JOB_ANSWERED) {
        f->stats.stale++;
    } else if (job_waits(job)) {
        job_discard(f, job, event->reason);
    } else if (job->state == JOB_HANDED) {
        job_recall(f, job, recalls[event->reason]);
    } else if (event->reason == REASON_POISON) {
        job->idempotent = FALSE; /* it is in a worker's hands; no other gets it */
    } else if (!job->gone) {     /* it runs to its end and counts as what that is */
        job->gone = TRUE;
        emit_job(f, ACTION_ABANDON, job, 0)->worker = job->seat;
    }
}

/* --- time -------------------------------------------------------------------------------- */

void job_due(Factory *f, Job *job)
{
    if (job_waits(job) || job->state == JOB_HANDED) {
        if (f->now_usec >= job->expires_usec) {
            on_expired(f, job);
        } else {
            g_assert(job->state == JOB_HELD);
            make_runnable(f, job);
            job_arm_timer(f, job);
        }
        return;
    }
    if (job->state == JOB_RUNNING && f->now_usec >= job->deadline_usec)
        answer_running(f, job, REASON_LATE);
    watch_job(f, job);
    job_arm_timer(f, job);
}
