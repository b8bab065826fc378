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
    system->timers = g_tree_new_full(by_time, NULL, NULL, NULL);
    system->timers_by_number = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
}

void timers_clear(ActorSystem *system)
{
    g_tree_unref(system->timers);
    g_hash_table_unref(system->timers_by_number);
}

static void forget(ActorSystem *system, Timer *timer)
{
    g_tree_remove(system->timers, timer);
    g_hash_table_remove(system->timers_by_number, &timer->number);
}

guint64 actor_send_after(Actor *self, gint64 usec, guint tag, gint64 number)
{
    ActorSystem *system = self->system;
    Timer *timer = g_new(Timer, 1);
    *timer = (Timer){ .at_usec = system->loop->now_usec(system->loop) + MAX(usec, 0),
                      .number = ++system->next_timer,
                      .actor = self->id,
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
        g_tree_remove(system->timers, timer);
        actor_cast(system, timer->actor, LANE_CONTROL,
                   &(ActorMessage){ .tag = TAG_TIMER, .number = (gint64)timer->number });
    }
}

gboolean timer_open(Actor *actor, ActorMessage *message)
{
    const guint64 number = (guint64)message->number;
    Timer *timer = g_hash_table_lookup(actor->system->timers_by_number, &number);
    if (timer == NULL)
        return FALSE;
    *message = (ActorMessage){ .from = actor->id, .tag = timer->tag, .number = timer->payload };
    forget(actor->system, timer);
    return TRUE;
}

void timers_end(const Actor *actor)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, actor->system->timers_by_number);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Timer *timer = value;
        if (timer->actor != actor->id)
            continue;
        g_tree_remove(actor->system->timers, timer);
        g_hash_table_iter_remove(&iter);
    }
}
