/* key_source.c - see key_source.h. */
#include "config/key_source.h"
#include "config/config.h"
#include <string.h>

#define ARG    "arg:"
#define HEADER "header:"
/* A token of HTTP (RFC 9110 5.6.2), in lower case. */
#define HEADER_CHARS G_CSET_a_2_z G_CSET_DIGITS "!#$%&'*+-.^_`|~"

static gboolean fail(GError **error, const gchar *what)
{
    g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, what);
    return FALSE;
}

static gboolean parse_path(const gchar *text, KeySource *source, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ".", -1);
    source->kind = KEY_ARG;
    for (guint i = 0; parts[i] != NULL; i++) {
        gint64 number;
        if (i == KEY_PATH_MOST)
            return fail(error, "more than 8 fields deep");
        if (!g_ascii_string_to_signed(parts[i], 10, G_MININT16, G_MAXINT16, &number, NULL))
            return fail(error, "not a field number");
        source->path[source->depth++] = (gint16)number;
    }
    return source->depth > 0 || fail(error, "no field number");
}

static gboolean parse_header(const gchar *text, KeySource *source, GError **error)
{
    g_autofree gchar *name = g_ascii_strdown(text, -1);
    const gsize n_bytes = strlen(name);
    if (n_bytes == 0 || n_bytes > KEY_HEADER_MOST || strspn(name, HEADER_CHARS) != n_bytes)
        return fail(error, "not a header's name");
    source->kind = KEY_HEADER;
    source->header = g_steal_pointer(&name);
    return TRUE;
}

static gboolean parse(const gchar *text, KeySource *source, GError **error)
{
    if (g_str_has_prefix(text, ARG))
        return parse_path(text + strlen(ARG), source, error);
    if (g_str_has_prefix(text, HEADER))
        return parse_header(text + strlen(HEADER), source, error);
    source->kind = g_str_equal(text, "peer") ? KEY_PEER : KEY_NONE;
    return source->kind == KEY_PEER || g_str_equal(text, "none") ||
           fail(error, "not a place of a key");
}

gboolean key_source_parse(const gchar *text, KeySource *source, GError **error)
{
    KeySource parsed = { KEY_NONE };
    if (!parse(text, &parsed, error))
        return FALSE;
    key_source_clear(source);
    *source = parsed;
    return TRUE;
}

void key_source_clear(KeySource *source)
{
    g_free(source->header);
    *source = (KeySource){ KEY_NONE };
}
