/* frame.h - where a frame ends: a 4-byte length, then as many bytes of message.
 *
 * Thread: any; pure.   Never: looks beyond the length, so memory need grow only as bytes come. */
#pragma once
#include "daemon/wire/wire_verdict.h"

/* WIRE_OK when the whole frame is there, WIRE_MORE until then.  *frame_bytes becomes the
 * length that the prefix claims (without the prefix itself), whatever the verdict, and 0
 * while the prefix is incomplete.  max_frame_bytes <= G_MAXINT32.
 *
 * HTTP, TLS and unframed Thrift begin with what looks like an absurd length: where the
 * length is over the limit anyway, the verdict says which of them it is. */
WireVerdict wire_frame_find(const guint8 *bytes, gsize length, gsize max_frame_bytes,
                            gsize *frame_bytes);
