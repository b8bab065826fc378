#include "tests/sim/world.h"
#include "tests/sim/oracle.h"
#include <string.h>

#define MSEC 1000

/* --- settings --------------------------------------------------------------------------- */

/* The schedules on file depend on what is drawn here: what is new is drawn last. */

static guint draw(guint64 *random, guint n) { return (guint)(sim_random(random) % n); }

static guint32 route(guint64 key_hash, guint16 method, guint32 n_workers)
{
    (void)n_workers; /* folded by the factory */
    return (guint32)key_hash + method;
}

static FactoryRate draw_rate(guint64 *random)
{
    if (draw(random, 6) != 0)
        return (FactoryRate){ 0, G_USEC_PER_SEC, 1 };
    return (FactoryRate){ 1 + draw(random, 5), (1 + draw(random, 50)) * MSEC, 1 + draw(random, 4) };
}

static void draw_workers(FactorySettings *s, guint64 *random)
{
    s->workers_min = draw(random, 4);
    s->workers_max = s->workers_min + draw(random, WORLD_WORKERS - 3);
    s->capacity = (FactoryCapacity)(draw(random, 4) == 0 ? draw(random, FACTORY_CAPACITIES) : 0);
    s->capacity_step = 1 + draw(random, 2);
    s->capacity_cooldown_usec = draw(random, 200) * MSEC;
    s->capacity_dry_run = draw(random, 4) == 0;
    s->stuck = (FactoryStuck)draw(random, FACTORY_STUCKS);
    s->stuck_after_usec = (8 + draw(random, 100)) * MSEC;
    s->stuck_warn_usec = s->stuck_after_usec / (1 + draw(random, 8));
    s->backoff_min_usec = (1 + draw(random, 10)) * MSEC;
    s->backoff_max_usec = s->backoff_min_usec * (1 + draw(random, 8));
    s->restarts_per_worker = draw(random, 3);
    s->restart_window_usec = (1 + draw(random, 1000)) * MSEC;
    s->retries = draw(random, 3);
    s->retry_budget_permille = draw(random, 1001);
}

void world_settings(FactorySettings *s, guint32 number)
{
    guint64 random = number;
    factory_settings_init(s);
    s->routing = (FactoryRouting)draw(&random, FACTORY_ROUTINGS);
    s->route = route;
    s->lookahead = draw(&random, 4);
    s->queue = (FactoryQueueKind)draw(&random, FACTORY_QUEUES);
    s->ageing_usec = (1 + draw(&random, 50)) * MSEC;
    s->discard = (FactoryDiscard)draw(&random, FACTORY_DISCARDS);
    s->queue_limit = draw(&random, 9);
    s->queue_hard_limit = s->queue_limit + draw(&random, 6);
    s->queue_bytes = 100 + draw(&random, 2000);
    s->queue_target_usec = (1 + draw(&random, 100)) * MSEC;
    s->rate = draw_rate(&random);
    s->client_rate = draw_rate(&random);
    s->shape = draw(&random, 2) == 0;
    draw_workers(s, &random);
    s->n_methods = 1 + draw(&random, 3);
    for (guint i = 0; i < s->n_methods; i++)
        s->methods[i].rate = draw_rate(&random);
}

/* --- telling ----------------------------------------------------------------------------- */

static void act(World *world, const FactoryAction *action);

static void step(World *world, const FactoryEvent *event)
{
    factory_step(world->factory, event, world->now_usec, &world->actions);
    if (world->acting)
        return;
    world->acting = TRUE;
    for (guint i = 0; i < world->actions.n; i++) {
        const FactoryAction action = world->actions.items[i];
        act(world, &action);
    }
    world->actions.n = 0;
    world->acting = FALSE;
    oracle_after_step(world->oracle, world);
}

