/* check.c - what is always true of a factory, looked at in all of its tables. */
#include "actor/factory/state.h"

typedef struct {
    const Factory *f;
    GString *out;
    gboolean holds;
} Check;

#define HOLDS(check, condition, ...)                           \
    do {                                                       \
        if (!(condition)) {                                    \
            (check)->holds = FALSE;                            \
            g_string_append_printf((check)->out, __VA_ARGS__); \
            g_string_append_c((check)->out, '\n');             \
        }                                                      \
    } while (0)

static void check_ledger(Check *check)
{
    const FactoryStats *s = &check->f->stats;
    guint64 sum = s->queued + s->running;
    for (guint i = 0; i < REASONS; i++)
        sum += s->ended[i];
    HOLDS(check, s->received == sum,
          "ledger: received %" G_GUINT64_FORMAT ", counted %" G_GUINT64_FORMAT, s->received, sum);
}

static guint64 list_length(const Factory *f, JobLink link, const List *list)
{
    guint64 n = 0;
    for (guint32 i = list->head; i != NONE; i = f->jobs[i].links[link].next)
        n++;
    return n;
}

static void check_jobs(Check *check)
{
    const Factory *f = check->f;
    guint64 waiting = 0, running = 0, bytes = 0, unclaimed[2] = { 0, 0 }, out[2] = { 0, 0 };
    for (guint32 i = 0; i < f->n_jobs_allocated; i++) {
        const Job *job = &f->jobs[i];
        if (job->id == 0)
            continue;
        const gboolean is_out = !job_waits(job);
        waiting += !is_out;
        bytes += is_out ? 0 : job->bytes;
        running += job->state == JOB_HANDED || job->state == JOB_RUNNING;
        const guint pool = job->seat == NONE ? job->pool : job->seat % 2;
        unclaimed[pool] += is_out && job->seat == NONE;
        out[pool] += is_out && (job->seat == NONE || seat_serves(f, job->seat));
        HOLDS(check, is_out == (job->run_place == RUN_NOWHERE) || job->state == JOB_HELD,
              "job %u is in the wrong list", i);
        HOLDS(check, job->state == JOB_HANDED || job->recall == RECALL_NOT,
              "job %u is asked back and not handed over", i);
    }
    HOLDS(check,
          waiting == f->stats.queued && bytes == f->stats.queued_bytes &&
              running == f->stats.running,
          "gauges: %" G_GUINT64_FORMAT " wait, %" G_GUINT64_FORMAT " run", waiting, running);
    for (guint i = 0; i < G_N_ELEMENTS(f->pools); i++) {
        const Pool *pool = &f->pools[i];
        HOLDS(check,
              unclaimed[i] == pool->n_unclaimed &&
                  unclaimed[i] == list_length(f, LINK_OUT, &pool->unclaimed),
              "%" G_GUINT64_FORMAT " are unclaimed", unclaimed[i]);
        HOLDS(check, out[i] == pool->n_out, "%" G_GUINT64_FORMAT " are out, counted %u", out[i],
              pool->n_out);
    }
}

static void check_lanes(Check *check)
{
    const Factory *f = check->f;
    guint32 lanes = 0;
    for (guint32 i = 0; i < f->n_jobs_allocated; i++) {
        const Job *job = &f->jobs[i];
        if (job->id == 0 || job->lane == NONE)
            continue;
        const Lane *lane = &f->lanes[job->lane];
        lanes += lane->current == i;
        HOLDS(check, (lane->current == i) != (job->run_place == RUN_IN_LANE),
              "job %u is neither current nor in line, or both", i);
    }
    HOLDS(check, lanes == f->n_lanes, "%u lanes have a current job, of %u", lanes, f->n_lanes);
}

static void check_seats(Check *check)
{
    const Factory *f = check->f;
    guint32 ready[2] = { 0, 0 }, used[2] = { 0, 0 }, worn[2] = { 0, 0 };
    for (guint32 i = 0; i < 2 * f->workers_most; i++) {
        const Seat *seat = &f->seats[i];
        const gboolean serves = seat_serves(f, i);
        ready[i % 2] += serves;
        used[i % 2] += seat->state != SEAT_FREE;
        worn[i % 2] += seat->is_worn;
        HOLDS(check, bitset_has(&POOL_OF(f, i)->idle, i) == (serves && seat->n_jobs == 0),
              "worker %u is idle and not known to be, or the other way round", i);
        HOLDS(check, list_length(f, LINK_OUT, &seat->jobs) == seat->n_jobs,
              "worker %u has another number of jobs", i);
        HOLDS(check, seat->bound.used == 0 || seat->member != NONE,
              "jobs wait for worker %u, which is not coming back", i);
    }
    for (guint i = 0; i < G_N_ELEMENTS(f->pools); i++) {
        const Pool *pool = &f->pools[i];
        HOLDS(check, ready[i] == pool->n_ready, "%u workers are ready, counted %u", ready[i],
              pool->n_ready);
        HOLDS(check, used[i] == pool->n_seats, "seats in use are miscounted");
        HOLDS(check, worn[i] == pool->n_worn, "%u workers are worn, counted %u", worn[i],
              pool->n_worn);
    }
    HOLDS(check, POOL_NOW(f)->n_members <= f->target, "more members than wanted");
}

/* No worker able to take a waiting job is idle; and where no job may go, none is. */
static void check_work(Check *check)
{
    const Factory *f = check->f;
    const gboolean is_shared = factory_routing_is_shared(f->settings.routing);
    for (guint i = 0; i < G_N_ELEMENTS(f->pools); i++) {
        const Pool *pool = &f->pools[i];
        HOLDS(check, pool->shared.used == 0 || i == f->present || f->reload == RELOAD_SHARING,
              "jobs wait for workers that get none");
        HOLDS(check, pool->shared.used == 0 || !is_shared || pool->n_out >= pool->n_ready,
              "jobs could run, and %u of %u workers have one", pool->n_out, pool->n_ready);
        HOLDS(check, pool->shared.used == 0 || is_shared || pool->idle.n == 0,
              "jobs could run, and workers are idle");
    }
    for (guint32 i = 0; i < 2 * f->workers_most && !is_shared; i++)
        HOLDS(check, f->seats[i].bound.used == 0 || !bitset_has(&POOL_OF(f, i)->idle, i),
              "worker %u is idle, and has jobs of its own", i);
}

gboolean factory_check(const Factory *factory, GString *out)
{
    Check check = { factory, out, TRUE };
    check_ledger(&check);
    check_jobs(&check);
    check_lanes(&check);
    check_seats(&check);
    check_work(&check);
    HOLDS(&check, factory->drain != FACTORY_DRAINED || factory_is_idle(factory),
          "drained, and not idle");
    return check.holds;
}
