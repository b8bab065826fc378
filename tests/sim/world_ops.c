/* world_ops.c - what each operation of a schedule does in the world. */
#include "tests/sim/world_state.h"
#include <string.h>

static void play_submit(World *world, const guint32 *p)
{
    if (world->n_jobs == WORLD_JOBS)
        return;
    SimJob *job = &world->jobs[world->n_jobs++];
    const guint key = p[0] % 5;
    *job = (SimJob){ .key = world->settings.routing == ROUTING_QUEUER ? 0 : key,
                     .connection = p[2] % 5,
                     .priority = (guint8)(p[1] % (FACTORY_PRIORITIES + 1)),
                     .idempotent = (p[2] & 1) != 0,
                     .no_discard = p[2] % 7 == 0,
                     .bytes = 1 + p[1] / 3,
                     .deadline_usec = world->now_usec + (gint64)p[3] * p[3] / 4,
                     .worker = WORLD_NOBODY };
    FactoryEvent event = { .kind = EVENT_SUBMIT };
    event.submit = (FactoryJob){ .user = job,
                                 .has_key = key != 0,
                                 .key = { (guint8)key },
                                 .key_bytes = 1,
                                 .key_hash = key * 3,
                                 .client = p[2] % 3,
                                 .connection = job->connection,
                                 .received_usec = world->now_usec,
                                 .ttl_usec = p[3] % 4 == 0 ? 30 + p[3] * 50 : 0,
                                 .deadline_usec = job->deadline_usec,
                                 .bytes = job->bytes,
                                 .method = (guint16)(p[2] % 4),
                                 .priority = job->priority,
                                 .idempotent = job->idempotent,
                                 .no_discard = job->no_discard };
    job->priority = MIN(job->priority, FACTORY_PRIORITIES - 1);
    job->expires_usec = job->deadline_usec;
    if (event.submit.ttl_usec > 0)
        job->expires_usec = MIN(job->expires_usec, world->now_usec + event.submit.ttl_usec);
    world_step(world, &event);
    FactoryJobView view;
    job->held = factory_job(world->factory, job->id, &view) && g_str_equal(view.state, "held");
    oracle_after_submit(world->oracle, world, job);
}

static void play_cancel(World *world, const guint32 *p)
{
    SimJob *job = world_choose_job(world, sim_is_there, p[0]);
    if (job == NULL)
        return;
    job->cancelled = TRUE;
    static const FactoryReason reasons[] = { REASON_CLIENT_GONE, REASON_CANCELLED, REASON_POISON };
    world_step(world, &(FactoryEvent){ .kind = EVENT_CANCEL,
                                       .job = job->id,
                                       .reason = reasons[p[1] % G_N_ELEMENTS(reasons)] });
}

static void play_progress(World *world, const guint32 *p)
{
    const guint32 w = world_choose(world, sim_has_job, p[0]);
    if (w == WORLD_NOBODY)
        return;
    SimJob *job = &world->jobs[world->workers[w].job];
    if (!job->told_started)
        world_tell_started(world, job);
    world_step(world,
               &(FactoryEvent){ .kind = p[1] % 2 == 1 ? EVENT_PROTECT : EVENT_PROGRESS,
                                .job = job->id,
                                .at_usec = world->now_usec + (p[1] % 2) * (gint64)p[2] * MSEC });
}

