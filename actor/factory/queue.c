/* queue.c - jobs that may run, in the order in which they shall.
 *
 * One queue for all workers, and one for each worker whose jobs no other may take.  A class
 * holds its jobs in the order in which they became able to run, so that nothing overtakes
 * within it: what comes back from a worker still has its number and goes in front.
 *
 *   FIFO      one class
 *   PRIORITY  the best class that has a job
 *   WEIGHTED  smooth weighted round robin over the classes that have one (as in nginx), but
 *             whoever has waited for ageing_usec goes first, the longest wait before others  */
#include "actor/factory/state.h"

guint8 class_of(const Factory *f, guint8 priority)
{
    return f->settings.queue == QUEUE_FIFO ? 0 : priority;
}

void run_queue_init(RunQueue *queue)
{
    *queue = (RunQueue){ .used = 0 };
    for (guint i = 0; i < FACTORY_PRIORITIES; i++)
        queue->classes[i] = LIST_EMPTY;
}

static RunQueue *queue_of(Factory *f, const Job *job)
{
    return job->run_place == RUN_IN_SEAT ? &f->seats[job->seat].bound : &f->pools[job->pool].shared;
}

static void insert(Factory *f, RunQueue *queue, Job *job)
{
    List *list = &queue->classes[job->class_];
    guint32 before = NONE;
    if (list->tail != NONE && f->jobs[list->tail].order > job->order) {
        /* It was out: only others that came back can be before it. */
        before = list->head;
        while (f->jobs[before].order < job->order)
            before = f->jobs[before].links[LINK_RUN].next;
    } else if (FAULT(OVERTAKE)) {
        before = list->head;
    }
    list_insert(f->jobs, LINK_RUN, list, before, index_of(f, job));
    queue->used |= 1u << job->class_;
}

void make_runnable(Factory *f, Job *job)
{
    if (job->hold_usec > f->now_usec) {
        if (job->state != JOB_HELD)
            job_set_state(f, job, JOB_HELD);
        job->run_place = RUN_NOWHERE;
        TRACE(f, job, "is held by the rate limit for %" G_GINT64_FORMAT " us",
              job->hold_usec - f->now_usec);
        job_arm_timer(f, job);
        return;
    }
    if (job->state != JOB_QUEUED)
        job_set_state(f, job, JOB_QUEUED);
    if (job->order == 0)
        job->order = ++f->next_order;
    const Pool *pool = pool_for(f, job->has_key, job->key_hash, job->connection);
    job->pool = (guint8)(pool - f->pools);
    job->seat = router_bound_seat(f, pool, job->key_hash, job->method, job->lane != NONE);
    job->run_place = job->seat == NONE ? RUN_IN_SHARED : RUN_IN_SEAT;
    if (job->seat != NONE)
        TRACE(f, job, "may run on " WORKER_FORMAT " only", WORKER_ARGS(f, job->seat));
    insert(f, queue_of(f, job), job);
    if (job->seat != NONE)
        seat_mark_dirty(f, job->seat);
}

void run_remove(Factory *f, Job *job)
{
    if (job->run_place == RUN_IN_LANE) {
        list_remove(f->jobs, LINK_RUN, &f->lanes[job->lane].waiting, index_of(f, job));
    } else if (job->run_place != RUN_NOWHERE) {
        RunQueue *queue = queue_of(f, job);
        list_remove(f->jobs, LINK_RUN, &queue->classes[job->class_], index_of(f, job));
        if (queue->classes[job->class_].head == NONE)
            queue->used &= ~(1u << job->class_);
    }
    job->run_place = RUN_NOWHERE;
}

/* Of the classes whose first job is over age, the one where it waits longest. */
static guint aged_class(const Factory *f, const RunQueue *queue)
{
    guint found = FACTORY_PRIORITIES;
    gint64 oldest = f->now_usec - f->settings.ageing_usec;
    for (guint i = 0; i < FACTORY_PRIORITIES; i++) {
        if (!(queue->used >> i & 1))
            continue;
        const gint64 since = f->jobs[queue->classes[i].head].admitted_usec;
        if (since <= oldest && (found == FACTORY_PRIORITIES || since < oldest)) {
            found = i;
            oldest = since;
        }
    }
    return found;
}