static FactoryEvent of_worker(const World *world, FactoryEventKind kind, guint32 worker)
{
    return (FactoryEvent){ .kind = kind,
                           .worker = worker,
                           .incarnation = world->workers[worker].incarnation };
}

static void tell_started(World *world, SimJob *job)
{
    FactoryEvent event = of_worker(world, EVENT_STARTED, job->worker);
    event.job = job->id;
    event.at_usec = job->claimed_usec;
    job->told_started = TRUE;
    step(world, &event);
}

static void tell_returned(World *world, SimJob *job)
{
    job->place = SIM_JOB_WAITS;
    step(world, &(FactoryEvent){ .kind = EVENT_RETURNED, .job = job->id });
}

/* --- doing ------------------------------------------------------------------------------- */

static void on_start(World *world, SimJob *job, guint32 worker)
{
    job->place = SIM_JOB_OUT;
    job->worker = worker;
    job->generation = factory_generation(world->factory);
    job->handed = ++world->hand_overs;
    job->told_started = job->abandoned = FALSE;
}

static void on_recall(World *world, SimJob *job)
{
    if (job->place == SIM_JOB_OUT)
        tell_returned(world, job);
    else if (job->place == SIM_JOB_CLAIMED)
        tell_started(world, job);
}

static void on_spawn(World *world, const FactoryAction *action)
{
    world->workers[action->worker] = (SimWorker){ .state = SIM_STARTING,
                                                  .incarnation = action->incarnation,
                                                  .generation = (guint32)action->value,
                                                  .job = WORLD_NOBODY };
}

static void on_look(World *world)
{
    for (guint i = 0; i < world->n_jobs; i++)
        if (world->jobs[i].place == SIM_JOB_CLAIMED && !world->jobs[i].told_started)
            tell_started(world, &world->jobs[i]);
}

static void act(World *world, const FactoryAction *action)
{
    SimJob *job = action->user;
    if (world->reached != NULL) {
        world->reached[action->kind]++;
        if (action->kind == ACTION_END)
            world->reached[FACTORY_ACTIONS + action->reason]++;
    }
    oracle_on_action(world->oracle, world, action);
    if (action->kind == ACTION_ADMITTED) {
        job->id = action->job;
        job->place = SIM_JOB_WAITS;
    } else if (action->kind == ACTION_START) {
        on_start(world, job, action->worker);
    } else if (action->kind == ACTION_END) {
        job->ends++;
        job->place = job->place < SIM_JOB_OUT ? SIM_JOB_GONE : job->place;
    } else if (action->kind == ACTION_RECALL) {
        on_recall(world, job);
    } else if (action->kind == ACTION_RETRY) {
        job->tries++;
        job->place = SIM_JOB_WAITS;
    } else if (action->kind == ACTION_ABANDON) {
        job->abandoned = TRUE;
    } else if (action->kind == ACTION_LOOK) {
        on_look(world);
    } else if (action->kind == ACTION_SPAWN) {
        on_spawn(world, action);
    } else if (action->kind == ACTION_STOP) {
        world->workers[action->worker].stopping = TRUE;
    } else if (action->kind == ACTION_KILL) {
        world->workers[action->worker].killed = TRUE;
    }
}

/* --- choosing ---------------------------------------------------------------------------- */

typedef gboolean (*WorkerIs)(const World *world, guint32 worker);

static gboolean is_starting(const World *world, guint32 w)
{
    return world->workers[w].state == SIM_STARTING && !world->workers[w].stopping;
}
static gboolean lives(const World *world, guint32 w) { return world->workers[w].state != SIM_NONE; }
static gboolean has_job(const World *world, guint32 w)
{
    return lives(world, w) && world->workers[w].job != WORLD_NOBODY;
}
static gboolean may_claim(const World *world, guint32 w)
{
    const SimWorker *worker = &world->workers[w];
    return lives(world, w) && worker->job == WORLD_NOBODY && !worker->stopping && !worker->killed;
}
/* A worker that is told to stop does so after its job; one that is killed, whatever it does. */
static gboolean is_ending(const World *world, guint32 w)
{
    const SimWorker *worker = &world->workers[w];
    return lives(world, w) && (worker->killed || (worker->stopping && worker->job == WORLD_NOBODY));
}

