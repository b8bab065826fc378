/* loop.h - the event loop: libevent, plus what must happen once around each wait.
 *
 *        +--> poll watchers --> run deferred --> arm watchers --> wait and run events --+
 *        +------------------------------------------------------------ disarm <--------+
 *
 * Why not only events: replies are collected from shared memory, and the workers signal
 * only when the loop really sleeps (arm); and all replies of a pass leave a connection in
 * one write (deferred).
 *
 * Thread: the one that calls loop_run(), before and during it.
 * Owns:   the event_base.  Borrows: watchers and deferred work until they are removed.      */
#pragma once
#include <event2/event.h>
#include <glib.h>

typedef struct Loop Loop;

Loop *loop_new(void);
void loop_free(Loop *loop); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Loop, loop_free)

struct event_base *loop_base(Loop *loop);
void loop_run(Loop *loop);  /* until loop_stop() */
void loop_stop(Loop *loop); /* after the pass that is running */

/* CLOCK_MONOTONIC in microseconds. */
gint64 loop_now_usec(void);

/* Something with work that no descriptor announces. */
typedef struct LoopWatcher LoopWatcher;
struct LoopWatcher {
    void (*poll)(gpointer user);    /* does what there is to do */
    gboolean (*arm)(gpointer user); /* TRUE: there is something, do not sleep */
    void (*disarm)(gpointer user);
    gpointer user;
    LoopWatcher *next; /* the loop's */
};
void loop_add_watcher(Loop *loop, LoopWatcher *watcher);
void loop_remove_watcher(Loop *loop, LoopWatcher *watcher);

/* Work for the end of the pass, at most once however often it is asked for. */
typedef struct LoopDeferred LoopDeferred;
struct LoopDeferred {
    void (*run)(gpointer user);
    gpointer user;
    gboolean queued; /* the loop's, as next */
    LoopDeferred *next;
};
void loop_defer(Loop *loop, LoopDeferred *deferred);
void loop_undefer(Loop *loop,
                  LoopDeferred *deferred); /* before it goes; fine when it is not asked for */

/* A timer that is not armed yet; never fails on memory (libevent aborts as GLib does). */
struct event *loop_timer_new(Loop *loop, event_callback_fn func, gpointer user);
void loop_timer_arm(struct event *timer, gint64 usec); /* replaces what was armed */
