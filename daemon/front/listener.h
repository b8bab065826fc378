/* listener.h - a socket that clients connect to.
 *
 * Thread: the loop's.
 * Owns:   the socket and, for unix:, the file, which it removes when freed.
 * Never:  takes a socket file over while somebody still listens on it.                        */
#pragma once
#include "config/address.h"
#include "daemon/base/counters.h"
#include "daemon/base/log.h"
#include "daemon/base/loop.h"

typedef struct Listener Listener;

/* `fd` (non-blocking, close-on-exec) is the callee's. */
typedef void (*ListenerAccept)(int fd, gboolean is_tls, gpointer user);

/* Binds and listens; accepts nobody before listener_start().  Errors name the address.  Borrows
 * `stats` and `log_limit`. */
Listener *listener_new(Loop *loop, const Address *address, DaemonStats *stats, LogLimit *log_limit,
                       ListenerAccept accept, gpointer user, GError **error);
void listener_start(Listener *listener);
/* The same socket under an address that says more, or less, of what is spoken there. */
void listener_adopt(Listener *listener, const Address *address);
void listener_free(Listener *listener); /* NULL is fine */

/* Nobody can connect any more, and whoever has connected already is accepted, whom closing the
 * socket would reset.  `left`, now or soon: there is nobody left, free it. */
typedef void (*ListenerLeft)(Listener *listener, gpointer user);
void listener_leave(Listener *listener, ListenerLeft left);
void listener_take_backlog(Listener *listener); /* a last look, if it is freed before that */

/* "tcp://127.0.0.1:41237": with the port that was chosen for 0. */
const gchar *listener_address(const Listener *listener);