gboolean world_serves(const World *world, guint32 w)
{
    const SimWorker *worker = &world->workers[w];
    return worker->state == SIM_READY && !worker->stopping && !worker->killed &&
           worker->generation == factory_generation(world->factory);
}

/* The nth of those, going round; NOBODY: there is none. */
static guint32 choose(const World *world, WorkerIs is, guint n)
{
    guint count = 0;
    for (guint32 w = 0; w < WORLD_SEATS; w++)
        count += is(world, w);
    if (count == 0)
        return WORLD_NOBODY;
    guint left = n % count;
    for (guint32 w = 0;; w++)
        if (is(world, w) && left-- == 0)
            return w;
}

typedef gboolean (*JobIs)(const SimJob *job);

static gboolean is_there(const SimJob *job) { return job->place != SIM_JOB_GONE && job->ends == 0; }
static gboolean is_over(const SimJob *job) { return job->place == SIM_JOB_GONE && job->id != 0; }
static gboolean is_unclaimed(const SimJob *job)
{
    return job->place == SIM_JOB_OUT && job->worker == WORLD_NOBODY;
}

static SimJob *choose_job(World *world, JobIs is, guint n)
{
    guint count = 0;
    for (guint i = 0; i < world->n_jobs; i++)
        count += is(&world->jobs[i]);
    if (count == 0)
        return NULL;
    guint left = n % count;
    for (guint i = 0;; i++)
        if (is(&world->jobs[i]) && left-- == 0)
            return &world->jobs[i];
}

/* --- workers ----------------------------------------------------------------------------- */

static void drop_job(World *world, guint32 w)
{
    if (world->workers[w].job == WORLD_NOBODY)
        return;
    SimJob *job = &world->jobs[world->workers[w].job];
    if (!job->told_started)
        tell_started(world, job);
    job->place = SIM_JOB_GONE; /* unless the factory tries it again */
    world->workers[w].job = WORLD_NOBODY;
}

static void tell_dying(World *world, guint32 w)
{
    const FactoryEvent event = of_worker(world, EVENT_WORKER_DYING, w);
    world->workers[w].state = SIM_NONE;
    step(world, &event);
}

static void tell_ended(World *world, guint32 w, FactoryEnd end)
{
    FactoryEvent event = of_worker(world, EVENT_WORKER_ENDED, w);
    event.end = end;
    step(world, &event);
}

static void worker_ends(World *world, guint32 w, FactoryEnd end)
{
    tell_dying(world, w);
    drop_job(world, w);
    for (guint i = 0; i < world->n_jobs; i++)
        if (world->jobs[i].place == SIM_JOB_OUT && world->jobs[i].worker == w)
            tell_returned(world, &world->jobs[i]);
    tell_ended(world, w, end);
}

/* All workers of a generation, and what is in its ring. */
static void host_gone(World *world)
{
    const guint32 generation = factory_generation(world->factory);
    gboolean had[WORLD_SEATS] = { FALSE };
    for (guint32 w = 0; w < WORLD_SEATS; w++) {
        had[w] = lives(world, w) && world->workers[w].generation == generation;
        if (had[w])
            tell_dying(world, w);
    }
    for (guint32 w = 0; w < WORLD_SEATS; w++)
        if (had[w])
            drop_job(world, w);
    for (guint i = 0; i < world->n_jobs; i++)
        if (world->jobs[i].place == SIM_JOB_OUT && world->jobs[i].generation == generation)
            tell_returned(world, &world->jobs[i]);
    for (guint32 w = 0; w < WORLD_SEATS; w++)
        if (had[w] && world->workers[w].state == SIM_NONE)
            tell_ended(world, w, END_HOST_GONE);
}

