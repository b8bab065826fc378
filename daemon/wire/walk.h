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

/* A walk over one struct whose bytes come in pieces: each token is looked at once, however
 * small the pieces are.  Plain data; its fields are walk.c's own. */
typedef struct {
    gboolean is_struct;
    guint64 values_left; /* of a container */
    const struct WireType *even, *odd;
} WireWalkLevel;

typedef struct {
    WireProtocol protocol;
    gsize at; /* bytes walked */
    guint depth;
    WireWalkLevel levels[WIRE_MAX_DEPTH];
} WireWalk;

void wire_walk_begin(WireWalk *walk, WireProtocol protocol);

/* `bytes` are all of the struct that has come, from its first byte on; they may have moved since
 * the last time.  WIRE_OK: it is complete, and walk->at is its length.  WIRE_MORE: go on when
 * there are more bytes.  Anything else is what is wrong with it. */
WireVerdict wire_walk_on(WireWalk *walk, const guint8 *bytes, gsize length);

/* Walks the fields up to and with the stop.  *end: bytes walked, with WIRE_OK only. */
WireVerdict wire_walk_struct(WireProtocol protocol, const guint8 *bytes, gsize length, gsize *end);

/* Walks one value of a type, given by its number in a field's head.  *end as above.  Not for
 * the bools of a compact struct, which are their types. */
WireVerdict wire_walk_value(WireProtocol protocol, guint8 type, const guint8 *bytes, gsize length,
                            gsize *end);

/* WIRE_OK if the bytes are exactly one struct; never WIRE_MORE. */
WireVerdict wire_walk_whole_struct(WireProtocol protocol, const guint8 *bytes, gsize length);
