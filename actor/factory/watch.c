/* watch.c - the dead man's switch: jobs that run for too long.
 *
 * Each job is measured by its own running time, from its start or from the last progress that
 * its handler told; a worker without a job is never looked at.  There are warnings at 1, 2, 4
 * and 8 times the expected time, and at stuck_after the worker is killed, or only reported.
 * Killing waits for nothing: the caller is answered, and the worker's end comes as any other. */
#include "actor/factory/state.h"

#define WARNINGS          4u
#define PROTECT_MOST_USEC ((gint64)3600 * G_USEC_PER_SEC)
#define LOOK_LEAST_USEC   5000
#define LOOK_MOST_USEC    ((gint64)G_USEC_PER_SEC)

static gboolean is_watched(const Factory *f, const Job *job)
{
    const guint32 state = job->seat == NONE ? SEAT_FREE : f->seats[job->seat].state;
    return f->settings.stuck != STUCK_OFF && !job->stuck &&
           (state == SEAT_READY || state == SEAT_STOPPING);
}

static gint64 warn_usec(const Factory *f, const Job *job)
{
    if (job->warned >= WARNINGS)
        return G_MAXINT64;
    return MAX(job->watch_usec + (f->settings.stuck_warn_usec << job->warned), job->protect_usec);
}

static gint64 stuck_usec(const Factory *f, const Job *job)
{
    return MAX(job->watch_usec + f->settings.stuck_after_usec, job->protect_usec);
}

gint64 watch_next_usec(const Factory *f, const Job *job)
{
    return is_watched(f, job) ? MIN(warn_usec(f, job), stuck_usec(f, job)) : G_MAXINT64;
}

static void warn(Factory *f, Job *job)
{
    while (warn_usec(f, job) <= f->now_usec)
        job->warned++;
    f->stats.warned++;
    TRACE(f, job, "has run for %u times the expected time", 1u << (job->warned - 1));
    emit_job(f, ACTION_WARN, job, (gint64)1 << (job->warned - 1))->worker = job->seat;
}

void watch_job(Factory *f, Job *job)
{
    if (!is_watched(f, job))
        return;
    if (warn_usec(f, job) <= f->now_usec)
        warn(f, job);
    if (stuck_usec(f, job) > f->now_usec)
        return;
    job->stuck = TRUE;
    f->stats.stuck++;
    TRACE(f, job, "is stuck");
    emit_job(f, ACTION_STUCK, job, f->now_usec - job->watch_usec)->worker = job->seat;
    if (f->settings.stuck == STUCK_KILL)
        seat_kill(f, job->seat, REASON_WORKER_KILLED);
}

/* --- what handlers say ------------------------------------------------------------------- */

static Job *job_that_runs(Factory *f, const FactoryEvent *event)
{
    Job *job = find_job(f, event->job);
    if (job != NULL && (job->state == JOB_RUNNING || job->state == JOB_ANSWERED))
        return job;
    f->stats.stale++;
    return NULL;
}

void on_progress(Factory *f, const FactoryEvent *event)
{
    Job *job = job_that_runs(f, event);
    if (job == NULL || event->at_usec <= job->watch_usec)
        return;
    job->watch_usec = MIN(event->at_usec, f->now_usec);
    job->warned = 0;
    job->stuck = FALSE;
    f->stats.signs_of_life++;
    job_arm_timer(f, job);
}

void on_protect(Factory *f, const FactoryEvent *event)
{
    Job *job = job_that_runs(f, event);
    if (job == NULL)
        return;
    job->protect_usec = MIN(event->at_usec, f->now_usec + PROTECT_MOST_USEC);
    job_arm_timer(f, job);
}

/* --- looking ----------------------------------------------------------------------------- */

/* When a worker takes a job is not always told at once: while jobs are out of which nothing
 * is known, or handlers may have something to say, the driver is asked to look. */
void watch_look(Factory *f)
{
    const gboolean wanted =
        f->settings.stuck != STUCK_OFF && f->stats.running + f->stats.answered_running > 0;
    if (!wanted) {
        f->next_look_usec = G_MAXINT64;
        return;
    }
    const gint64 interval = CLAMP(f->settings.stuck_warn_usec / 2, LOOK_LEAST_USEC, LOOK_MOST_USEC);
    if (f->next_look_usec == G_MAXINT64) {
        f->next_look_usec = f->now_usec + interval;
    } else if (f->next_look_usec <= f->now_usec) {
        f->next_look_usec = f->now_usec + interval;
        f->stats.looks++;
        emit(f, ACTION_LOOK);
        if (FAULT(IDLE_STUCK) && POOL_NOW(f)->idle.n > 0)
            seat_kill(f, bitset_after(&POOL_NOW(f)->idle, 0), REASON_WORKER_KILLED);
    }
}
