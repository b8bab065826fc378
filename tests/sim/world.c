#include "tests/sim/world.h"
#include "tests/sim/world_state.h"
#include <string.h>

/* --- telling ----------------------------------------------------------------------------- */

static void act(World *world, const FactoryAction *action);

void world_step(World *world, const FactoryEvent *event)
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

FactoryEvent world_of_worker(const World *world, FactoryEventKind kind, guint32 worker)
{
    return (FactoryEvent){ .kind = kind,
                           .worker = worker,
                           .incarnation = world->workers[worker].incarnation };
}

void world_tell_started(World *world, SimJob *job)
{
    FactoryEvent event = world_of_worker(world, EVENT_STARTED, job->worker);
    event.job = job->id;
    event.at_usec = job->claimed_usec;
    job->told_started = TRUE;
    world_step(world, &event);
}

static void tell_returned(World *world, SimJob *job)
{
    job->place = SIM_JOB_WAITS;
    world_step(world, &(FactoryEvent){ .kind = EVENT_RETURNED, .job = job->id });
}

/* --- doing ------------------------------------------------------------------------------- */

static void on_start(World *world, SimJob *job, guint32 worker, guint32 generation)
{
    job->place = SIM_JOB_OUT;
    job->worker = worker;
    job->generation = generation;
    job->share = world->share;
    job->handed = ++world->hand_overs;
    job->told_started = job->abandoned = FALSE;
}

static void on_recall(World *world, SimJob *job)
{
    if (job->place == SIM_JOB_OUT)
        tell_returned(world, job);
    else if (job->place == SIM_JOB_CLAIMED)
        world_tell_started(world, job);
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
            world_tell_started(world, &world->jobs[i]);
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
        on_start(world, job, action->worker, (guint32)action->value);
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
    } else if (action->kind == ACTION_NEXT_READY) {
        world->next = (guint32)action->value;
    } else if (action->kind == ACTION_SWAPPED ||
               (action->kind == ACTION_RELOAD_FAILED && action->value == (gint64)world->next)) {
        world->share = world->next = 0;
    }
}

/* --- choosing ---------------------------------------------------------------------------- */

gboolean sim_is_starting(const World *world, guint32 w)
{
    return world->workers[w].state == SIM_STARTING && !world->workers[w].stopping;
}
gboolean sim_lives(const World *world, guint32 w) { return world->workers[w].state != SIM_NONE; }
gboolean sim_has_job(const World *world, guint32 w)
{
    return sim_lives(world, w) && world->workers[w].job != WORLD_NOBODY;
}
gboolean sim_may_claim(const World *world, guint32 w)
{
    const SimWorker *worker = &world->workers[w];
    return sim_lives(world, w) && worker->job == WORLD_NOBODY && !worker->stopping &&
           !worker->killed;
}
/* A worker that is told to stop does so after its job; one that is killed, whatever it does. */
gboolean sim_is_ending(const World *world, guint32 w)
{
    const SimWorker *worker = &world->workers[w];
    return sim_lives(world, w) &&
           (worker->killed || (worker->stopping && worker->job == WORLD_NOBODY));
}

gboolean world_serves(const World *world, guint32 w)
{
    const SimWorker *worker = &world->workers[w];
    return worker->state == SIM_READY && !worker->stopping && !worker->killed &&
           (worker->generation == factory_generation(world->factory) ||
            (world->share != 0 && worker->generation == world->next));
}

/* The nth of those, going round; NOBODY: there is none. */
guint32 world_choose(const World *world, WorkerIs is, guint n)
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

gboolean sim_is_there(const SimJob *job) { return job->place != SIM_JOB_GONE && job->ends == 0; }
gboolean sim_is_over(const SimJob *job) { return job->place == SIM_JOB_GONE && job->id != 0; }
gboolean sim_is_unclaimed(const SimJob *job)
{
    return job->place == SIM_JOB_OUT && job->worker == WORLD_NOBODY;
}

SimJob *world_choose_job(World *world, JobIs is, guint n)
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
        world_tell_started(world, job);
    job->place = SIM_JOB_GONE; /* unless the factory tries it again */
    world->workers[w].job = WORLD_NOBODY;
}

static void tell_dying(World *world, guint32 w)
{
    const FactoryEvent event = world_of_worker(world, EVENT_WORKER_DYING, w);
    world->workers[w].state = SIM_NONE;
    world_step(world, &event);
}

static void tell_ended(World *world, guint32 w, FactoryEnd end)
{
    FactoryEvent event = world_of_worker(world, EVENT_WORKER_ENDED, w);
    event.end = end;
    world_step(world, &event);
}

void world_worker_ends(World *world, guint32 w, FactoryEnd end)
{
    tell_dying(world, w);
    drop_job(world, w);
    for (guint i = 0; i < world->n_jobs; i++)
        if (world->jobs[i].place == SIM_JOB_OUT && world->jobs[i].worker == w)
            tell_returned(world, &world->jobs[i]);
    tell_ended(world, w, end);
}

/* All workers of a generation, and what is in its ring. */
void world_host_gone(World *world, guint32 generation)
{
    gboolean had[WORLD_SEATS] = { FALSE };
    for (guint32 w = 0; w < WORLD_SEATS; w++) {
        had[w] = sim_lives(world, w) && world->workers[w].generation == generation;
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

void world_claim(World *world, guint32 w, gboolean tell)
{
    SimJob *job = job_to_claim(world, w);
    if (job == NULL)
        return;
    job->place = SIM_JOB_CLAIMED;
    job->worker = w;
    job->claimed_usec = world->now_usec;
    world->workers[w].job = (guint32)(job - world->jobs);
    if (tell)
        world_tell_started(world, job);
}

void world_finish_job(World *world, guint32 w, guint how)
{
    static const FactoryReason outcomes[] = { REASON_COMPLETED, REASON_COMPLETED, REASON_COMPLETED,
                                              REASON_APP_ERROR, REASON_BAD_REPLY };
    SimJob *job = &world->jobs[world->workers[w].job];
    FactoryEvent event = world_of_worker(world, EVENT_FINISHED, w);
    event.job = job->id;
    event.at_usec = job->claimed_usec;
    event.reason = outcomes[how % G_N_ELEMENTS(outcomes)];
    if (!job->told_started && (job->claimed_usec >= job->deadline_usec || job->abandoned))
        event.reason = REASON_DEADLINE;
    job->place = SIM_JOB_GONE;
    world->workers[w].job = WORLD_NOBODY;
    world_step(world, &event);
}

/* --- life -------------------------------------------------------------------------------- */

void world_init(World *world, struct Oracle *oracle, guint64 *reached)
{
    memset(world, 0, sizeof *world);
    world->now_usec = G_USEC_PER_SEC;
    world->last_generation = 1;
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
