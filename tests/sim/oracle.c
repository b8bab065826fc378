#include "tests/sim/oracle.h"
#include <string.h>

#define MUST(oracle, holds, ...)                                   \
    do {                                                           \
        if (!(holds)) {                                            \
            g_string_append_printf((oracle)->broken, __VA_ARGS__); \
            g_string_append_c((oracle)->broken, '\n');             \
        }                                                          \
    } while (0)

void oracle_init(Oracle *oracle) { *oracle = (Oracle){ .broken = g_string_new(NULL) }; }
void oracle_clear(Oracle *oracle) { g_string_free(oracle->broken, TRUE); }
void oracle_reset(Oracle *oracle) { oracle->n_admitted = 0; }

static guint number_of(const World *world, const SimJob *job) { return (guint)(job - world->jobs); }
static gboolean is_out(const SimJob *job)
{
    return job->place == SIM_JOB_OUT || job->place == SIM_JOB_CLAIMED;
}
static gboolean waits(const SimJob *job) { return job->place == SIM_JOB_WAITS && job->ends == 0; }

/* --- a job is handed over ---------------------------------------------------------------- */

static void check_key(Oracle *oracle, const World *world, const SimJob *job)
{
    for (guint i = 0; i < world->n_jobs && job->key != 0; i++) {
        const SimJob *other = &world->jobs[i];
        if (other == job || other->key != job->key)
            continue;
        MUST(oracle, !is_out(other), "jobs %u and %u of one key are out together", i,
             number_of(world, job));
        MUST(oracle, !waits(other) || i > number_of(world, job),
             "job %u was started before %u, which is of its key and older", number_of(world, job),
             i);
    }
}

/* Among jobs that nothing but the queue holds up. */
static void check_turn(Oracle *oracle, const World *world, const SimJob *job)
{
    const FactorySettings *s = &world->settings;
    if (job->key != 0 || job->held || s->routing == ROUTING_CUSTOM || s->queue == QUEUE_WEIGHTED ||
        world->share != 0)
        return;
    for (guint i = 0; i < world->n_jobs; i++) {
        const SimJob *other = &world->jobs[i];
        if (other == job || other->key != 0 || other->held || !waits(other))
            continue;
        const gboolean better = s->queue == QUEUE_PRIORITY && other->priority < job->priority;
        const gboolean alike = s->queue == QUEUE_FIFO || other->priority == job->priority;
        MUST(oracle, !better && !(alike && i < number_of(world, job)),
             "job %u was started before %u, whose turn it was", number_of(world, job), i);
    }
}

/* While a next generation has a share, a key, or a connection, belongs to one of the two. */
static void check_share(Oracle *oracle, const World *world, const SimJob *job, guint32 generation)
{
    MUST(oracle,
         generation == factory_generation(world->factory) ||
             (world->share != 0 && generation == world->next),
         "job %u was started in generation %u, which serves not", number_of(world, job),
         generation);
    for (guint i = 0; i < world->n_jobs && world->share != 0; i++) {
        const SimJob *other = &world->jobs[i];
        const gboolean alike = job->key != 0
                                   ? other->key == job->key
                                   : other->key == 0 && other->connection == job->connection;
        MUST(oracle,
             other == job || other->share != world->share || !alike ||
                 other->generation == generation,
             "jobs %u and %u of one client were started in two generations", i,
             number_of(world, job));
    }
}

static void check_start(Oracle *oracle, const World *world, const SimJob *job, guint32 worker)
{
    const gint64 expires = job->tries > 0 ? job->deadline_usec : job->expires_usec;
    MUST(oracle, job->place == SIM_JOB_WAITS && job->ends == 0,
         "job %u was started and did not wait", number_of(world, job));
    MUST(oracle, world->now_usec < expires, "job %u was started when its time had passed",
         number_of(world, job));
    MUST(oracle, !job->cancelled, "job %u was started although it was cancelled",
         number_of(world, job));
    if (worker != WORLD_NOBODY)
        MUST(oracle, world_serves(world, worker),
             "job %u was handed to worker %u, which serves not", number_of(world, job), worker);
    check_key(oracle, world, job);
    check_turn(oracle, world, job);
}

