/* theader_reply.h - a reply on its way back to a client that speaks THeader.
 *
 * Thread: any; no state.                                                                     */
#pragma once
#include "daemon/dispatch/request.h"

/* The message (transfer full) in a frame as the call came in: compressed if that was, with the
 * headers that the handler set.  Returns the frame, for g_free(). */
guint8 *theader_reply_wrap(const Request *request, guint8 *message, gsize bytes,
                           gsize *frame_bytes);