static guint weighted_class(const Factory *f, const RunQueue *queue, gint32 *credit)
{
    guint found = aged_class(f, queue);
    if (found < FACTORY_PRIORITIES)
        return found;
    gint32 sum = 0;
    for (guint i = 0; i < FACTORY_PRIORITIES; i++) {
        if (!(queue->used >> i & 1))
            continue;
        credit[i] += (gint32)f->settings.weights[i];
        sum += (gint32)f->settings.weights[i];
        if (found == FACTORY_PRIORITIES || credit[i] > credit[found])
            found = i;
    }
    credit[found] -= sum;
    return found;
}

/* `credit` is spent by those who take, and only looked at by those who peek. */
static guint next_class(const Factory *f, const RunQueue *queue, gint32 *credit)
{
    if (f->settings.queue == QUEUE_WEIGHTED)
        return weighted_class(f, queue, credit);
    return (guint)__builtin_ctz(queue->used);
}

Job *run_peek(Factory *f, RunQueue *queue)
{
    if (queue->used == 0)
        return NULL;
    gint32 credit[FACTORY_PRIORITIES];
    memcpy(credit, queue->credit, sizeof credit);
    return job_at(f, queue->classes[next_class(f, queue, credit)].head);
}

Job *run_pop(Factory *f, RunQueue *queue)
{
    if (queue->used == 0)
        return NULL;
    Job *job = job_at(f, queue->classes[next_class(f, queue, queue->credit)].head);
    run_remove(f, job);
    return job;
}

/* --- after a change ---------------------------------------------------------------------- */

static gint by_order(gconstpointer a, gconstpointer b, gpointer user)
{
    const Factory *f = user;
    const guint64 left = f->jobs[*(const guint32 *)a].order,
                  right = f->jobs[*(const guint32 *)b].order;
    return (left > right) - (left < right);
}

static void take_all(Factory *f, RunQueue *queue, GArray *taken)
{
    for (guint class_ = 0; class_ < FACTORY_PRIORITIES; class_++) {
        while (queue->classes[class_].head != NONE) {
            const guint32 index = queue->classes[class_].head;
            run_remove(f, job_at(f, index));
            g_array_append_val(taken, index);
        }
        queue->credit[class_] = 0;
    }
}

static gint by_serial(gconstpointer a, gconstpointer b, gpointer user)
{
    const Factory *f = user;
    const guint64 left = f->jobs[*(const guint32 *)a].serial,
                  right = f->jobs[*(const guint32 *)b].serial;
    return (left > right) - (left < right);
}

/* The classes that the settings give to the jobs that wait. */
static void reclass_all(Factory *f)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(guint32));
    for (guint i = 0; i < 2 * FACTORY_PRIORITIES; i++) {
        List *list = &f->waiting[i / FACTORY_PRIORITIES][i % FACTORY_PRIORITIES];
        while (list->head != NONE) {
            const guint32 index = list->head;
            list_remove(f->jobs, LINK_WAIT, list, index);
            g_array_append_val(all, index);
        }
    }
    g_array_sort_with_data(all, by_serial, f);
    for (guint i = 0; i < all->len; i++) {
        Job *job = job_at(f, g_array_index(all, guint32, i));
        job->class_ = class_of(f, job->priority);
        list_insert(f->jobs, LINK_WAIT, &f->waiting[job->no_discard][job->class_], NONE,
                    index_of(f, job));
    }
}

/* Linear in what waits and in the seats; settings and pools do not change often. */
void requeue_all(Factory *f)
{
    g_autoptr(GArray) taken = g_array_new(FALSE, FALSE, sizeof(guint32));
    for (guint i = 0; i < G_N_ELEMENTS(f->pools); i++)
        take_all(f, &f->pools[i].shared, taken);
    for (guint32 seat = 0; seat < 2 * f->workers_most; seat++)
        take_all(f, &f->seats[seat].bound, taken);
    reclass_all(f);
    g_array_sort_with_data(taken, by_order, f);
    for (guint i = 0; i < taken->len; i++)
        make_runnable(f, job_at(f, g_array_index(taken, guint32, i)));
}
