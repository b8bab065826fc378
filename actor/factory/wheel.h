/* wheel.h - timers for numbered things: a hierarchical timing wheel (Varghese and Lauck 1987,
 * scheme 6), one millisecond a tick, 64 slots a level.
 *
 * Arming, disarming and taking out what is due are O(1): an entry is moved down at most once
 * per level.  A slot that holds something has its bit set, so that empty time costs nothing,
 * however long it is.  A timer never fires early and at most one tick late.
 *
 *   level 0: |t|t|t|...  64 ticks           the level of an entry is that of the highest
 *   level 1: |64 |64 |   64 x 64 ticks      group of 6 bits in which its tick differs from now
 *
 * Thread: its owner's.   Owns: its nodes.   Entries are numbers below wheel_grow().          */
#pragma once
#include <glib.h>

#define WHEEL_LEVELS 7u
#define WHEEL_SLOTS  64u
#define WHEEL_NONE   G_MAXUINT32

typedef struct {
    guint64 tick;
    guint32 prev, next;
    guint32 place;  /* level * WHEEL_SLOTS + slot, one more than all: due, WHEEL_NONE: not armed */
    guint32 unused; /* no padding: states are compared byte by byte */
} WheelNode;

typedef struct {
    guint64 now_tick;
    guint64 used[WHEEL_LEVELS]; /* a bit for each slot that holds something */
    guint32 heads[WHEEL_LEVELS * WHEEL_SLOTS];
    guint32 due; /* entries whose time has come */
    guint32 n_nodes;
    guint32 n_armed;
    WheelNode *nodes;
} Wheel;

void wheel_init(Wheel *wheel, gint64 now_usec);
void wheel_clear(Wheel *wheel);
void wheel_grow(Wheel *wheel, guint32 n_entries);

/* Replaces what was armed. */
void wheel_arm(Wheel *wheel, guint32 entry, gint64 at_usec);
void wheel_disarm(Wheel *wheel, guint32 entry); /* fine when it is not armed */

/* The next entry whose time has come, disarmed; WHEEL_NONE when there is none (any more). */
guint32 wheel_take_due(Wheel *wheel, gint64 now_usec);

/* No timer fires before; G_MAXINT64: none is armed. */
gint64 wheel_next_usec(const Wheel *wheel);
