/* drain.c - an end that comes: no new jobs, the old ones finished or told why not.
 *
 *   RUNNING --drain--> DRAINING --nothing left, or the deadline--> DRAINED
 *      ^                  |                                           |
 *      +----- abort ------+------------------ abort ------------------+                       */
#include "actor/factory/state.h"

static void enter(Factory *f, FactoryDrainState next)
{
    f->drain = next;
    if (next == FACTORY_DRAINING)
        emit(f, ACTION_DRAIN_BEGUN);
    else if (next == FACTORY_DRAINED)
        emit_value(f, ACTION_DRAINED, (gint64)f->drain_cut_off);
}

/* While one is under way, another changes how and until when. */
void drain_begin(Factory *f, FactoryDrainMode mode, gint64 deadline_usec)
{
    f->drain_mode = mode;
    f->drain_deadline_usec = deadline_usec;
    reload_abort(f);
    if (f->drain == FACTORY_RUNNING) {
        f->drain_cut_off = 0;
        f->stats.drains++;
        enter(f, FACTORY_DRAINING);
    }
    if (mode == DRAIN_RUNNING)
        discard_all_waiting(f, REASON_DRAINING);
}

void drain_abort(Factory *f)
{
    if (f->drain != FACTORY_RUNNING)
        enter(f, FACTORY_RUNNING);
}

/* Whoever still waits or runs is answered; their workers go on until they are stopped. */
static void cut_off(Factory *f)
{
    discard_all_waiting(f, REASON_DRAINING);
    for (guint32 i = 0; i < f->n_jobs_allocated; i++) {
        Job *job = job_at(f, i);
        if (job->state == JOB_HANDED) {
            job_recall(f, job, RECALL_DRAIN);
        } else if (job->state == JOB_RUNNING) {
            f->drain_cut_off++;
            answer_running(f, job, REASON_CUT_OFF);
        }
    }
}

void drain_advance(Factory *f)
{
    if (f->drain != FACTORY_DRAINING)
        return;
    if (f->now_usec >= f->drain_deadline_usec && !FAULT(DRAIN_HANGS))
        cut_off(f);
    if (f->stats.queued + f->stats.running == 0)
        enter(f, FACTORY_DRAINED);
}
