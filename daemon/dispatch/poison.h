/* poison.h - calls that kill workers: known again by what they ask, and refused for a while.
 *
 *   unknown --death--> suspect --poison-after deaths in poison-window--> POISON: refused
 *      ^                  |                                               |      ^
 *      |                  | window over                  poison-time over |      | it kills again:
 *      +------------------+                                               v      | twice the time
 *      +-------------------- it ends well ------------------------------ TRIAL --+
 *                                                          one call of it is let through
 *
 * A call is known by a keyed hash of its method, protocol and argument bytes: the same arguments
 * in binary and in compact are two calls.  The table is bounded; who died longest ago is
 * forgotten first.
 *
 * Thread: the loop's.   Owns: its entries.   Never: reads a clock.                           */
#pragma once
#include <glib.h>

typedef struct Poison Poison;

typedef struct {
    guint64 high, low; /* both 0: none */
} PoisonPrint;

typedef struct {
    guint after; /* deaths; 0: nothing is ever refused */
    gint64 window_usec, time_usec;
} PoisonRules;

#define POISON_ENTRIES_MAX 256u

Poison *poison_new(void);
void poison_free(Poison *poison); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Poison, poison_free)

PoisonPrint poison_print(const gchar *method, guint protocol, const guint8 *args, gsize bytes);
gboolean poison_print_is_none(PoisonPrint print);

/* Nothing has died: a call need not be looked at. */
gboolean poison_is_empty(const Poison *poison);

typedef enum { POISON_PASS, POISON_TRIAL, POISON_REFUSE } PoisonVerdict;

/* TRIAL: let it through, and say poison_ended() when it has; others of it are refused until
 * then.  REFUSE: `wait_usec` until it would be tried, `deaths` so far. */
PoisonVerdict poison_check(Poison *poison, PoisonPrint print, gint64 now_usec, gint64 *wait_usec,
                           guint *deaths);

/* A worker has died of it.  TRUE: from now on it is refused. */
gboolean poison_killed(Poison *poison, const PoisonRules *rules, PoisonPrint print,
                       const gchar *method, gint64 now_usec);

/* Of a TRIAL: it ended.  `well`: it ran to its end, and is forgotten; else it is tried again. */
void poison_ended(Poison *poison, PoisonPrint print, gboolean well);

guint poison_clear(Poison *poison); /* returns how many entries there were */

typedef struct {
    const gchar *method;
    guint deaths;
    guint64 refused;
    gint64 last_usec;
    gint64 until_usec; /* 0: it is not refused yet */
} PoisonView;
guint poison_count(const Poison *poison);
PoisonView poison_view(const Poison *poison, guint index);
