/* rate.c - see rate.h. */
#include "config/rate.h"
#include "config/config.h"
#include "config/value.h"
#include <string.h>

#define BURST " burst "

static gboolean fail(GError **error, const gchar *what)
{
    g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, what);
    return FALSE;
}

static gboolean parse_count(const gchar *text, guint64 *count, GError **error)
{
    if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text))
        return fail(error, "not a number");
    return g_ascii_string_to_unsigned(text, 10, 1, RATE_MOST, count, NULL) ||
           fail(error, "out of range");
}

/* A unit alone is one of it. */
static gboolean parse_time(const gchar *text, gint64 *usec, GError **error)
{
    static const ValueRule rule = { VALUE_DURATION, "1ms", "24h" };
    g_autofree gchar *time = g_strconcat(g_ascii_isalpha(text[0]) ? "1" : "", text, NULL);
    return value_parse(&rule, time, usec, error);
}

gboolean rate_parse(const gchar *text, Rate *rate, GError **error)
{
    Rate parsed = { 0, G_USEC_PER_SEC, 1 };
    if (!g_str_equal(text, "none")) {
        g_auto(GStrv) burst = g_strsplit(text, BURST, 2);
        g_auto(GStrv) parts = g_strsplit(burst[0] != NULL ? burst[0] : "", "/", 2);
        if (parts[0] == NULL || parts[1] == NULL)
            return fail(error, "no rate");
        if (!parse_count(parts[0], &parsed.count, error) ||
            !parse_time(parts[1], &parsed.per_usec, error))
            return FALSE;
        parsed.burst = parsed.count;
        if (burst[1] != NULL && !parse_count(burst[1], &parsed.burst, error))
            return FALSE;
    }
    *rate = parsed;
    return TRUE;
}
