/* jobs.c - the table of jobs: their numbers, states, lists, timers and ends. */
#include "actor/factory/jobs.h"
#include "actor/factory/state.h"
#include <string.h>

#define FROM(name) (1u << JOB_##name)
static const struct {
    const gchar *text;
    guint from;
} job_states[JOB_STATES] = {
#define STATE(name, text_, from_) [JOB_##name] = { .text = text_, .from = from_ },
#include "actor/factory/job_state.def"
};
#undef FROM

/* --- numbers ----------------------------------------------------------------------------- */

static void grow(Factory *f)
{
    const guint32 from = f->n_jobs_allocated, to = MAX(from * 2, 64);
    f->jobs = g_renew(Job, f->jobs, to);
    memset(f->jobs + from, 0, (to - from) * sizeof(Job));
    for (guint32 i = to; i-- > from;) {
        f->jobs[i].next_free = f->free_job;
        f->jobs[i].id = 0;
        f->free_job = i;
    }
    f->n_jobs_allocated = to;
    wheel_grow(&f->job_timers, to);
}

/* Serial numbers are not used twice, so ids are not within 2^32 jobs; and none is 0. */
guint64 job_id(guint64 serial, guint32 index) { return (serial % G_MAXUINT32 + 1) << 32 | index; }

Job *job_new(Factory *f)
{
    if (f->free_job == NONE)
        grow(f);
    const guint32 index = f->free_job;
    Job *job = job_at(f, index);
    f->free_job = job->next_free;
    memset(job, 0, sizeof *job);
    job->serial = f->next_serial++;
    job->id = job_id(job->serial, index);
    job->lane = job->seat = NONE;
    return job;
}

void job_free(Factory *f, Job *job)
{
    const guint32 index = index_of(f, job);
    wheel_disarm(&f->job_timers, index);
    job_set_state(f, job, JOB_FREE);
    job->id = 0;
    job->next_free = f->free_job;
    f->free_job = index;
}

/* --- states ------------------------------------------------------------------------------ */

static void count_waiting(Factory *f, Job *job, gboolean enters)
{
    List *list = &f->waiting[job->no_discard][job->class_];
    if (enters) {
        /* One that comes back is older than those that wait: it goes to where it stood. */
        guint32 before = list->head;
        if (before == NONE || f->jobs[list->tail].serial < job->serial)
            before = NONE;
        while (before != NONE && f->jobs[before].serial < job->serial)
            before = f->jobs[before].links[LINK_WAIT].next;
        list_insert(f->jobs, LINK_WAIT, list, before, index_of(f, job));
    } else {
        list_remove(f->jobs, LINK_WAIT, list, index_of(f, job));
    }
    f->n_waiting[job->no_discard] += enters ? 1 : -1;
    f->stats.queued += enters ? 1 : -1;
    f->stats.queued_bytes += enters ? job->bytes : -(guint64)job->bytes;
    f->stats.queued_cost_usec += enters ? job->cost_usec : -(guint64)job->cost_usec;
}

static gboolean state_runs(JobState state) { return state == JOB_HANDED || state == JOB_RUNNING; }

/* The only place where a job changes state, and so the gauges that count states. */
void job_set_state(Factory *f, Job *job, JobState next)
{
    const JobState was = job->state;
    if (!(job_states[next].from & (1u << was)))
        g_error("job %" G_GUINT64_FORMAT ": no arrow from %s to %s", job->id, job_states[was].text,
                job_states[next].text);
    const gboolean waited = job_waits(job);
    job->state = next;
    if (waited != job_waits(job))
        count_waiting(f, job, !waited);
    f->stats.running += state_runs(next) - state_runs(was);
    f->n_handed += (next == JOB_HANDED) - (was == JOB_HANDED);
    f->stats.answered_running += (next == JOB_ANSWERED) - (was == JOB_ANSWERED);
}

/* --- ends -------------------------------------------------------------------------------- */

void job_end(Factory *f, Job *job, FactoryReason reason)
{
    if (!FAULT(LEDGER))
        f->stats.ended[reason]++;
    if (!job_waits(job))
        canary_saw(f, job, reason);
    TRACE(f, job, "ended: %s (%s)", factory_reason_token(reason), factory_reason_text(reason));
    if (FAULT(NO_END) && reason == REASON_WORKER_CRASHED)
        return;
    emit_job(f, ACTION_END, job, 0)->reason = reason;
    if (FAULT(TWO_ENDS) && reason == REASON_CLIENT_GONE)
        emit_job(f, ACTION_END, job, 0)->reason = reason;
}

void job_discard(Factory *f, Job *job, FactoryReason reason)
{
    job_end(f, job, reason);
    run_remove(f, job);
    lane_leave(f, job);
    job_free(f, job);
}

/* --- timers ------------------------------------------------------------------------------ */

/* A job has one timer, for whatever comes first in its state. */
void job_arm_timer(Factory *f, const Job *job)
{
    gint64 at = G_MAXINT64;
    switch ((JobState)job->state) {
    case JOB_HELD:
        at = MIN(job->hold_usec, job->expires_usec);
        break;
    case JOB_QUEUED:
    case JOB_HANDED:
        at = job->expires_usec;
        break;
    case JOB_RUNNING:
        at = MIN(job->deadline_usec, watch_next_usec(f, job));
        break;
    case JOB_ANSWERED:
        at = watch_next_usec(f, job);
        break;
    case JOB_FREE:
    case JOB_STATES:
        g_assert_not_reached();
    }
    if (at == G_MAXINT64)
        wheel_disarm(&f->job_timers, index_of(f, job));
    else
        wheel_arm(&f->job_timers, index_of(f, job), at);
}

/* --- views ------------------------------------------------------------------------------- */

static FactoryJobView view_of(const Job *job)
{
    return (FactoryJobView){
        .id = job->id,
        .correlation = job->correlation,
        .connection = job->connection,
        .state = job_states[job->state].text,
        .method = job->method,
        .priority = job->priority,
        .attempt = job->attempt,
        .worker = job_waits(job) || job->seat == NONE ? FACTORY_NO_WORKER : job->seat,
        .received_usec = job->received_usec,
        .started_usec = job->started_usec,
        .deadline_usec = job->deadline_usec,
        .user = job->user,
    };
}

gboolean factory_job(const Factory *f, guint64 id, FactoryJobView *view)
{
    const Job *job = find_job(f, id);
    if (job != NULL)
        *view = view_of(job);
    return job != NULL;
}

static gint by_age(gconstpointer a, gconstpointer b, gpointer user)
{
    const Factory *f = user;
    const Job *left = &f->jobs[*(const guint32 *)a], *right = &f->jobs[*(const guint32 *)b];
    const gint out = job_waits(right) - job_waits(left); /* those that wait come first */
    return out != 0 ? out : (left->serial > right->serial) - (left->serial < right->serial);
}

guint factory_list_jobs(const Factory *f, FactoryJobView *views, guint most)
{
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(guint32));
    for (guint32 i = 0; i < f->n_jobs_allocated; i++)
        if (f->jobs[i].id != 0)
            g_array_append_val(found, i);
    g_array_sort_with_data(found, by_age, (gpointer)f);
    const guint n = MIN(most, found->len);
    for (guint i = 0; i < n; i++)
        views[i] = view_of(&f->jobs[g_array_index(found, guint32, i)]);
    return n;
}
