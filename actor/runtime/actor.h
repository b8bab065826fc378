/* actor.h - actors: things with a mailbox, a life and a supervisor.
 *
 *   actor_cast() --> mailbox: kill > stop > supervision > control > user --> class->handle()
 *
 * Every actor has a parent, which supervises it: when it fails it is started again after a
 * back-off (one for one), and when it fails too often its parent fails with the reason.  A
 * restart keeps the actor's id, its state pointer and the messages that wait for it.  A tree
 * stops in the reverse order of its start, within one deadline; what has not stopped by then
 * is killed.
 *
 * An actor is named by its id, which is never used again: sending to one that is dead is safe.
 *
 * Thread: the system's loop; nothing locks.  A message to an actor never leaves the thread.
 * Owns:   mailboxes, timers, and the payloads of messages until they were handled.
 * Never:  calls an actor from within another one's call, but through its mailbox.            */
#pragma once
#include "actor/runtime/loop.h"
#include <glib.h>

typedef struct ActorSystem ActorSystem;
typedef struct Actor Actor;
typedef guint64 ActorId; /* 0: nobody */

typedef enum {
    LANE_KILL,
    LANE_STOP,
    LANE_SUPERVISION,
    LANE_CONTROL,
    LANE_USER,
    ACTOR_LANES
} ActorLane;

typedef struct {
    ActorId from; /* 0: from outside */
    guint tag;    /* the receiver's own numbers; from 0xffff0000 on the runtime's: see below */
    gint64 number;
    gpointer data;
    GDestroyNotify free_data; /* NULL: nothing to free.  Called once, handled or not */
} ActorMessage;

/* Tags that the runtime sends, in the lane SUPERVISION; `number` is an ActorEnd and `data` the
 * reason as text. */
#define ACTOR_TAG_DOWN       0xffff0001u /* one that was monitored has ended: `from` */
#define ACTOR_TAG_CHILD_DOWN 0xffff0002u /* a child has ended and will not be started again */
#define ACTOR_TAG_RESTARTED  0xffff0003u /* a child has failed, and will be started again */

typedef enum { ACTOR_STOPPED, ACTOR_FAILED, ACTOR_KILLED } ActorEnd;

typedef struct {
    /* Each start, also a restart.  FALSE with `error`: it failed, as by actor_fail().  NULL: fine.
     */
    gboolean (*start)(Actor *self, GError **error);
    void (*handle)(Actor *self, const ActorMessage *message);
    /* Asked to stop, its children have: says actor_stopped(), now or later.  NULL: at once. */
    void (*stop)(Actor *self);
    /* Out of patience: what it holds must go now.  NULL: nothing to do. */
    void (*kill)(Actor *self);
    /* The last word, after any end for good: frees the state.  NULL: nothing to do. */
    void (*free)(Actor *self);
} ActorClass;

typedef enum { RESTART_NEVER, RESTART_ON_FAILURE } ActorRestart;

typedef struct {
    const gchar *name; /* for logs; static or owned by the state */
    ActorRestart restart;
    gint64 backoff_min_usec, backoff_max_usec;
    guint jitter_permille;
    guint64 intensity; /* restarts in the window; 0: no limit */
    gint64 window_usec;
    guint mailbox_limit; /* messages in the lane USER; 0: 1024 */
} ActorOptions;

ActorSystem *actor_system_new(ActorLoop *loop, guint64 seed);
void actor_system_free(ActorSystem *system); /* kills what is left */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ActorSystem, actor_system_free)

/* Handles what waits, some messages of each actor in turn, and timers that are due.  The loop
 * calls it when it was asked to. */
void actor_system_run(ActorSystem *system);

/* The actor starts in the next run.  `parent` 0: nobody supervises it, a failure is its end.
 * One whose parent is dead or about to be ends in the next run without having started. */
ActorId actor_spawn(ActorSystem *system, ActorId parent, const ActorClass *class,
                    const ActorOptions *options, gpointer state);

/* TRUE: it is in the mailbox.  FALSE: the actor is dead, stopping, or its lane USER is full;
 * the payload was freed. */
gboolean actor_cast(ActorSystem *system, ActorId to, ActorLane lane, const ActorMessage *message);

/* `watcher` gets ACTOR_TAG_DOWN when the other ends for good, at once if it has. */
void actor_monitor(ActorSystem *system, ActorId watcher, ActorId watched);

/* Stops it with all below it; whatever lives at the deadline is killed. */
void actor_stop(ActorSystem *system, ActorId id, gint64 deadline_usec);
void actor_kill(ActorSystem *system, ActorId id); /* with all below it, and for good */
gboolean actor_is_alive(const ActorSystem *system, ActorId id);
const gchar *actor_state_name(const ActorSystem *system, ActorId id); /* "running"; "dead" */

typedef struct {
    guint64 handled, dead_letters, refused; /* messages; refused: a full mailbox */
    guint64 restarts, failures, kills;
    guint alive;
} ActorStats;
const ActorStats *actor_stats(const ActorSystem *system);

/* --- what an actor does ------------------------------------------------------------------ */

ActorSystem *actor_system(Actor *self);
ActorId actor_id(const Actor *self);
ActorId actor_parent(const Actor *self);
gpointer actor_data(const Actor *self); /* the state that it was spawned with */
const gchar *actor_name(const Actor *self);

/* It ends: as asked, or by itself.  Both happen after the present call. */
void actor_stopped(Actor *self);
/* It has failed; its options say what follows.  The reason is copied. */
void actor_fail(Actor *self, const gchar *reason);

/* One message with this tag in the lane CONTROL; returns a number to cancel it by.  Timers end
 * with the life that started them. */
guint64 actor_send_after(Actor *self, gint64 usec, guint tag, gint64 number);
void actor_cancel_timer(Actor *self, guint64 timer); /* fine when it was handled */
