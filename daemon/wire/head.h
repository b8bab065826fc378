/* head.h - who is called: method, service, type and seqid of a message from a client.
 *
 * Accepted are strict and old binary and compact (protocol.h has the bytes), recognised by
 * their first byte.  Arguments are not looked at: a refusal must not cost their parsing.
 *
 * Thread: any; pure.   Borrows: a WireHead points into the message.                       */
#pragma once
#include "daemon/wire/protocol.h"
#include "daemon/wire/wire_verdict.h"

typedef struct {
    WireProtocol protocol;
    WireMessageType type; /* WIRE_CALL or WIRE_ONEWAY */
    gboolean strict;      /* FALSE: old binary.  Replies are strict all the same */
    gint32 seqid;
    const guint8 *name; /* of the method; may be empty; no byte below 0x20 */
    gsize name_bytes;
    const guint8 *service; /* "a" of "a:b:c", whose method is "b:c"; NULL without a ':' */
    gsize service_bytes;
    gsize body_offset; /* where the arguments begin */
} WireHead;

/* WIRE_MORE when the head goes on after the last byte: of a message that is complete this
 * means WIRE_TRUNCATED, see wire_verdict_at_end().  *head counts only with WIRE_OK. */
WireVerdict wire_head_peek(const guint8 *message, gsize length, WireHead *head);
