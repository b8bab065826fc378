/* front.h - the clients' side: listeners, connections, and the frames between them.
 *
 * Thread: the loop's.
 * Owns:   listeners, unix socket files, connections.
 * Borrows: config and dispatch, for its own life.                                            */
#pragma once
#include "config/config.h"
#include "daemon/base/counters.h"
#include "daemon/base/loop.h"
#include "daemon/dispatch/dispatch.h"

typedef struct Front Front;

/* Binds every listener of the configuration and accepts from the first loop pass on.
 * `stats` gets the daemon's counters. */
Front *front_new(Loop *loop, const Config *config, Dispatch *dispatch, DaemonStats *stats,
                 GError **error);
void front_free(Front *front); /* closes what is open; removes socket files; NULL is fine */

guint front_n_listeners(const Front *front);
/* The address clients can use: "tcp://127.0.0.1:41237" where the file says port 0. */
const gchar *front_listener_address(const Front *front, guint index);

void front_stop_accepting(Front *front); /* closes listeners, removes socket files */
/* Reads no more calls; each connection closes once its replies are out. */
void front_finish(Front *front);
void front_close_all(Front *front);          /* at once; empty after the next pass */
gboolean front_is_empty(const Front *front); /* no connection is open */
