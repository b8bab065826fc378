/* server.h - the daemon as a whole: puts the parts together, runs, drains, ends.
 *
 * Thread: the only one there is.
 * Owns:   the loop, the services, the front and the admin address.                           */
#pragma once
#include "config/config.h"

/* Serves until a signal ends it; borrows `config`, which was read from `config_path`.  FALSE with
 * `error`: it did not start. */
gboolean server_run(Config *config, const gchar *config_path, GError **error);
