/* plugin_image.h - a plugin's file, copied before anything loads it.
 *
 * Why: a shared object that is overwritten while mapped kills every process that has it
 * mapped.  The copy is a sealed memfd, so a host that is started again later in the same
 * generation loads the same code, whatever has become of the file.                         */
#pragma once
#include <glib.h>

/* The full path of a service's `plugin` setting; free with g_free(). */
gchar *plugin_image_path(const gchar *handler_dir, const gchar *plugin);

/* A descriptor the caller owns, or -1 with `error` naming the file. */
int plugin_image_open(const gchar *path, GError **error);
