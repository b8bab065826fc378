#include "daemon/drain.h"
#include "daemon/base/log.h"

typedef struct {
    Dispatch *dispatch;
    gint64 timeout_usec;
} Drain;

static gboolean on_start(Actor *self, GError **error)
{
    Drain *drain = actor_data(self);
    (void)error;
    dispatch_drain(drain->dispatch, loop_now_usec() + drain->timeout_usec);
    return TRUE;
}

/* The factories keep the deadline themselves: the end comes, whatever workers do. */
static void on_end(Actor *self, const ActorMessage *message)
{
    log_info("drain.over cut_off=%" G_GINT64_FORMAT, message->number);
    actor_cast(actor_system(self), actor_parent(self), LANE_CONTROL,
               &(ActorMessage){
                   .from = actor_id(self), .tag = DRAIN_TAG_OVER, .number = message->number });
    actor_stopped(self);
}

static void on_free(Actor *self) { g_free(actor_data(self)); }

ActorId drain_spawn(ActorSystem *actors, ActorId parent, Dispatch *dispatch, gint64 timeout_usec)
{
    static const ActorClass class = { .start = on_start, .handle = on_end, .free = on_free };
    const ActorOptions options = { .name = "drain", .restart = RESTART_NEVER };
    Drain *drain = g_new(Drain, 1);
    *drain = (Drain){ dispatch, timeout_usec };
    return actor_spawn(actors, parent, &class, &options, drain);
}

void drain_take_end(ActorSystem *actors, ActorId drain, guint64 cut_off)
{
    actor_cast(actors, drain, LANE_CONTROL, &(ActorMessage){ .number = (gint64)cut_off });
}
