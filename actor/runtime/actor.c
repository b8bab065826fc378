#include "actor/runtime/actor.h"
#include "actor/runtime/system.h"

/* Messages of one actor before others have their turn, and in one run of the system. */
#define ACTOR_BUDGET  16u
#define SYSTEM_BUDGET 1024u

#define MAILBOX_LIMIT 1024u

/* What comes in the lane STOP. */
enum { TAG_STOP, TAG_STOPPED, TAG_FAILED };

Actor *system_find(const ActorSystem *system, ActorId id)
{
    Actor *actor = g_hash_table_lookup(system->actors, &id);
    return actor != NULL && actor->state != ACTOR_STATE_DEAD ? actor : NULL;
}

void system_make_ready(Actor *actor)
{
    if (actor->is_ready)
        return;
    actor->is_ready = TRUE;
    g_queue_push_tail(&actor->system->ready, actor);
    actor->system->loop->wake(actor->system->loop);
}

void system_arm(ActorSystem *system)
{
    system->loop->wake_at(system->loop, MIN(life_next_usec(system), timers_next_usec(system)));
}

/* --- life of the system ------------------------------------------------------------------ */

ActorSystem *actor_system_new(ActorLoop *loop, guint64 seed)
{
    ActorSystem *system = g_new0(ActorSystem, 1);
    system->loop = loop;
    system->random = seed;
    system->actors =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, (GDestroyNotify)life_free);
    g_queue_init(&system->ready);
    timers_init(system);
    return system;
}

static Actor *any_root(const ActorSystem *system)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, system->actors);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (system_find(system, ((Actor *)value)->parent_id) == NULL)
            return value;
    return NULL;
}

void actor_system_free(ActorSystem *system)
{
    Actor *root;
    if (system == NULL)
        return;
    while ((root = any_root(system)) != NULL)
        life_kill(root);
    g_hash_table_unref(system->actors);
    g_queue_clear(&system->ready);
    timers_clear(system);
    g_free(system);
}

const ActorStats *actor_stats(const ActorSystem *system) { return &system->stats; }

/* --- spawn and send ---------------------------------------------------------------------- */

ActorId actor_spawn(ActorSystem *system, ActorId parent_id, const ActorClass *class,
                    const ActorOptions *options, gpointer state)
{
    Actor *parent = system_find(system, parent_id);
    const gboolean orphaned =
        parent_id != 0 && (parent == NULL || parent->state == ACTOR_STATE_ENDING);
    Actor *actor = g_new0(Actor, 1);
    actor->system = system;
    actor->id = ++system->next_id;
    actor->parent_id = parent_id;
    actor->class = class;
    actor->options = *options;
    actor->data = state;
    actor->state = ACTOR_STATE_WAITING;
    actor->children = g_ptr_array_new();
    actor->watchers = g_array_new(FALSE, FALSE, sizeof(ActorId));
    actor->restart_usec = G_MININT64; /* at once */
    actor->deadline_usec = orphaned ? G_MININT64 : G_MAXINT64;
    mailbox_init(&actor->mailbox);
    if (actor->options.mailbox_limit == 0)
        actor->options.mailbox_limit = MAILBOX_LIMIT;
    g_hash_table_insert(system->actors, &actor->id, actor);
    system->stats.alive++;
    if (parent != NULL)
        g_ptr_array_add(parent->children, actor);
    system->loop->wake(system->loop);
    return actor->id;
}

static gboolean is_full(const Actor *actor, ActorLane lane)
{
    return lane == LANE_USER &&
           actor->mailbox.lanes[LANE_USER].length >= actor->options.mailbox_limit;
}

gboolean actor_cast(ActorSystem *system, ActorId to, ActorLane lane, const ActorMessage *message)
{
    Actor *actor = system_find(system, to);
    const gboolean listens = actor != NULL && (lane < LANE_USER || !actor->for_good);
    if (listens && !is_full(actor, lane)) {
        mailbox_push(&actor->mailbox, lane, message);
        system_make_ready(actor);
        return TRUE;
    }
    *(listens ? &system->stats.refused : &system->stats.dead_letters) += 1;
    message_clear(message);
    return FALSE;
}

static void forget_dead_watchers(Actor *actor)
{
    for (guint i = actor->watchers->len; i-- > 0;)
        if (!actor_is_alive(actor->system, g_array_index(actor->watchers, ActorId, i)))
            g_array_remove_index(actor->watchers, i);
}

