/* rate.h - so many in a time: `none`, `100/s`, `5/100ms`, `1000/m burst 50`.
 *
 * Thread: no state; any thread.                                                              */
#pragma once
#include <glib.h>

typedef struct {
    guint64 count; /* 0: no limit */
    gint64 per_usec;
    guint64 burst; /* that may come at once; as many as `count` unless said otherwise */
} Rate;

#define RATE_MOST  G_GUINT64_CONSTANT(1000000000)
#define RATE_FORMS "none, or as 100/s, 5/100ms or 1000/m burst 50, with us, ms, s, m or h"

gboolean rate_parse(const gchar *text, Rate *rate, GError **error);
