/* connection_state.h - what a connection is made of.  Private: of connection.c, which has its bytes
 * and its life, and connection_time.c, which has its patience.                               */
#pragma once
#include "daemon/base/fd.h"
#include "daemon/base/obj.h"
#include "daemon/front/connection.h"
#include "daemon/front/intake.h"
#include "daemon/front/reply_line.h"

#define CONNECTION_MAGIC 0x434f4e4eu

struct Connection {
    ObjTag tag;
    const ConnectionShared *shared;
    ConnectionState state;
    Fd fd;
    GRefString *peer;
    gchar *host;
    struct event *on_readable, *on_writable, *timer;
    LoopDeferred flush;
    Intake intake;
    ReplyLine line;
    gint64 frame_since, write_since, idle_since; /* usec; 0: not the case */
    gboolean reading;
    DaemonCounter end_reason; /* once it reads no more calls */
    gsize buffered_bytes;     /* of the intake, as counted against buffer-memory */
};

/* connection_time.c */
void connection_arm_timer(Connection *connection); /* where a wait begins */
void connection_on_timer(evutil_socket_t fd, short what, void *arg);
