/* range.c - see range.h. */
#include "config/range.h"
#include "config/config.h"
#include <string.h>

static gboolean parse_bound(const gchar *text, guint most, guint *bound, GError **error)
{
    guint64 number;
    if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text)) {
        g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, "not a number");
        return FALSE;
    }
    if (!g_ascii_string_to_unsigned(text, 10, 1, most, &number, NULL)) {
        g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, "out of range");
        return FALSE;
    }
    *bound = (guint)number;
    return TRUE;
}

gboolean range_parse(const gchar *text, guint most, Range *range, GError **error)
{
    const gchar *dots = strstr(text, "..");
    g_autofree gchar *first = dots == NULL ? g_strdup(text) : g_strndup(text, (gsize)(dots - text));
    Range parsed;
    if (!parse_bound(first, most, &parsed.min, error) ||
        !parse_bound(dots == NULL ? first : dots + 2, most, &parsed.max, error))
        return FALSE;
    if (parsed.min > parsed.max) {
        g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, "the wrong way round");
        return FALSE;
    }
    *range = parsed;
    return TRUE;
}
