/* protocol.h - the numbers of Thrift's encodings that several files here need; json.h has JSON's.
 *
 *   strict binary   80 01 00 tt | i32 name length, name | i32 seqid | struct
 *   old binary      i32 name length, name | tt | i32 seqid | struct
 *   compact         82 tv | varint seqid | varint name length, name | struct
 *
 * tt: message type; tv: three bits of type, five of version.                             */
#pragma once
#include <glib.h>

typedef enum { WIRE_BINARY, WIRE_COMPACT, WIRE_JSON } WireProtocol;

/* What arguments and results are encoded in between sluiced and its workers: JSON becomes binary
 * where it comes in, and is made of it where it goes out. */
static inline WireProtocol wire_encoding(WireProtocol protocol)
{
    return protocol == WIRE_JSON ? WIRE_BINARY : protocol;
}

/* What carries messages on a connection. */
typedef enum {
    WIRE_TRANSPORT_UNKNOWN,
    WIRE_TRANSPORT_FRAMED,
    WIRE_TRANSPORT_UNFRAMED
} WireTransport;

typedef enum {
    WIRE_CALL = 1,
    WIRE_REPLY = 2,
    WIRE_EXCEPTION = 3,
    WIRE_ONEWAY = 4,
} WireMessageType;

#define WIRE_FRAME_PREFIX_BYTES 4u

/* What stands before each message. */
static inline gsize wire_prefix_bytes(WireTransport transport)
{
    return transport == WIRE_TRANSPORT_FRAMED ? WIRE_FRAME_PREFIX_BYTES : 0;
}

#define WIRE_BINARY_VERSION       0x8001u
#define WIRE_COMPACT_ID           0x82u
#define WIRE_COMPACT_VERSION      0x01u
#define WIRE_COMPACT_VERSION_MASK 0x1fu
#define WIRE_COMPACT_TYPE_SHIFT   5u
