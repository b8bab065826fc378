/* canary.h - how a new generation is tried: `none`, `5% 30s`, `5% 30s max-errors=1% max-crashes=0`.
 *
 * Thread: no state; any thread.                                                              */
#pragma once
#include <glib.h>

typedef struct {
    guint share_permille; /* of the calls, told apart by key or connection; 0: it is not tried */
    gint64 window_usec;
    guint errors_permille; /* of its calls that may end badly */
    guint crashes;         /* of its workers */
} Canary;

#define CANARY_FORMS "none, or as 5% 30s, with max-errors=1% and max-crashes=0 behind it"

gboolean canary_parse(const gchar *text, Canary *canary, GError **error);
