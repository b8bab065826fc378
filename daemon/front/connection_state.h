/* connection_state.h - what a connection is made of.  Private: of connection.c, which has its bytes
 * and its life, connection_proxy.c, which has what a proxy says first, connection_calls.c, which
 * has its calls, and connection_time.c, which has its patience. */
#pragma once
#include "daemon/base/obj.h"
#include "daemon/front/connection.h"
#include "daemon/front/connection_web.h"
#include "daemon/front/intake.h"
#include "daemon/front/reply_line.h"
#include "daemon/front/stream.h"

#define CONNECTION_MAGIC 0x434f4e4eu

struct Connection {
    ObjTag tag;
    const ConnectionShared *shared;
    ConnectionState state;
    Stream stream;
    GRefString *peer;
    GRefString *host;  /* shared by all of its connections */
    GByteArray *proxy; /* what has come of its header; NULL: none is expected */
    struct event *on_readable, *on_writable, *timer; /* on_writable: NULL until it is needed */
    LoopDeferred flush;
    Intake intake;
    ConnectionWeb *web; /* NULL: it speaks Thrift without HTTP */
    ReplyLine line;
    gint64 frame_since, write_since, idle_since; /* usec; 0: not the case */
    gint64 born_usec;
    gint64 retires_at;    /* usec; 0: never, or it has been told */
    gboolean is_retiring; /* it is closed as soon as it is between two calls */
    gboolean is_counted;  /* among its host's */
    gboolean reading;
    gboolean is_secure;       /* its TLS handshake is over */
    DaemonCounter end_reason; /* once it reads no more calls */
    gsize buffered_bytes;     /* of the intake, as counted against buffer-memory */
};

static inline void connection_count(Connection *connection, DaemonCounter counter, gint64 by)
{
    connection->shared->stats->daemon[counter] += by;
}

/* connection.c: reads no more calls; closes when all replies are out. */
void connection_end(Connection *connection, DaemonCounter reason);

/* connection_calls.c */
/* Takes the calls out of bytes that were read to where intake_reserve() said. */
void connection_take_bytes(Connection *connection, const guint8 *bytes, gsize length);
/* What is in line for a client is bounded: one that does not read is not read from. */
gboolean connection_may_take_calls(const Connection *connection);
/* Of a whole call; buffer and headers are taken, whatever happens. */
typedef struct {
    guint8 *buffer;
    gsize offset, bytes; /* of the message in it */
    GByteArray *headers; /* actor/ring/headers.h; NULL: none */
    WireTransport transport;
} CallBytes;

/* WIRE_OK: it has gone to dispatch.  Else what is wrong with it. */
WireVerdict connection_take_call(Connection *connection, const CallBytes *call,
                                 const RequestCarrier *carrier);
/* Counts and logs bytes that are no call, and ends the connection. */
void connection_refuse_bytes(Connection *connection, WireVerdict verdict);
void connection_note_begun(Connection *connection); /* part of a call has come */
/* Keeps the bytes of incomplete frames within buffer-memory. */
void connection_count_intake(Connection *connection);

/* connection_host.c: it is one of its host's from now on.  FALSE: that has all it may, which is
 * logged; the caller ends it with CTR_CLOSED_HOST. */
gboolean connection_enter_host(Connection *connection);
void connection_leave_host(Connection *connection);

/* connection_time.c */
void connection_draw_age(Connection *connection);  /* when it retires, by the settings in force */
void connection_arm_timer(Connection *connection); /* where a wait begins */
void connection_on_timer(evutil_socket_t fd, short what, void *arg);