/* Its own call first, then the oldest that is for all of its generation. */
static SimJob *job_to_claim(World *world, guint32 w)
{
    SimJob *found = NULL;
    for (guint i = 0; i < world->n_jobs; i++) {
        SimJob *job = &world->jobs[i];
        if (job->place != SIM_JOB_OUT)
            continue;
        if (job->worker == w)
            return job;
        if (job->worker == WORLD_NOBODY && job->generation == world->workers[w].generation &&
            (found == NULL || job->handed < found->handed))
            found = job;
    }
    return found;
}

static void claim(World *world, guint32 w, gboolean tell)
{
    SimJob *job = job_to_claim(world, w);
    if (job == NULL)
        return;
    job->place = SIM_JOB_CLAIMED;
    job->worker = w;
    job->claimed_usec = world->now_usec;
    world->workers[w].job = (guint32)(job - world->jobs);
    if (tell)
        tell_started(world, job);
}

static void finish(World *world, guint32 w, guint how)
{
    static const FactoryReason outcomes[] = { REASON_COMPLETED, REASON_COMPLETED, REASON_COMPLETED,
                                              REASON_APP_ERROR, REASON_BAD_REPLY };
    SimJob *job = &world->jobs[world->workers[w].job];
    FactoryEvent event = of_worker(world, EVENT_FINISHED, w);
    event.job = job->id;
    event.at_usec = job->claimed_usec;
    event.reason = outcomes[how % G_N_ELEMENTS(outcomes)];
    if (!job->told_started && (job->claimed_usec >= job->deadline_usec || job->abandoned))
        event.reason = REASON_DEADLINE;
    job->place = SIM_JOB_GONE;
    world->workers[w].job = WORLD_NOBODY;
    step(world, &event);
}

/* --- operations -------------------------------------------------------------------------- */

static void play_submit(World *world, const guint32 *p)
{
    if (world->n_jobs == WORLD_JOBS)
        return;
    SimJob *job = &world->jobs[world->n_jobs++];
    const guint key = p[0] % 5;
    *job = (SimJob){ .key = world->settings.routing == ROUTING_QUEUER ? 0 : key,
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
    step(world, &event);
    FactoryJobView view;
    job->held = factory_job(world->factory, job->id, &view) && g_str_equal(view.state, "held");
    oracle_after_submit(world->oracle, world, job);
}

static void play_cancel(World *world, const guint32 *p)
{
    SimJob *job = choose_job(world, is_there, p[0]);
    if (job == NULL)
        return;
    job->cancelled = TRUE;
    step(world, &(FactoryEvent){ .kind = EVENT_CANCEL,
                                 .job = job->id,
                                 .reason = p[1] % 2 == 1 ? REASON_CANCELLED : REASON_CLIENT_GONE });
}

static void play_progress(World *world, const guint32 *p)
{
    const guint32 w = choose(world, has_job, p[0]);
    if (w == WORLD_NOBODY)
        return;
    SimJob *job = &world->jobs[world->workers[w].job];
    if (!job->told_started)
        tell_started(world, job);
    step(world, &(FactoryEvent){ .kind = p[1] % 2 == 1 ? EVENT_PROTECT : EVENT_PROGRESS,
                                 .job = job->id,
                                 .at_usec = world->now_usec + (p[1] % 2) * (gint64)p[2] * MSEC });
}

static void play_stale(World *world, const guint32 *p)
{
    static const FactoryEventKind kinds[] = { EVENT_STARTED,      EVENT_FINISHED,    EVENT_RETURNED,
                                              EVENT_CANCEL,       EVENT_LOST,        EVENT_PROGRESS,
                                              EVENT_WORKER_ENDED, EVENT_WORKER_READY };
    const SimJob *over = choose_job(world, is_over, p[1]);
    const guint32 w = choose(world, has_job, p[1]);
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
            tell_started(world, &world->jobs[world->workers[w].job]);
        if (event.worker < WORLD_SEATS && event.worker != w && p[3] % 4 == 0)
            event.incarnation++;
    }
    step(world, &(FactoryEvent){ .kind = EVENT_TICK }); /* what time brings has come */
    const FactoryStats before = *factory_stats(world->factory);
    step(world, &event);
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
        step(world, &(FactoryEvent){ .kind = EVENT_TICK });
    }
    world->now_usec = until;
    step(world, &(FactoryEvent){ .kind = EVENT_TICK });
}

