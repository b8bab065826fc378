#include "daemon/base/loop_actors.h"
#include "daemon/base/obj.h"
#include "daemon/base/random.h"

#define LOOP_ACTORS_MAGIC 0x4c414354u

struct LoopActors {
    ActorLoop interface; /* first: what the system has is this */
    ObjTag tag;
    Loop *loop;
    ActorSystem *system;
    LoopDeferred run;
    struct event *timer;
    gint64 timer_usec; /* armed for then; G_MAXINT64: not */
};

static gint64 now_usec(ActorLoop *interface)
{
    (void)interface;
    return loop_now_usec();
}

static void run(gpointer user)
{
    actor_system_run(OBJ_FROM(LoopActors, user, LOOP_ACTORS_MAGIC)->system);
}

static void wake(ActorLoop *interface)
{
    LoopActors *actors = OBJ_FROM(LoopActors, (gpointer)interface, LOOP_ACTORS_MAGIC);
    loop_defer(actors->loop, &actors->run);
}

static void wake_at(ActorLoop *interface, gint64 usec)
{
    LoopActors *actors = OBJ_FROM(LoopActors, (gpointer)interface, LOOP_ACTORS_MAGIC);
    if (usec == actors->timer_usec)
        return;
    actors->timer_usec = usec;
    if (usec == G_MAXINT64)
        evtimer_del(actors->timer);
    else
        loop_timer_arm(actors->timer, MAX(usec - loop_now_usec(), 0));
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    LoopActors *actors = OBJ_FROM(LoopActors, arg, LOOP_ACTORS_MAGIC);
    actors->timer_usec = G_MAXINT64;
    loop_defer(actors->loop, &actors->run);
}

LoopActors *loop_actors_new(Loop *loop)
{
    LoopActors *actors = g_new0(LoopActors, 1);
    OBJ_INIT(actors, LOOP_ACTORS_MAGIC);
    actors->interface = (ActorLoop){ now_usec, wake, wake_at };
    actors->loop = loop;
    actors->run = (LoopDeferred){ .run = run, .user = actors };
    actors->timer = loop_timer_new(loop, on_timer, actors);
    actors->timer_usec = G_MAXINT64;
    actors->system = actor_system_new(&actors->interface, random_secret());
    return actors;
}

void loop_actors_free(LoopActors *actors)
{
    if (actors == NULL)
        return;
    actor_system_free(actors->system);
    loop_undefer(actors->loop, &actors->run);
    event_free(actors->timer);
    OBJ_FINI(actors, LOOP_ACTORS_MAGIC);
    g_free(actors);
}

ActorSystem *loop_actors_system(LoopActors *actors) { return actors->system; }
