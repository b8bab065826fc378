#include "daemon/hosts/stuck_watch.h"
#include "daemon/base/obj.h"
#include <string.h>

#define STUCK_MAGIC 0x5354434bu

/* A stuck worker is seen at most one look late. */
#define LOOKS_PER_LIMIT 8
#define LOOK_MIN_USEC   5000

struct StuckWatch {
    ObjTag tag;
    gint64 limit_usec;
    StuckFunc stuck;
    gpointer user;
    RingFront *ring;
    struct event *timer;
    guint n_watched;
    struct {
        gboolean watched;
        gint64 claimed_usec; /* 0: no worker was seen to have it yet */
    } slots[RING_MAX_SLOTS];
};

static void arm(StuckWatch *watch)
{
    loop_timer_arm(watch->timer, MAX(watch->limit_usec / LOOKS_PER_LIMIT, LOOK_MIN_USEC));
}

static void look(StuckWatch *watch, guint32 slot, gint64 now)
{
    guint32 worker;
    guint16 incarnation;
    if (!watch->slots[slot].watched ||
        !ring_front_claimant(watch->ring, slot, &worker, &incarnation))
        return;
    if (watch->slots[slot].claimed_usec == 0)
        watch->slots[slot].claimed_usec = now;
    else if (now - watch->slots[slot].claimed_usec >= watch->limit_usec)
        watch->stuck(worker, incarnation, watch->user);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    StuckWatch *watch = OBJ_FROM(StuckWatch, arg, STUCK_MAGIC);
    if (watch->n_watched == 0)
        return;
    for (guint32 slot = 0; slot < ring_front_slots(watch->ring); slot++)
        look(watch, slot, loop_now_usec());
    arm(watch);
}

StuckWatch *stuck_watch_new(Loop *loop, gint64 limit_usec, StuckFunc stuck, gpointer user)
{
    StuckWatch *watch = g_new0(StuckWatch, 1);
    OBJ_INIT(watch, STUCK_MAGIC);
    watch->limit_usec = limit_usec;
    watch->stuck = stuck;
    watch->user = user;
    watch->timer = loop_timer_new(loop, on_timer, watch);
    return watch;
}

void stuck_watch_free(StuckWatch *watch)
{
    event_free(watch->timer);
    OBJ_FINI(watch, STUCK_MAGIC);
    g_free(watch);
}

void stuck_watch_set_ring(StuckWatch *watch, RingFront *ring)
{
    watch->ring = ring;
    watch->n_watched = 0;
    memset(watch->slots, 0, sizeof watch->slots);
    evtimer_del(watch->timer);
}

void stuck_watch_add(StuckWatch *watch, guint32 slot)
{
    g_assert(!watch->slots[slot].watched);
    watch->slots[slot].watched = TRUE;
    watch->slots[slot].claimed_usec = 0;
    watch->n_watched++;
    if (!evtimer_pending(watch->timer, NULL))
        arm(watch);
}

void stuck_watch_remove(StuckWatch *watch, guint32 slot)
{
    g_assert(watch->slots[slot].watched);
    watch->slots[slot].watched = FALSE;
    watch->n_watched--;
}
