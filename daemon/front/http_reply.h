/* http_reply.h - what goes out to a client that speaks HTTP.
 *
 * Thread: any; no state.   All that is returned is the caller's.                             */
#pragma once
#include "daemon/dispatch/request.h"
#include "daemon/front/reply_headers.h"

/* A whole response without a call behind it: 204, or 4xx with the reason as its body; the
 * connection closes behind the latter.  `headers`: lines, each with its end. */
GString *http_status(guint status, const gchar *headers, const gchar *text);

/* The head of the response to a call, with a body of so many bytes.  `request` has what it asked
 * for in its headers. */
GString *http_reply_head(const Request *request, const ReplyHeaders *headers, gsize body_bytes);

/* The lines that let the page of an origin that was let in read the response; "" without one. */
gchar *http_cors_lines(const gchar *origin);