void actor_monitor(ActorSystem *system, ActorId watcher, ActorId watched)
{
    Actor *actor = system_find(system, watched);
    if (actor != NULL) {
        forget_dead_watchers(actor);
        g_array_append_val(actor->watchers, watcher);
        return;
    }
    actor_cast(system, watcher, LANE_SUPERVISION,
               &(ActorMessage){ .from = watched,
                                .tag = ACTOR_TAG_DOWN,
                                .number = ACTOR_STOPPED,
                                .data = (gpointer) "it was dead before" });
}

void actor_stop(ActorSystem *system, ActorId id, gint64 deadline_usec)
{
    actor_cast(system, id, LANE_STOP, &(ActorMessage){ .tag = TAG_STOP, .number = deadline_usec });
}

void actor_kill(ActorSystem *system, ActorId id)
{
    actor_cast(system, id, LANE_KILL, &(ActorMessage){ .tag = 0 });
}

gboolean actor_is_alive(const ActorSystem *system, ActorId id)
{
    return system_find(system, id) != NULL;
}

/* --- the run ----------------------------------------------------------------------------- */

/* One that waits to be started again hears only what ends it, one that stops also what it needs
 * for that; the rest keeps. */
static ActorLane last_lane(const Actor *actor)
{
    if (actor->state == ACTOR_STATE_RUNNING)
        return LANE_USER;
    return actor->state == ACTOR_STATE_WAITING ? LANE_STOP : LANE_CONTROL;
}

static gboolean has_message(const Actor *actor)
{
    for (guint lane = 0; lane <= last_lane(actor); lane++)
        if (actor->mailbox.lanes[lane].length > 0)
            return TRUE;
    return FALSE;
}

static void change_life(Actor *actor, const ActorMessage *message)
{
    if (message->tag == TAG_FAILED) {
        life_fail(actor, message->data);
    } else if (message->tag == TAG_STOPPED) {
        life_stopped(actor);
    } else {
        actor->deadline_usec = MIN(actor->deadline_usec, message->number);
        system_arm(actor->system);
        life_stop(actor);
    }
}

/* The actor may be gone afterwards. */
static void handle_one(Actor *actor)
{
    ActorSystem *system = actor->system;
    ActorLane lane;
    ActorMessage message;
    mailbox_pop(&actor->mailbox, LANE_KILL, &lane, &message);
    system->stats.handled++;
    if (lane == LANE_KILL) {
        life_kill(actor);
    } else if (lane == LANE_STOP) {
        change_life(actor, &message);
    } else if (actor->class->handle != NULL &&
               (message.tag != TAG_TIMER || timer_open(actor, &message))) {
        actor->class->handle(actor, &message);
    }
    message_clear(&message);
}

static guint run_actor(Actor *actor)
{
    ActorSystem *system = actor->system;
    const ActorId id = actor->id;
    guint handled = 0;
    for (; handled < ACTOR_BUDGET; handled++) {
        actor = system_find(system, id);
        if (actor == NULL || !has_message(actor))
            return handled;
        handle_one(actor);
    }
    actor = system_find(system, id);
    if (actor != NULL && has_message(actor))
        system_make_ready(actor);
    return handled;
}

void actor_system_run(ActorSystem *system)
{
    guint handled = 0;
    Actor *actor;
    const gint64 now_usec = system->loop->now_usec(system->loop);
    life_due(system, now_usec);
    timers_due(system, now_usec);
    while (handled < SYSTEM_BUDGET && (actor = g_queue_pop_head(&system->ready)) != NULL) {
        actor->is_ready = FALSE;
        handled += run_actor(actor);
    }
    life_due(system, now_usec); /* those that were spawned meanwhile */
    if (!g_queue_is_empty(&system->ready))
        system->loop->wake(system->loop);
    system_arm(system);
}

/* --- what an actor does ------------------------------------------------------------------ */

ActorSystem *actor_system(Actor *self) { return self->system; }
ActorId actor_id(const Actor *self) { return self->id; }
ActorId actor_parent(const Actor *self) { return self->parent_id; }
gpointer actor_data(const Actor *self) { return self->data; }
const gchar *actor_name(const Actor *self) { return self->options.name; }

/* Not at once: whoever says so goes on using `self` until it returns. */
void actor_stopped(Actor *self)
{
    actor_cast(self->system, self->id, LANE_STOP, &(ActorMessage){ .tag = TAG_STOPPED });
}

void actor_fail(Actor *self, const gchar *reason)
{
    actor_cast(self->system, self->id, LANE_STOP,
               &(ActorMessage){ .tag = TAG_FAILED, .data = g_strdup(reason), .free_data = g_free });
}
