/* canary.c - see canary.h. */
#include "config/canary.h"
#include "config/config.h"
#include "config/value.h"
#include <string.h>

#define ERRORS             "max-errors="
#define CRASHES            "max-crashes="
#define CRASHES_MOST       1000
#define PERMILLE_AT_FIRST  10 /* of errors, unless it says otherwise */
#define TENTHS_PER_PERCENT 10

static gboolean fail(GError **error, const gchar *what)
{
    g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, what);
    return FALSE;
}

static gboolean parse_number(const gchar *text, guint most, guint *number, GError **error)
{
    guint64 parsed;
    if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text))
        return fail(error, "not a number");
    if (!g_ascii_string_to_unsigned(text, 10, 0, most, &parsed, NULL))
        return fail(error, "out of range");
    *number = (guint)parsed;
    return TRUE;
}

/* "5%", "0.5%": to a tenth of a percent. */
static gboolean parse_percent(const gchar *text, guint *permille, GError **error)
{
    guint tenths = 0;
    if (!g_str_has_suffix(text, "%"))
        return fail(error, "no percentage");
    g_autofree gchar *number = g_strndup(text, strlen(text) - 1);
    gchar *point = strchr(number, '.');
    if (point != NULL) {
        *point = '\0';
        if (strlen(point + 1) != 1)
            return fail(error, "more than one digit behind the point, or none");
        if (!parse_number(point + 1, 9, &tenths, error))
            return FALSE;
    }
    if (!parse_number(number, 100, permille, error))
        return FALSE;
    *permille = *permille * TENTHS_PER_PERCENT + tenths;
    return *permille <= 100 * TENTHS_PER_PERCENT || fail(error, "out of range");
}

static gboolean parse_limit(const gchar *text, Canary *canary, GError **error)
{
    if (g_str_has_prefix(text, ERRORS))
        return parse_percent(text + strlen(ERRORS), &canary->errors_permille, error);
    if (g_str_has_prefix(text, CRASHES))
        return parse_number(text + strlen(CRASHES), CRASHES_MOST, &canary->crashes, error);
    return fail(error, "neither max-errors nor max-crashes");
}

gboolean canary_parse(const gchar *text, Canary *canary, GError **error)
{
    static const ValueRule window = { VALUE_DURATION, "1ms", "24h" };
    Canary parsed = { .errors_permille = PERMILLE_AT_FIRST };
    if (g_str_equal(text, "none")) {
        *canary = parsed;
        return TRUE;
    }
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    if (g_strv_length(words) < 2)
        return fail(error, "no share and time");
    if (!parse_percent(words[0], &parsed.share_permille, error) ||
        !value_parse(&window, words[1], &parsed.window_usec, error))
        return FALSE;
    if (parsed.share_permille == 0)
        return fail(error, "out of range");
    for (guint i = 2; words[i] != NULL; i++)
        if (!parse_limit(words[i], &parsed, error))
            return FALSE;
    *canary = parsed;
    return TRUE;
}
