#include "config/origins.h"
#include "config/config.h"
#include <string.h>

/* As a browser writes it: lower case, nothing behind the port (RFC 6454). */
static gboolean is_origin(const gchar *text)
{
    const gchar *host = strstr(text, "://");
    if (g_str_equal(text, "*"))
        return TRUE;
    if (host == NULL || host == text || host[3] == '\0')
        return FALSE;
    return strspn(text, G_CSET_a_2_z G_CSET_DIGITS "+-.") == (gsize)(host - text) &&
           strspn(host + 3, G_CSET_a_2_z G_CSET_DIGITS "-._[]:") == strlen(host + 3);
}

gboolean origins_parse(const gchar *text, gchar ***field, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ";", -1);
    for (guint i = 0; text[0] != '\0' && parts[i] != NULL; i++) {
        g_strstrip(parts[i]);
        if (!is_origin(parts[i])) {
            g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, "\"%s\" is not a web origin",
                        parts[i]);
            return FALSE;
        }
    }
    g_strfreev(*field);
    *field = text[0] != '\0' ? g_steal_pointer(&parts) : NULL;
    return TRUE;
}

gboolean origins_equal(gchar **a, gchar **b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return g_strv_equal((const gchar *const *)a, (const gchar *const *)b);
}
