/* refusal.h - what becomes of bytes that are no call: a counter, and where possible a reply.
 *
 * Thread: any; pure.                                                                         */
#pragma once
#include "daemon/base/counters.h"
#include "daemon/wire/protocol.h"
#include "daemon/wire/wire_verdict.h"

/* For what wire_message_find() and wire_head_peek() complain about. */
DaemonCounter refusal_counter(WireVerdict verdict);

/* A reply to a message over the limit, of which `length` bytes have come, with what carries it.
 * NULL when they do not say to whom to reply; else the caller's, *reply_bytes long. */
guint8 *refusal_of_large_message(WireTransport transport, const guint8 *bytes, gsize length,
                                 guint64 limit_bytes, gsize *reply_bytes);
