/* backoff.h - when what died is started again: how long to wait, and how often at all.
 *
 * The first death after a good life restarts at once; each further one doubles the wait,
 * from min to max.  A life of more than `max` is good.  Pure: the caller has the clock and
 * the random numbers.                                                                        */
#pragma once
#include <glib.h>

typedef struct {
    guint deaths; /* in a row */
} Backoff;

static inline gint64 backoff_next_usec(Backoff *backoff, gint64 lived_usec, gint64 min_usec,
                                       gint64 max_usec)
{
    if (lived_usec > max_usec)
        backoff->deaths = 0;
    if (backoff->deaths++ == 0)
        return 0;
    gint64 wait_usec = min_usec;
    for (guint i = 2; i < backoff->deaths && wait_usec < max_usec; i++)
        wait_usec *= 2;
    return MIN(wait_usec, max_usec);
}

/* Up to so many thousandths of it longer, so that many of one cause do not return in step. */
static inline gint64 backoff_jitter_usec(gint64 wait_usec, guint permille, guint64 random)
{
    const guint64 most = (guint64)wait_usec * permille / 1000;
    return wait_usec + (gint64)(most == 0 ? 0 : random % (most + 1));
}

/* Restarts in a sliding window, counted in halves of it: the sum of the last three covers any
 * window that ends now, so never more than `limit` are allowed in one. */
typedef struct {
    gint64 half_since_usec;
    guint64 halves[3]; /* this one, and those before */
} RestartBudget;

/* 0: this one is allowed, and counted.  Else how long until it may be asked again. */
static inline gint64 restart_budget_take(RestartBudget *budget, guint64 limit, gint64 window_usec,
                                         gint64 now_usec)
{
    const gint64 half_usec = MAX(window_usec / 2, 1);
    gint64 passed = (now_usec - budget->half_since_usec) / half_usec;
    budget->half_since_usec += passed * half_usec;
    for (passed = MIN(passed, 3); passed > 0; passed--) {
        budget->halves[2] = budget->halves[1];
        budget->halves[1] = budget->halves[0];
        budget->halves[0] = 0;
    }
    if (budget->halves[0] + budget->halves[1] + budget->halves[2] < limit) {
        budget->halves[0]++;
        return 0;
    }
    return budget->half_since_usec + half_usec - now_usec;
}