/* --- admission --------------------------------------------------------------------------- */

/* In any time there may be the burst, and what the rate gives. */
static void check_rate(Oracle *oracle, const World *world)
{
    const FactoryRate *rate = &world->settings.rate;
    oracle->admitted_usec[oracle->n_admitted++] = world->now_usec;
    if (rate->count == 0 || world->settings.shape)
        return;
    for (guint i = 0; i < oracle->n_admitted; i++) {
        const gint64 span = world->now_usec - oracle->admitted_usec[i];
        const guint64 most =
            rate->burst + (guint64)span * rate->count / (guint64)rate->per_usec + 1;
        MUST(oracle, oracle->n_admitted - i <= most,
             "%u jobs were admitted in %" G_GINT64_FORMAT " us", oracle->n_admitted - i, span);
    }
}

void oracle_after_submit(Oracle *oracle, const World *world, const SimJob *job)
{
    const FactorySettings *s = &world->settings;
    const FactoryStats *stats = factory_stats(world->factory);
    MUST(oracle, job->id != 0 || job->ends == 1, "job %u is neither in nor refused",
         number_of(world, job));
    if (!waits(job))
        return;
    MUST(oracle, stats->queued <= s->queue_hard_limit,
         "%" G_GUINT64_FORMAT " wait: over the hard limit", stats->queued);
    MUST(oracle, s->discard == DISCARD_NONE || job->no_discard || stats->queued <= s->queue_limit,
         "%" G_GUINT64_FORMAT " wait: over the limit", stats->queued);
    MUST(oracle, stats->queued_bytes <= s->queue_bytes,
         "%" G_GUINT64_FORMAT " bytes wait: too many", stats->queued_bytes);
}

/* Its generation has been replaced, and its time is over. */
static gboolean is_cut_off(const World *world, guint32 worker)
{
    return world->cut_off_usec > 0 && world->now_usec >= world->cut_off_usec &&
           world->workers[worker].generation < factory_generation(world->factory);
}

/* --- actions ----------------------------------------------------------------------------- */

void oracle_on_action(Oracle *oracle, const World *world, const FactoryAction *action)
{
    const SimJob *job = action->user;
    if (action->kind == ACTION_ADMITTED)
        check_rate(oracle, world);
    else if (action->kind == ACTION_START) {
        check_start(oracle, world, job, action->worker);
        check_share(oracle, world, job, (guint32)action->value);
    } else if (action->kind == ACTION_END)
        MUST(oracle, job->ends == 0, "job %u has a second outcome: %s", number_of(world, job),
             factory_reason_token(action->reason));
    else if (action->kind == ACTION_KILL || action->kind == ACTION_WARN ||
             action->kind == ACTION_STUCK)
        MUST(oracle,
             world->workers[action->worker].job != WORLD_NOBODY ||
                 (action->kind == ACTION_KILL && is_cut_off(world, action->worker)),
             "worker %u is taken for stuck, and has no job", action->worker);
    else if (action->kind == ACTION_RETRY)
        MUST(oracle, job->idempotent && job->tries < world->settings.retries && job->ends == 0,
             "job %u is tried again and may not be", number_of(world, job));
}

/* --- what it is like after a step -------------------------------------------------------- */

static gboolean may_run(const World *world, const SimJob *job)
{
    FactoryJobView view;
    if (!waits(job) || !factory_job(world->factory, job->id, &view) ||
        !g_str_equal(view.state, "queued"))
        return FALSE;
    for (guint i = 0; i < world->n_jobs && job->key != 0; i++) {
        const SimJob *other = &world->jobs[i];
        if (other != job && other->key == job->key &&
            (is_out(other) || (waits(other) && other < job)))
            return FALSE;
    }
    return TRUE;
}

