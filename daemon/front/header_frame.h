/* header_frame.h - a THeader frame opened: the message in it, inflated, and its headers as a block.
 *
 * Thread: any; no state.                                                                     */
#pragma once
#include "daemon/wire/theader.h"
#include <glib.h>

typedef struct {
    WireTHeader header;
    guint8 *buffer;      /* owned by the caller; the message begins `offset` bytes into it */
    gsize offset, bytes; /* of the message */
    GByteArray *headers; /* actor/ring/headers.h; NULL: none */
} HeaderFrame;

/* The frame begins `offset` bytes into `buffer` (transfer full, whatever happens).  Headers whose
 * name or value has a NUL in it are left out: no handler could be given them. */
WireVerdict header_frame_open(guint8 *buffer, gsize offset, gsize bytes, gsize max_message_bytes,
                              HeaderFrame *frame);
