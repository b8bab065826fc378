/* range.h - a number, or two with ".." between them: `4`, `2..16`.
 *
 * Thread: no state; any thread.                                                              */
#pragma once
#include <glib.h>

typedef struct {
    guint min, max; /* equal for a single number */
} Range;

/* Both within 1..most, and in order. */
gboolean range_parse(const gchar *text, guint most, Range *range, GError **error);
