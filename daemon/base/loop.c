#include "daemon/base/loop.h"
#include <time.h>

struct Loop {
    struct event_base *base;
    LoopWatcher *watchers;
    LoopDeferred *deferred;
    gboolean stopped;
};

static void *alloc_or_abort(size_t bytes) { return g_malloc(bytes); }
static void *realloc_or_abort(void *old, size_t bytes) { return g_realloc(old, bytes); }

Loop *loop_new(void)
{
    /* Without memory GLib ends the process; libevent does the same, so that no call to it
     * can fail halfway for want of a few bytes. */
    event_set_mem_functions(alloc_or_abort, realloc_or_abort, g_free);
    Loop *loop = g_new0(Loop, 1);
    loop->base = event_base_new();
    if (loop->base == NULL)
        g_error("loop: libevent has no event base");
    return loop;
}

void loop_free(Loop *loop)
{
    if (loop == NULL)
        return;
    g_assert(loop->watchers == NULL);
    event_base_free(loop->base);
    g_free(loop);
}

struct event_base *loop_base(Loop *loop) { return loop->base; }
void loop_stop(Loop *loop) { loop->stopped = TRUE; }

gint64 loop_now_usec(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

void loop_add_watcher(Loop *loop, LoopWatcher *watcher)
{
    watcher->next = loop->watchers;
    loop->watchers = watcher;
}

void loop_remove_watcher(Loop *loop, LoopWatcher *watcher)
{
    for (LoopWatcher **at = &loop->watchers; *at != NULL; at = &(*at)->next) {
        if (*at == watcher) {
            *at = watcher->next;
            return;
        }
    }
}

void loop_defer(Loop *loop, LoopDeferred *deferred)
{
    if (deferred->queued)
        return;
    deferred->queued = TRUE;
    deferred->next = loop->deferred;
    loop->deferred = deferred;
}

void loop_undefer(Loop *loop, LoopDeferred *deferred)
{
    for (LoopDeferred **at = &loop->deferred; *at != NULL; at = &(*at)->next) {
        if (*at == deferred) {
            *at = deferred->next;
            deferred->queued = FALSE;
            return;
        }
    }
}

/* What is deferred while this runs belongs to the next pass, which then does not sleep. */
static void run_deferred(Loop *loop)
{
    LoopDeferred *next, *list = g_steal_pointer(&loop->deferred);
    for (; list != NULL; list = next) {
        next = list->next;
        list->queued = FALSE;
        list->run(list->user);
    }
}

static gboolean arm_all(Loop *loop)
{
    gboolean work = loop->deferred != NULL;
    for (LoopWatcher *w = loop->watchers; w != NULL; w = w->next)
        work |= w->arm(w->user);
    return work;
}

void loop_run(Loop *loop)
{
    loop->stopped = FALSE;
    while (!loop->stopped) {
        LoopWatcher *next;
        for (LoopWatcher *w = loop->watchers; w != NULL; w = next) {
            next = w->next;
            w->poll(w->user);
        }
        run_deferred(loop);
        if (loop->stopped)
            return;
        const gboolean work = arm_all(loop);
        event_base_loop(loop->base, EVLOOP_ONCE | (work ? EVLOOP_NONBLOCK : 0));
        for (LoopWatcher *w = loop->watchers; w != NULL; w = w->next)
            w->disarm(w->user);
    }
}

struct event *loop_timer_new(Loop *loop, event_callback_fn func, gpointer user)
{
    return event_new(loop->base, -1, 0, func, user);
}

void loop_timer_arm(struct event *timer, gint64 usec)
{
    const struct timeval after = { .tv_sec = usec / G_USEC_PER_SEC,
                                   .tv_usec = usec % G_USEC_PER_SEC };
    event_add(timer, &after);
}
