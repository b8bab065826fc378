/* connection.h - one client: frames in, calls to dispatch, replies out in the calls' order.
 *
 *   socket --recv--> frames --request_new--> dispatch
 *   socket <-sendmsg- finished requests at the head of the line <-- client.finished
 *
 * Replies go from the requests' own memory to the socket, all that are ready in one call, at
 * the end of the loop's pass.  A client that does not read is not read from: the calls in
 * line and the bytes of their replies are bounded.
 *
 * Thread: the loop's.
 * Owns:   the socket, the bytes of an incomplete frame, and its side of each request in line.
 * Never:  believes a length before the bytes are there.                                      */
#pragma once
#include "daemon/base/counters.h"
#include "daemon/base/log.h"
#include "daemon/base/loop.h"
#include "daemon/dispatch/dispatch.h"
#include "daemon/front/hosts.h"
#include "daemon/front/stream.h"

typedef struct Connection Connection;

typedef enum {
#define STATE(name, text, from) CONNECTION_##name,
#include "daemon/front/connection_state.def"
    CONNECTION_STATES
} ConnectionState;

#define CONNECTION_SCRATCH_BYTES ((gsize)64 * 1024)

/* What all connections of a loop share; outlives them. */
typedef struct {
    Loop *loop;
    Config *config; /* in force; changes with a reload */
    Dispatch *dispatch;
    DaemonStats *stats;
    LogLimit *log_limit;
    BufferMemory *memory;
    Hosts *hosts;
    TlsContext *tls;        /* NULL: none; changes with a reload */
    gboolean is_draining;   /* a connection closes as soon as it is between two calls */
    gboolean is_going_away; /* that will come: who can be told is told with each reply */
    guint8 *scratch;        /* CONNECTION_SCRATCH_BYTES, used within one read */
    void (*closed)(Connection *connection, gpointer user); /* right before it is freed */
    gpointer user;
} ConnectionShared;

/* Takes `fd` (non-blocking).  `peer` is its address as text, `host` the part that log lines
 * are limited by.  NULL: no memory for TLS, and `fd` is the caller's still. */
Connection *connection_new(const ConnectionShared *shared, int fd, StreamKind kind,
                           const gchar *peer, const gchar *host);
/* The end in a drain: calls that have reached the socket are still taken, as far as the limits
 * of the line allow; it closes when all replies are out.  No call is in doubt: all that were
 * looked at are answered, and in their order, so a client whose connection ends before the reply
 * knows that its call, which crossed the end or was not whole, will never run. */
void connection_finish(Connection *connection);
/* That, if no call is in line, none has begun to come, and none waits to be read. */
void connection_finish_if_idle(Connection *connection, DaemonCounter reason);
void connection_adopt_settings(Connection *connection); /* shared->config is another one */
void connection_close(Connection *connection, DaemonCounter reason);
