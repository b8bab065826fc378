/* intake.h - turns the bytes of one connection into messages.
 *
 * Between two frames it holds no memory.  An incomplete frame's buffer grows with the bytes
 * that have come, never to the length that a prefix claims.  Pure: no socket, no clock.
 *
 * Thread: one at a time.   Owns: the bytes of an incomplete frame.                            */
#pragma once
#include "daemon/wire/message.h"

typedef struct {
    guint8 *bytes; /* of the frame that is not complete; NULL between two */
    gsize used;
    gsize size;
    WireTransport transport; /* as the first bytes have shown it */
    WireScan *partial;       /* how far an unframed message has been walked; NULL: not at all */
    gboolean is_paused;      /* `message` wanted no more: whole frames may be among the bytes */
} Intake;

/* A message of `length` bytes begins `offset` bytes into `buffer` (transfer full, from
 * g_malloc).  FALSE: no more for now; intake_take() of no bytes goes on with what is kept. */
typedef gboolean (*IntakeMessage)(guint8 *buffer, gsize offset, gsize length, gpointer user);

/* Where to read the next bytes to: `scratch`, or behind those of the incomplete frame.
 * *room comes in as scratch's size and goes out as what may be read, at least 1. */
guint8 *intake_reserve(Intake *intake, guint8 *scratch, gsize max_message_bytes, gsize *room);

/* `length` bytes were read to where intake_reserve() said.  WIRE_OK: between two frames, or
 * paused.  WIRE_MORE: a frame has begun.  Anything else is what is wrong; the
 * bytes from there on are then in `intake`. */
WireVerdict intake_take(Intake *intake, const guint8 *bytes, gsize length, gsize max_message_bytes,
                        IntakeMessage message, gpointer user);

/* --- for who takes no messages out of it ---------------------------------------------------- */

/* Keeps bytes that come before those that are read next; there are none in it.  Paused until
 * they are stolen. */
void intake_hold(Intake *intake, const guint8 *bytes, gsize length);
guint8 *intake_steal(Intake *intake, gsize *length); /* the caller's */

void intake_clear(Intake *intake);