static gboolean may_run_anywhere(const World *world, const SimJob *job)
{
    const FactoryRouting routing = world->settings.routing;
    return routing != ROUTING_CUSTOM && (routing != ROUTING_CONSISTENT_HASH || job->key == 0) &&
           may_run(world, job);
}

static guint n_occupied(const World *world)
{
    guint n = 0;
    for (guint i = 0; i < world->n_jobs; i++) {
        const SimJob *job = &world->jobs[i];
        const gboolean for_any = job->place == SIM_JOB_OUT && job->worker == WORLD_NOBODY;
        const gboolean for_one = job->place == SIM_JOB_OUT && job->worker != WORLD_NOBODY;
        n += (for_any && job->generation == factory_generation(world->factory)) ||
             (for_one && world_serves(world, job->worker)) ||
             (job->place == SIM_JOB_CLAIMED &&
              (!job->told_started || world_serves(world, job->worker)));
    }
    return n;
}

static gboolean has_anything(const World *world, guint32 w)
{
    for (guint i = 0; i < world->n_jobs; i++)
        if (is_out(&world->jobs[i]) && world->jobs[i].worker == w)
            return TRUE;
    return FALSE;
}

static void check_work(Oracle *oracle, const World *world)
{
    const SimJob *job = NULL;
    for (guint i = 0; i < world->n_jobs && job == NULL; i++)
        if (may_run_anywhere(world, &world->jobs[i]))
            job = &world->jobs[i];
    if (job == NULL || world->share != 0) /* then factory_check() alone knows whose job it is */
        return;
    guint serving = 0;
    for (guint32 w = 0; w < WORLD_SEATS; w++) {
        serving += world_serves(world, w);
        MUST(oracle,
             factory_routing_is_shared(world->settings.routing) || !world_serves(world, w) ||
                 has_anything(world, w),
             "job %u waits, and worker %u is idle", number_of(world, job), w);
    }
    if (factory_routing_is_shared(world->settings.routing))
        MUST(oracle, n_occupied(world) >= serving, "job %u waits, and %u workers have %u jobs",
             number_of(world, job), serving, n_occupied(world));
}

static void check_cut_off(Oracle *oracle, const World *world)
{
    for (guint32 w = 0; w < WORLD_SEATS && world->cut_off_usec > 0; w++) {
        const SimWorker *worker = &world->workers[w];
        MUST(oracle, worker->state == SIM_NONE || worker->killed || !is_cut_off(world, w),
             "worker %u of a former generation lives on after its time", w);
    }
}

void oracle_after_step(Oracle *oracle, const World *world)
{
    if (oracle->broken->len > 0)
        return; /* the first is what counts */
    factory_check(world->factory, oracle->broken);
    check_work(oracle, world);
    check_cut_off(oracle, world);
    MUST(oracle,
         world->drain_deadline_usec == 0 || world->now_usec < world->drain_deadline_usec ||
             factory_drain_state(world->factory) == FACTORY_DRAINED,
         "the drain's deadline has passed, and it has not ended");
}

/* Only the count of stale reports, or of nothing, may differ. */
void oracle_after_stale(Oracle *oracle, const FactoryStats *before, const World *world)
{
    FactoryStats after = *factory_stats(world->factory);
    after.stale = before->stale;
    MUST(oracle, memcmp(&after, before, sizeof after) == 0,
         "a report about what is over has changed something");
}

static void check_replay(Oracle *oracle, const World *world)
{
    FactoryReplay replay, live;
    if (!factory_replay(world->factory, &replay, &live))
        return;
    MUST(oracle,
         replay.state_digest == live.state_digest && replay.actions_digest == live.actions_digest,
         "played again, the recording of %" G_GUINT64_FORMAT " events ends otherwise",
         replay.events);
}

void oracle_at_end(Oracle *oracle, const World *world)
{
    for (guint i = 0; i < world->n_jobs; i++)
        MUST(oracle, world->jobs[i].ends == 1, "job %u has %u outcomes", i, world->jobs[i].ends);
    MUST(oracle, factory_is_idle(world->factory), "all is over, and the factory is not idle");
    check_replay(oracle, world);
}
