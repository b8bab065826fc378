/* call_headers.h - what a call's own headers ask for: time and importance.
 *
 * The names are fbthrift's, and baseplate's Deadline-Budget.  A value that is not understood
 * counts as one that is not there: who sends it cannot be told by an error that he reads.
 *
 * Thread: any; pure.                                                                         */
#pragma once
#include <glib.h>

typedef struct {
    gint64 timeout_usec; /* the client waits for so long; 0: it does not say */
    gint64 queue_usec;   /* it may wait for a worker for so long; 0: it does not say */
    gint priority;       /* of actor/factory/settings.h; -1: it does not say */
} CallHeaders;

/* `block` as in actor/ring/headers.h; may be NULL. */
CallHeaders call_headers_read(const GByteArray *block);
