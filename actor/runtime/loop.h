/* loop.h - what actors need of the loop that they live on.
 *
 * libevent has one in daemon/base/actor_loop.h, tests have one in virtual time.
 * Thread: the loop's.                                                                        */
#pragma once
#include <glib.h>

typedef struct ActorLoop ActorLoop;

struct ActorLoop {
    gint64 (*now_usec)(ActorLoop *loop); /* monotonic */
    /* Wants actor_system_run() in this pass or the next; asked for once until it has run. */
    void (*wake)(ActorLoop *loop);
    /* Wants it when that time has come, instead of the time before; G_MAXINT64: not at all. */
    void (*wake_at)(ActorLoop *loop, gint64 usec);
};
