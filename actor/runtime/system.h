/* system.h - what actors and their system are made of.  Private to actor/runtime.
 *
 *   actor.c       ids, mailboxes, the run of a pass
 *   life.c        start, failure, restart, stop, end
 *   timers.c      messages to come                                                           */
#pragma once
#include "actor/runtime/actor.h"
#include "actor/runtime/backoff.h"
#include "actor/runtime/mailbox.h"

typedef enum {
#define STATE(name, text, from) ACTOR_STATE_##name,
#include "actor/runtime/actor_state.def"
    ACTOR_STATES
} ActorState;

struct Actor {
    ActorSystem *system;
    ActorId id, parent_id;
    const ActorClass *class;
    ActorOptions options;
    gpointer data;
    ActorState state;
    Mailbox mailbox;
    GPtrArray *children; /* of Actor, in the order of their start; borrowed */
    GArray *watchers;    /* of ActorId */
    gboolean is_ready;   /* in the system's queue of those with something to do */
    gboolean failed;     /* why it stops */
    gboolean is_killed;  /* its children are being killed: their ends do not go on with its stop */
    gboolean for_good;   /* it is not started again, whatever its options say */
    gchar *reason;
    gint64 started_usec;
    gint64 restart_usec;  /* WAITING: when */
    gint64 deadline_usec; /* of its stop; G_MAXINT64: none */
    gint64 stop_by_usec;  /* STOPPING: of its children's */
    Backoff backoff;
    RestartBudget budget;
};

/* Until its message is handled, so that it can be cancelled even then. */
typedef struct {
    gint64 at_usec;
    guint64 number; /* in the order of their start */
    ActorId actor;
    guint tag;
    gint64 payload;
} Timer;

/* The message of a timer that has fired; `number`: which. */
#define TAG_TIMER 0xffff0004u

struct ActorSystem {
    ActorLoop *loop;
    GHashTable *actors; /* id -> Actor, owned */
    GQueue ready;       /* of Actor */
    GTree *timers;      /* Timer that has not fired, by time and number -> itself; borrowed */
    GHashTable *timers_by_number; /* owned */
    ActorId next_id;
    guint64 next_timer;
    guint64 random;
    ActorStats stats;
};

Actor *system_find(const ActorSystem *system, ActorId id); /* NULL: dead */
void system_make_ready(Actor *actor);
void system_arm(ActorSystem *system); /* for whatever comes next in time */

/* life.c */
void life_begin(Actor *actor); /* WAITING: its time has come */
void life_stop(Actor *actor);  /* asked to, with deadline_usec set */
void life_fail(Actor *actor, const gchar *reason);
void life_stopped(Actor *actor);
void life_kill(Actor *actor);
void life_free(Actor *actor);
void life_due(ActorSystem *system, gint64 now_usec); /* restarts and deadlines */
gint64 life_next_usec(const ActorSystem *system);

/* timers.c */
void timers_due(ActorSystem *system, gint64 now_usec);
/* Makes of a TAG_TIMER what the actor asked for; FALSE: it was cancelled meanwhile. */
gboolean timer_open(Actor *actor, ActorMessage *message);
void timers_end(const Actor *actor); /* all of its life */
gint64 timers_next_usec(const ActorSystem *system);
void timers_init(ActorSystem *system);
void timers_clear(ActorSystem *system);
