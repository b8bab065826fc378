/* origins.h - the web origins whose pages may call: "https://shop.example; http://localhost:3000".
 *
 * Thread: any; no state.                                                                     */
#pragma once
#include <glib.h>

#define ORIGINS_FORMS "SCHEME://HOST[:PORT], several separated by ';', or *, or nothing"

/* Replaces *field (transfer full; NULL for nothing).  FALSE leaves it as it was. */
gboolean origins_parse(const gchar *text, gchar ***field, GError **error);
gboolean origins_equal(gchar **a, gchar **b);
