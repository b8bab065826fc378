/* try_plugins.h - `sluiced --check`: can the plugins of a configuration be served?
 *
 * Each is loaded in a throwaway host, as a real one, and must start one worker.
 * Thread: the only one there is.                                                              */
#pragma once
#include "config/config.h"

/* FALSE with one line per plugin that cannot be served. */
gboolean try_plugins(Config *config, GError **error);
