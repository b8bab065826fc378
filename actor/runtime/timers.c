/* timers.c - messages that actors send to themselves later. */
#include "actor/runtime/system.h"

static gint by_time(gconstpointer a, gconstpointer b, gpointer user)
{
    const Timer *left = a, *right = b;
    (void)user;
    if (left->at_usec != right->at_usec)
        return left->at_usec < right->at_usec ? -1 : 1;
    return (left->number > right->number) - (left->number < right->number);
}

void timers_init(ActorSystem *system)
{
    system->timers = g_tree_new_full(by_time, NULL, NULL, g_free);
    system->timers_by_number = g_hash_table_new(g_int64_hash, g_int64_equal);
}

void timers_clear(ActorSystem *system)
{
    g_hash_table_unref(system->timers_by_number);
    g_tree_unref(system->timers);
}

static void forget(ActorSystem *system, Timer *timer)
{
    g_hash_table_remove(system->timers_by_number, &timer->number);
    g_tree_remove(system->timers, timer);
}

guint64 actor_send_after(Actor *self, gint64 usec, guint tag, gint64 number)
{
    ActorSystem *system = self->system;
    Timer *timer = g_new(Timer, 1);
    *timer = (Timer){ .at_usec = system->loop->now_usec(system->loop) + MAX(usec, 0),
                      .number = ++system->next_timer,
                      .actor = self->id,
                      .life = self->life,
                      .tag = tag,
                      .payload = number };
    g_tree_insert(system->timers, timer, timer);
    g_hash_table_insert(system->timers_by_number, &timer->number, timer);
    system_arm(system);
    return timer->number;
}

void actor_cancel_timer(Actor *self, guint64 number)
{
    Timer *timer = g_hash_table_lookup(self->system->timers_by_number, &number);
    if (timer != NULL && timer->actor == self->id)
        forget(self->system, timer);
}

static Timer *first(const ActorSystem *system)
{
    GTreeNode *node = g_tree_node_first(system->timers);
    return node != NULL ? g_tree_node_key(node) : NULL;
}

gint64 timers_next_usec(const ActorSystem *system)
{
    const Timer *timer = first(system);
    return timer != NULL ? timer->at_usec : G_MAXINT64;
}

void timers_due(ActorSystem *system, gint64 now_usec)
{
    Timer *timer;
    while ((timer = first(system)) != NULL && timer->at_usec <= now_usec) {
        const Timer due = *timer;
        const Actor *actor = system_find(system, due.actor);
        forget(system, timer);
        if (actor != NULL && actor->life == due.life)
            actor_cast(system, due.actor, LANE_CONTROL,
                       &(ActorMessage){ .from = due.actor, .tag = due.tag, .number = due.payload });
    }
}
