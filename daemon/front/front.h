/* front.h - the clients' side: listeners, connections, and the frames between them.
 *
 * Thread: the loop's.
 * Owns:   listeners, unix socket files, connections.
 * Holds:  the configuration in force, by reference.   Borrows: dispatch, for its own life. */
#pragma once
#include "config/config.h"
#include "daemon/base/counters.h"
#include "daemon/base/loop.h"
#include "daemon/dispatch/dispatch.h"

typedef struct Front Front;

/* Binds every listener of the configuration and accepts from the first loop pass on.
 * `stats` gets the daemon's counters. */
Front *front_new(Loop *loop, Config *config, Dispatch *dispatch, DaemonStats *stats,
                 GError **error);
void front_free(Front *front); /* closes what is open; removes socket files; NULL is fine */

guint front_n_listeners(const Front *front);
/* The address clients can use: "tcp://127.0.0.1:41237" where the file says port 0. */
const gchar *front_listener_address(const Front *front, guint index);

/* --- reload: all or nothing -------------------------------------------------------------- */

typedef struct FrontChange FrontChange;

/* Opens every listener that `next` has and the present configuration has not, before any is
 * closed.  NULL: one could not be opened, and none is. */
FrontChange *front_prepare(Front *front, const Config *next, GError **error);
/* From now on everything is as `next` says.  Listeners that stay keep their sockets, and
 * connections stay.  Takes the change. */
void front_commit(Front *front, FrontChange *change, Config *next);
void front_abandon(FrontChange *change); /* NULL is fine */

/* Goes on as before, but clients that can be told are told to go elsewhere. */
void front_go_away(Front *front);
void front_stop_accepting(Front *front); /* closes listeners, removes socket files */
/* That too, and each connection closes between two calls, an idle one at once. */
void front_drain(Front *front);
/* Reads no more calls; each connection closes once its replies are out. */
void front_finish(Front *front);
void front_close_all(Front *front);          /* at once; empty after the next pass */
gboolean front_is_empty(const Front *front); /* no connection is open */