static void play_settings(World *world, const guint32 *p)
{
    world_settings(&world->settings, p[0]);
    oracle_reset(world->oracle);
    if (world->factory == NULL) {
        world->factory = factory_new(&world->settings, WORLD_WORKERS, p[1], world->now_usec);
        factory_set_recording(world->factory, p[2] % 16 == 0);
        step(world, &(FactoryEvent){ .kind = EVENT_TICK });
    } else {
        step(world, &(FactoryEvent){ .kind = EVENT_SETTINGS, .settings = &world->settings });
    }
}

static void play_worker(World *world, const Op *op)
{
    static const WorkerIs who[OPS] = { [OP_READY] = is_starting,
                                       [OP_CLAIM] = may_claim,
                                       [OP_FINISH] = has_job,
                                       [OP_CRASH] = lives,
                                       [OP_ENDS] = is_ending };
    const guint32 w = choose(world, who[op->kind], op->p[0]);
    if (w == WORLD_NOBODY)
        return;
    if (op->kind == OP_READY) {
        const FactoryEvent event = of_worker(world, EVENT_WORKER_READY, w);
        world->workers[w].state = SIM_READY;
        step(world, &event);
    } else if (op->kind == OP_CLAIM) {
        claim(world, w, op->p[1] % 2 == 0);
    } else if (op->kind == OP_FINISH) {
        finish(world, w, op->p[1]);
    } else if (op->kind == OP_ENDS) {
        worker_ends(world, w, world->workers[w].killed ? END_KILLED : END_PLANNED);
    } else {
        const gboolean planned = op->p[1] % 4 == 1 && world->workers[w].job == WORLD_NOBODY;
        const gboolean started = world->workers[w].state == SIM_READY;
        worker_ends(world, w, planned ? END_PLANNED : started ? END_CRASHED : END_START_FAILED);
    }
}

static void play_lost(World *world, const guint32 *p)
{
    SimJob *job = choose_job(world, is_unclaimed, p[0]);
    if (job == NULL)
        return;
    job->place = SIM_JOB_GONE;
    step(world, &(FactoryEvent){ .kind = EVENT_LOST, .job = job->id, .reason = REASON_HOST_GONE });
}

static void play_drain(World *world, const guint32 *p)
{
    world->drain_deadline_usec = world->now_usec + p[1] * (gint64)MSEC / 4;
    step(world, &(FactoryEvent){ .kind = EVENT_DRAIN,
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
        event.number = factory_generation(world->factory) + 1;
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
    step(world, &event);
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
        host_gone(world);
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
    for (guint i = 0; i < WORLD_SEATS && (w = choose(world, has_job, 0)) != WORLD_NOBODY; i++)
        finish(world, w, 0);
    play_time(world, second);
    oracle_at_end(world->oracle, world);
}

void world_init(World *world, struct Oracle *oracle, guint64 *reached)
{
    memset(world, 0, sizeof *world);
    world->now_usec = G_USEC_PER_SEC;
    world->oracle = oracle;
    world->reached = reached;
    for (guint32 w = 0; w < WORLD_SEATS; w++)
        world->workers[w].job = WORLD_NOBODY;
}

void world_clear(World *world)
{
    factory_free(world->factory);
    factory_actions_clear(&world->actions);
}
