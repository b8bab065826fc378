/* backoff.h - how long to wait before a process that died is started again.
 *
 * The first death after a good life restarts at once; each further one doubles the wait,
 * from min to max.  A life of more than `max` is good.  Pure: the caller has the clock.     */
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