static void play_stale(World *world, const guint32 *p)
{
    static const FactoryEventKind kinds[] = { EVENT_STARTED,      EVENT_FINISHED,    EVENT_RETURNED,
                                              EVENT_CANCEL,       EVENT_LOST,        EVENT_PROGRESS,
                                              EVENT_WORKER_ENDED, EVENT_WORKER_READY };
    const SimJob *over = world_choose_job(world, sim_is_over, p[1]);
    const guint32 w = world_choose(world, sim_has_job, p[1]);
    FactoryEvent event = { .kind = kinds[p[0] % G_N_ELEMENTS(kinds)], .reason = REASON_CANCELLED };
    event.worker = p[2] % (WORLD_SEATS + 2);
    event.incarnation =
        event.worker < WORLD_SEATS ? world->workers[event.worker].incarnation - 1 : 0;
    event.job = over != NULL ? over->id : 12345;
    if (p[3] % 2 == 0 && w != WORLD_NOBODY && event.kind <= EVENT_FINISHED) {
        /* A job that runs, told of by a life before, or by a worker that does not have it. */
        event.job = world->jobs[world->workers[w].job].id;
        event.reason = REASON_COMPLETED;
        if (!world->jobs[world->workers[w].job].told_started)
            world_tell_started(world, &world->jobs[world->workers[w].job]);
        if (event.worker < WORLD_SEATS && event.worker != w && p[3] % 4 == 0)
            event.incarnation++;
    }
    world_step(world, &(FactoryEvent){ .kind = EVENT_TICK }); /* what time brings has come */
    const FactoryStats before = *factory_stats(world->factory);
    world_step(world, &event);
    oracle_after_stale(world->oracle, &before, world);
}

static void play_time(World *world, const guint32 *p)
{
    static const gint64 spans[] = { 40,        300,       1 * MSEC,   3 * MSEC,
                                    10 * MSEC, 30 * MSEC, 100 * MSEC, 1000 * MSEC };
    const gint64 until = world->now_usec + spans[p[0] % G_N_ELEMENTS(spans)] + p[1] % 50;
    for (guint i = 0; i < 20 && p[2] % 2 == 0; i++) {
        const gint64 next = factory_next_usec(world->factory);
        if (next > until)
            break;
        world->now_usec = MAX(next, world->now_usec);
        world_step(world, &(FactoryEvent){ .kind = EVENT_TICK });
    }
    world->now_usec = until;
    world_step(world, &(FactoryEvent){ .kind = EVENT_TICK });
}

static void play_settings(World *world, const guint32 *p)
{
    world_settings(&world->settings, p[0]);
    oracle_reset(world->oracle);
    if (world->factory == NULL) {
        world->factory = factory_new(&world->settings, WORLD_WORKERS, 1, p[1], world->now_usec);
        factory_set_recording(world->factory, p[2] % 16 == 0);
        world_step(world, &(FactoryEvent){ .kind = EVENT_TICK });
    } else {
        world_step(world, &(FactoryEvent){ .kind = EVENT_SETTINGS, .settings = &world->settings });
    }
}

static void play_worker(World *world, const Op *op)
{
    static const WorkerIs who[OPS] = { [OP_READY] = sim_is_starting,
                                       [OP_CLAIM] = sim_may_claim,
                                       [OP_FINISH] = sim_has_job,
                                       [OP_CRASH] = sim_lives,
                                       [OP_ENDS] = sim_is_ending };
    const guint32 w = world_choose(world, who[op->kind], op->p[0]);
    if (w == WORLD_NOBODY)
        return;
    if (op->kind == OP_READY) {
        const FactoryEvent event = world_of_worker(world, EVENT_WORKER_READY, w);
        world->workers[w].state = SIM_READY;
        world_step(world, &event);
    } else if (op->kind == OP_CLAIM) {
        world_claim(world, w, op->p[1] % 2 == 0);
    } else if (op->kind == OP_FINISH) {
        world_finish_job(world, w, op->p[1]);
    } else if (op->kind == OP_ENDS) {
        world_worker_ends(world, w, world->workers[w].killed ? END_KILLED : END_PLANNED);
    } else {
        const gboolean planned = op->p[1] % 4 == 1 && world->workers[w].job == WORLD_NOBODY;
        const gboolean started = world->workers[w].state == SIM_READY;
        world_worker_ends(world, w,
                          planned   ? END_PLANNED
                          : started ? END_CRASHED
                                    : END_START_FAILED);
    }
}

static void play_lost(World *world, const guint32 *p)
{
    SimJob *job = world_choose_job(world, sim_is_unclaimed, p[0]);
    if (job == NULL)
        return;
    job->place = SIM_JOB_GONE;
    world_step(world,
               &(FactoryEvent){ .kind = EVENT_LOST, .job = job->id, .reason = REASON_HOST_GONE });
}

