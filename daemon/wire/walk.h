/* walk.h - is this one well-formed struct, and where does it end?
 *
 * For bytes of an untrusted writer that are passed on unparsed.  Every type, length and
 * count is checked; names, ids and values are not.  Work is linear in the bytes present
 * and memory is constant: no recursion, and a count costs nothing before its elements are there.
 *
 * Thread: any; pure.                                                                     */
#pragma once
#include "daemon/wire/protocol.h"
#include "daemon/wire/wire_verdict.h"

/* Structs and containers that may be open at once, the outermost included. */
#define WIRE_MAX_DEPTH 64u

/* No Thrift transport carries more in one message.  A length or count that would need more
 * is refused at once; below it, bytes that are not there yet are merely missing. */
#define WIRE_MAX_MESSAGE_BYTES 0x3fffffffu

/* Walks the fields up to and with the stop.  *end: bytes walked, with WIRE_OK only. */
WireVerdict wire_walk_struct(WireProtocol protocol, const guint8 *bytes, gsize length, gsize *end);

/* Walks one value of a type, given by its number in a field's head.  *end as above.  Not for
 * the bools of a compact struct, which are their types. */
WireVerdict wire_walk_value(WireProtocol protocol, guint8 type, const guint8 *bytes, gsize length,
                            gsize *end);

/* WIRE_OK if the bytes are exactly one struct; never WIRE_MORE. */
WireVerdict wire_walk_whole_struct(WireProtocol protocol, const guint8 *bytes, gsize length);
