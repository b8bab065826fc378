/* reply.h - encodes what the daemon itself says to a client.
 *
 * A handler's result arrives as an encoded struct: it only needs a frame length and a head
 * in front.  What the daemon has to say without a handler is a TApplicationException.
 * For each there is a function that tells the bytes needed, so that the caller reserves
 * exactly once, and one that writes them and returns the same number.
 *
 * Heads are strict even for an old-style call, because some clients read nothing else.
 *
 * Thread: any; pure.   Borrows: all pointers, for the duration of the call.               */
#pragma once
#include "daemon/wire/protocol.h"

/* To which call a reply belongs, in the caller's own words. */
typedef struct {
    WireTransport transport; /* FRAMED or UNFRAMED */
    WireProtocol protocol;
    gint32 seqid;
    const guint8 *name; /* as in WireHead: without the service of a multiplexed call */
    gsize name_bytes;
} WireAddress;

/* Thrift's numbers; 11 and 12 are younger than the Apache libraries, which pass them on. */
typedef enum {
    WIRE_EXCEPTION_UNKNOWN_METHOD = 1,
    WIRE_EXCEPTION_INTERNAL_ERROR = 6,
    WIRE_EXCEPTION_PROTOCOL_ERROR = 7,
    WIRE_EXCEPTION_LOADSHEDDING = 11,
    WIRE_EXCEPTION_TIMEOUT = 12,
} WireExceptionType;

typedef struct {
    WireExceptionType type;
    const gchar *text; /* UTF-8, not necessarily terminated */
    gsize text_bytes;
} WireException;

/* What carries the message, and its head; the caller puts a body of body_bytes behind them.
 * Not for JSON. */
gsize wire_reply_head_bytes(const WireAddress *to);
gsize wire_reply_head_write(guint8 *out, const WireAddress *to, gsize body_bytes);

/* In JSON, a whole message, and what carries it.  `body` is one well-formed struct in binary.
 * 0: JSON cannot say it (wire_json_put_struct()). */
gsize wire_json_reply_bytes(const WireAddress *to, const guint8 *body, gsize body_bytes);
gsize wire_json_reply_write(guint8 *out, const WireAddress *to, const guint8 *body,
                            gsize body_bytes);

/* A whole message, and what carries it. */
gsize wire_exception_bytes(const WireAddress *to, const WireException *what);
gsize wire_exception_write(guint8 *out, const WireAddress *to, const WireException *what);