static void play_drain(World *world, const guint32 *p)
{
    world->drain_deadline_usec = world->now_usec + p[1] * (gint64)MSEC / 4;
    world_step(world, &(FactoryEvent){ .kind = EVENT_DRAIN,
                                       .mode = p[0] % 2 == 0 ? DRAIN_QUEUE : DRAIN_RUNNING,
                                       .at_usec = world->drain_deadline_usec });
}

static void play_control(World *world, const Op *op)
{
    FactoryEvent event = { .kind = EVENT_TICK };
    if (op->kind == OP_RESIZE) {
        event.kind = EVENT_RESIZE;
        event.number = op->p[0] % (WORLD_WORKERS + 1);
    } else if (op->kind == OP_RELOAD) {
        event.kind = EVENT_RELOAD;
        event.reload = (FactoryReload){ ++world->last_generation, op->p[0] % (WORLD_WORKERS + 1),
                                        WORLD_WORKERS + op->p[1] % (WORLD_MOST - WORLD_WORKERS + 1),
                                        op->p[1] % 4 };
    } else if (op->kind == OP_SWAP) {
        event.kind = EVENT_SWAP;
        event.at_usec = world->now_usec + 1 + op->p[0] % 200 * MSEC / 2;
        if (world->next != 0)
            world->cut_off_usec = event.at_usec;
    } else if (op->kind == OP_CANARY) {
        event.kind = EVENT_CANARY;
        if (world->next != 0 && world->share == 0)
            world->share = ++world->n_shares;
        event.canary = (FactoryCanary){ op->p[0] % 1001, op->p[2] % 400, op->p[3] % 3,
                                        1 + op->p[1] % 100 * MSEC };
    } else if (op->kind == OP_RECYCLE) {
        const guint32 w = world_choose(world, sim_lives, op->p[0]);
        if (w == WORLD_NOBODY)
            return;
        event = world_of_worker(world, EVENT_RECYCLE, w);
    } else if (op->kind == OP_ABORT_RELOAD) {
        event.kind = EVENT_ABORT_RELOAD;
    } else if (op->kind == OP_ABORT_DRAIN) {
        event.kind = EVENT_ABORT_DRAIN;
        world->drain_deadline_usec = 0;
    } else if (op->kind == OP_SERVE) {
        event.kind = EVENT_SERVE;
        event.served = op->p[0] % 3 != 0;
    } else if (op->kind == OP_LOAD) {
        event.kind = EVENT_LOAD;
        event.load.cpu = (guint16)op->p[0];
        event.load.pressure = (guint16)op->p[1];
    }
    world_step(world, &event);
}

void world_play(World *world, const Op *op)
{
    if (world->factory == NULL && op->kind != OP_SETTINGS)
        return;
    if (op->kind == OP_SETTINGS)
        play_settings(world, op->p);
    else if (op->kind == OP_SUBMIT)
        play_submit(world, op->p);
    else if (op->kind >= OP_READY && op->kind <= OP_ENDS)
        play_worker(world, op);
    else if (op->kind == OP_HOST_GONE)
        world_host_gone(world, op->p[0] % 4 == 0 ? world->last_generation
                                                 : factory_generation(world->factory));
    else if (op->kind == OP_CANCEL)
        play_cancel(world, op->p);
    else if (op->kind == OP_PROGRESS)
        play_progress(world, op->p);
    else if (op->kind == OP_STALE)
        play_stale(world, op->p);
    else if (op->kind == OP_LOST)
        play_lost(world, op->p);
    else if (op->kind == OP_DRAIN)
        play_drain(world, op->p);
    else if (op->kind == OP_TIME)
        play_time(world, op->p);
    else
        play_control(world, op);
}

void world_finish(World *world)
{
    static const guint32 drain[] = { 0, 400 }, second[] = { 7, 0, 0 };
    guint32 w;
    if (world->factory == NULL)
        return;
    play_drain(world, drain);
    for (guint i = 0; i < WORLD_SEATS && (w = world_choose(world, sim_has_job, 0)) != WORLD_NOBODY;
         i++)
        world_finish_job(world, w, 0);
    play_time(world, second);
    oracle_at_end(world->oracle, world);
}
