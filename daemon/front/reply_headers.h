/* reply_headers.h - the keys and values that go back with a reply: the handler's, then sluiced's.
 *
 *   ex, uex, uexw         why there is no result: fbthrift's code, the reason, the text
 *   x-queue-us            from the call's arrival to its start by a worker
 *   x-service-us          from there to its end
 *   x-generation          of the worker that ran it
 *   load                  calls of the service that wait or run; only for who sent `load`
 *   connection, :drain    this connection will close: to fbthrift's clients, and to Envoy
 *
 * Thread: the loop's.                                                                        */
#pragma once
#include "daemon/dispatch/request.h"
#include "daemon/wire/theader.h"

typedef struct {
    GArray *pairs;   /* of WireTHeaderPair; they point into the request, and into `own` */
    GByteArray *own; /* actor/ring/headers.h */
} ReplyHeaders;

/* Of a finished request, at `now_usec`. */
ReplyHeaders reply_headers_of(const Request *request, gboolean is_going_away, gint64 now_usec);
void reply_headers_clear(ReplyHeaders *headers);
