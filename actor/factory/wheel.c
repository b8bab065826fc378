#include "actor/factory/wheel.h"
#include <string.h>

#define SLOT_BITS     6u
#define USEC_PER_TICK 1000
#define PLACE_DUE     (WHEEL_LEVELS * WHEEL_SLOTS)
#define MAX_TICK      (((guint64)1 << (SLOT_BITS * WHEEL_LEVELS)) - 1)

void wheel_init(Wheel *wheel, gint64 now_usec)
{
    memset(wheel, 0, sizeof *wheel);
    memset(wheel->heads, 0xff, sizeof wheel->heads);
    wheel->due = WHEEL_NONE;
    wheel->now_tick = (guint64)MAX(now_usec, 0) / USEC_PER_TICK;
}

void wheel_clear(Wheel *wheel) { g_clear_pointer(&wheel->nodes, g_free); }

void wheel_grow(Wheel *wheel, guint32 n_entries)
{
    if (n_entries <= wheel->n_nodes)
        return;
    wheel->nodes = g_renew(WheelNode, wheel->nodes, n_entries);
    for (guint32 i = wheel->n_nodes; i < n_entries; i++)
        wheel->nodes[i] = (WheelNode){ 0, WHEEL_NONE, WHEEL_NONE, WHEEL_NONE, 0 };
    wheel->n_nodes = n_entries;
}

static guint32 *head_of(Wheel *wheel, guint32 place)
{
    return place == PLACE_DUE ? &wheel->due : &wheel->heads[place];
}

static void link_at(Wheel *wheel, guint32 entry, guint32 place)
{
    WheelNode *node = &wheel->nodes[entry];
    guint32 *head = head_of(wheel, place);
    node->place = place;
    node->prev = WHEEL_NONE;
    node->next = *head;
    if (*head != WHEEL_NONE)
        wheel->nodes[*head].prev = entry;
    *head = entry;
    if (place != PLACE_DUE)
        wheel->used[place / WHEEL_SLOTS] |= (guint64)1 << place % WHEEL_SLOTS;
}

static void unlink_from(Wheel *wheel, guint32 entry)
{
    WheelNode *node = &wheel->nodes[entry];
    guint32 *head = head_of(wheel, node->place);
    if (node->prev == WHEEL_NONE)
        *head = node->next;
    else
        wheel->nodes[node->prev].next = node->next;
    if (node->next != WHEEL_NONE)
        wheel->nodes[node->next].prev = node->prev;
    if (*head == WHEEL_NONE && node->place != PLACE_DUE)
        wheel->used[node->place / WHEEL_SLOTS] &= ~((guint64)1 << node->place % WHEEL_SLOTS);
    node->place = WHEEL_NONE;
}

static void place(Wheel *wheel, guint32 entry)
{
    const guint64 tick = wheel->nodes[entry].tick;
    if (tick <= wheel->now_tick) {
        link_at(wheel, entry, PLACE_DUE);
        return;
    }
    const guint level = (g_bit_storage(tick ^ wheel->now_tick) - 1) / SLOT_BITS;
    const guint slot = (guint)(tick >> (SLOT_BITS * level)) % WHEEL_SLOTS;
    link_at(wheel, entry, level * WHEEL_SLOTS + slot);
}

void wheel_arm(Wheel *wheel, guint32 entry, gint64 at_usec)
{
    g_assert(entry < wheel->n_nodes);
    const guint64 usec = (guint64)CLAMP(at_usec, 0, G_MAXINT64 - USEC_PER_TICK);
    const guint64 tick = MIN((usec + USEC_PER_TICK - 1) / USEC_PER_TICK, MAX_TICK);
    if (wheel->nodes[entry].place != WHEEL_NONE && wheel->nodes[entry].tick == tick)
        return; /* it is there already */
    wheel_disarm(wheel, entry);
    wheel->nodes[entry].tick = tick;
    wheel->n_armed++;
    place(wheel, entry);
}

void wheel_disarm(Wheel *wheel, guint32 entry)
{
    if (wheel->nodes[entry].place == WHEEL_NONE)
        return;
    unlink_from(wheel, entry);
    wheel->n_armed--;
}

/* The first slot that holds something; its level, or WHEEL_LEVELS.  All used slots of a level
 * lie after now's own, and every level ends before the next used slot of a higher one. */
static guint first_slot(const Wheel *wheel, guint *slot, guint64 *starts)
{
    for (guint level = 0; level < WHEEL_LEVELS; level++) {
        if (wheel->used[level] == 0)
            continue;
        const guint shift = SLOT_BITS * level;
        *slot = (guint)__builtin_ctzll(wheel->used[level]);
        const guint64 above = shift + SLOT_BITS >= 64 ? 0 : wheel->now_tick >> (shift + SLOT_BITS);
        *starts = ((above << SLOT_BITS) | *slot) << shift;
        return level;
    }
    return WHEEL_LEVELS;
}

/* Moves now to the start of a slot and its entries to where they belong from there. */
static void open_slot(Wheel *wheel, guint level, guint slot, guint64 starts)
{
    wheel->now_tick = starts;
    const guint32 from = level * WHEEL_SLOTS + slot;
    while (wheel->heads[from] != WHEEL_NONE) {
        const guint32 entry = wheel->heads[from];
        unlink_from(wheel, entry);
        place(wheel, entry);
    }
}

guint32 wheel_take_due(Wheel *wheel, gint64 now_usec)
{
    if (wheel->due == WHEEL_NONE && now_usec < (gint64)(wheel->now_tick + 1) * USEC_PER_TICK)
        return WHEEL_NONE; /* nearly always: time has not moved by a tick */
    const guint64 now = (guint64)MAX(now_usec, 0) / USEC_PER_TICK;
    guint slot;
    guint64 starts;
    while (wheel->due == WHEEL_NONE && wheel->now_tick < now) {
        const guint level = first_slot(wheel, &slot, &starts);
        if (level == WHEEL_LEVELS || starts > now)
            wheel->now_tick = now;
        else
            open_slot(wheel, level, slot, starts);
    }
    const guint32 entry = wheel->due;
    if (entry != WHEEL_NONE)
        wheel_disarm(wheel, entry);
    return entry;
}

gint64 wheel_next_usec(const Wheel *wheel)
{
    guint slot;
    guint64 starts;
    if (wheel->due != WHEEL_NONE)
        return (gint64)wheel->now_tick * USEC_PER_TICK;
    if (first_slot(wheel, &slot, &starts) == WHEEL_LEVELS)
        return G_MAXINT64;
    return (gint64)starts * USEC_PER_TICK;
}
