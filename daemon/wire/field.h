/* field.h - one field of a struct, found without decoding the others.
 *
 * Fields before it are stepped over by walk.h's walk, those behind it are not looked at.  Work
 * is linear in the bytes present; nothing is allocated.
 *
 * Thread: any; pure.                                                                     */
#pragma once
#include "daemon/wire/protocol.h"
#include <glib.h>

typedef enum {
    WIRE_FIELD_FOUND,
    WIRE_FIELD_ABSENT,    /* the struct, or one on the way, has no such field */
    WIRE_FIELD_NO_SCALAR, /* it is a struct or a container; or one on the way is no struct */
    WIRE_FIELD_MALFORMED,
} WireFieldResult;

/* The value, alike whatever protocol it came in: a text or binary as it is; a bool or integer
 * as 8 bytes, two's complement, big-endian; a double as its 8 bytes, big-endian. */
typedef struct {
    const guint8 *bytes; /* in the arguments, or in `number` */
    gsize n_bytes;
    guint8 number[8];
} WireField;

/* `path`: the number of the field, then of one inside it, and so on; depth > 0.  Of two with
 * one number the first counts. */
WireFieldResult wire_find_field(WireProtocol protocol, const guint8 *bytes, gsize length,
                                const gint16 *path, guint depth, WireField *field);
