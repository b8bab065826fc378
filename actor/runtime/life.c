/* life.c - how actors start, fail, are started again, stop and end. */
#include "actor/runtime/system.h"

/* How long the children of an actor that failed may take. */
#define FAILED_STOP_USEC ((gint64)5 * G_USEC_PER_SEC)

#define FROM(name) (1u << ACTOR_STATE_##name)
static const struct {
    const gchar *text;
    guint from;
} actor_states[ACTOR_STATES] = {
#define STATE(name, text_, from_) [ACTOR_STATE_##name] = { .text = text_, .from = from_ },
#include "actor/runtime/actor_state.def"
};
#undef FROM

static void set_state(Actor *actor, ActorState next)
{
    if (!(actor_states[next].from & (1u << actor->state)))
        g_error("actor %s: no arrow from %s to %s", actor->options.name,
                actor_states[actor->state].text, actor_states[next].text);
    actor->state = next;
}

const gchar *actor_state_name(const ActorSystem *system, ActorId id)
{
    const Actor *actor = system_find(system, id);
    return actor_states[actor != NULL ? actor->state : ACTOR_STATE_DEAD].text;
}

/* SplitMix64, of the system's seed. */
static guint64 next_random(ActorSystem *system)
{
    guint64 z = system->random += G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static gint64 now_of(const Actor *actor)
{
    return actor->system->loop->now_usec(actor->system->loop);
}

static void tell(ActorSystem *system, ActorId to, const Actor *about, guint tag, ActorEnd end)
{
    actor_cast(system, to, LANE_SUPERVISION,
               &(ActorMessage){ .from = about->id,
                                .tag = tag,
                                .number = end,
                                .data = g_strdup(about->reason != NULL ? about->reason : "stopped"),
                                .free_data = g_free });
}

/* --- the end ----------------------------------------------------------------------------- */

static void continue_stop(Actor *actor);

/* Tells everybody who asked, and its parent, which may have waited for it. */
static void die(Actor *actor, ActorEnd end)
{
    ActorSystem *system = actor->system;
    Actor *parent = system_find(system, actor->parent_id);
    set_state(actor, ACTOR_STATE_DEAD);
    timers_end(actor);
    system->stats.alive--;
    for (guint i = 0; i < actor->watchers->len; i++) {
        const ActorId watcher = g_array_index(actor->watchers, ActorId, i);
        if (actor_is_alive(system, watcher))
            tell(system, watcher, actor, ACTOR_TAG_DOWN, end);
    }
    if (parent != NULL) {
        g_ptr_array_remove(parent->children, actor);
        tell(system, parent->id, actor, ACTOR_TAG_CHILD_DOWN, end);
        if (parent->state == ACTOR_STATE_STOPPING && !parent->is_killed)
            continue_stop(parent);
    }
    if (actor->class->free != NULL)
        actor->class->free(actor);
    g_hash_table_remove(system->actors, &actor->id); /* frees it */
}

void life_free(Actor *actor)
{
    actor->system->stats.dead_letters += mailbox_clear(&actor->mailbox);
    if (actor->is_ready)
        g_queue_remove(&actor->system->ready, actor);
    g_ptr_array_unref(actor->children);
    g_array_unref(actor->watchers);
    g_free(actor->reason);
    g_free(actor);
}

/* Children first, the latest first; then itself. */
void life_kill(Actor *actor)
{
    actor->is_killed = TRUE;
    while (actor->children->len > 0)
        life_kill(actor->children->pdata[actor->children->len - 1]);
    actor->system->stats.kills++;
    if (actor->state != ACTOR_STATE_WAITING && actor->class->kill != NULL)
        actor->class->kill(actor);
    if (actor->reason == NULL)
        actor->reason = g_strdup("killed");
    die(actor, ACTOR_KILLED);
}

/* --- restart ----------------------------------------------------------------------------- */

/* Too often: the supervisor has failed at its task, and says of whom. */
static void escalate(Actor *actor)
{
    ActorSystem *system = actor->system;
    const ActorId parent_id = actor->parent_id;
    g_autofree gchar *reason =
        g_strdup_printf("%s failed too often, at last: %s", actor->options.name, actor->reason);
    die(actor, ACTOR_FAILED);
    Actor *parent = system_find(system, parent_id);
    if (parent != NULL)
        life_fail(parent, reason);
}

static void restart_later(Actor *actor)
{
    const ActorOptions *options = &actor->options;
    const gint64 now_usec = now_of(actor);
    gint64 wait_usec = backoff_next_usec(&actor->backoff, now_usec - actor->started_usec,
                                         options->backoff_min_usec, options->backoff_max_usec);
    wait_usec =
        backoff_jitter_usec(wait_usec, options->jitter_permille, next_random(actor->system));
    if (options->intensity > 0 && restart_budget_take(&actor->budget, options->intensity,
                                                      options->window_usec, now_usec) > 0) {
        escalate(actor);
        return;
    }
    set_state(actor, ACTOR_STATE_WAITING);
    actor->restart_usec = now_usec + MAX(wait_usec, 1); /* others have their turn before */
    actor->system->stats.restarts++;
    tell(actor->system, actor->parent_id, actor, ACTOR_TAG_RESTARTED, ACTOR_FAILED);
    system_arm(actor->system);
}

/* It and its children have ended: for this life, or for good. */
static void conclude(Actor *actor)
{
    const gboolean again = actor->failed && !actor->for_good &&
                           actor->options.restart == RESTART_ON_FAILURE &&
                           system_find(actor->system, actor->parent_id) != NULL;
    if (again)
        restart_later(actor);
    else
        die(actor, actor->failed ? ACTOR_FAILED : ACTOR_STOPPED);
}

/* --- stop -------------------------------------------------------------------------------- */

static void ask_to_stop(Actor *actor)
{
    set_state(actor, ACTOR_STATE_ENDING);
    if (actor->failed || actor->class->stop == NULL)
        conclude(actor); /* what failed has nothing to be asked any more */
    else
        actor->class->stop(actor);
}

/* The child that was started last, then the one before it, and at last itself. */
static void continue_stop(Actor *actor)
{
    if (actor->children->len == 0) {
        ask_to_stop(actor);
        return;
    }
    Actor *child = actor->children->pdata[actor->children->len - 1];
    child->deadline_usec = MIN(child->deadline_usec, actor->stop_by_usec);
    system_arm(actor->system);
    life_stop(child);
}

void life_stop(Actor *actor)
{
    actor->for_good = TRUE;
    if (actor->state == ACTOR_STATE_WAITING) {
        die(actor, ACTOR_STOPPED);
    } else if (actor->state == ACTOR_STATE_RUNNING) {
        actor->stop_by_usec = actor->deadline_usec;
        set_state(actor, ACTOR_STATE_STOPPING);
        continue_stop(actor);
    }
    /* else it is at it already */
}

void life_stopped(Actor *actor)
{
    if (actor->state == ACTOR_STATE_RUNNING)
        life_stop(actor); /* by itself: it is asked for the rest */
    else if (actor->state == ACTOR_STATE_ENDING)
        conclude(actor);
}

void life_fail(Actor *actor, const gchar *reason)
{
    if (actor->state != ACTOR_STATE_RUNNING && actor->state != ACTOR_STATE_ENDING)
        return;
    timers_end(actor);
    actor->system->stats.failures++;
    actor->failed = TRUE;
    g_free(actor->reason);
    actor->reason = g_strdup(reason);
    if (actor->state == ACTOR_STATE_ENDING) { /* it was asked to stop, and did so badly */
        conclude(actor);
        return;
    }
    actor->stop_by_usec = now_of(actor) + FAILED_STOP_USEC;
    set_state(actor, ACTOR_STATE_STOPPING);
    continue_stop(actor);
}

/* --- start ------------------------------------------------------------------------------- */

void life_begin(Actor *actor)
{
    g_autoptr(GError) error = NULL;
    set_state(actor, ACTOR_STATE_RUNNING);
    actor->failed = FALSE;
    g_clear_pointer(&actor->reason, g_free);
    actor->started_usec = now_of(actor);
    actor->restart_usec = G_MAXINT64;
    if (actor->mailbox.n > 0)
        system_make_ready(actor);
    if (actor->class->start != NULL && !actor->class->start(actor, &error))
        life_fail(actor, error->message);
}

/* --- time -------------------------------------------------------------------------------- */

static gint64 clock_of(const Actor *actor)
{
    const gint64 start = actor->state == ACTOR_STATE_WAITING ? actor->restart_usec : G_MAXINT64;
    return MIN(start, actor->deadline_usec);
}

/* There are as many actors here as processes; looking at all of them, and only when one of
 * them has changed or its time has come, is cheaper than keeping them in order. */
static Actor *next_clock(const ActorSystem *system)
{
    GHashTableIter iter;
    gpointer value;
    Actor *next = NULL;
    g_hash_table_iter_init(&iter, system->actors);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Actor *actor = value;
        if (next == NULL || clock_of(actor) < clock_of(next) ||
            (clock_of(actor) == clock_of(next) && actor->id < next->id))
            next = actor;
    }
    return next;
}

gint64 life_next_usec(const ActorSystem *system)
{
    const Actor *actor = next_clock(system);
    return actor != NULL ? clock_of(actor) : G_MAXINT64;
}

void life_due(ActorSystem *system, gint64 now_usec)
{
    Actor *actor;
    while ((actor = next_clock(system)) != NULL && clock_of(actor) <= now_usec) {
        if (actor->deadline_usec <= now_usec)
            life_kill(actor);
        else
            life_begin(actor);
    }
}
