/* carrier.h - a reply goes back in what its call came in.
 *
 * Thread: the loop's.                                                                        */
#pragma once
#include "daemon/dispatch/request.h"

/* The reply of a request that has just finished becomes what goes out for it.
 * `is_going_away`: the client is told that its connection will close. */
void carrier_wrap(Request *request, gboolean is_going_away, gint64 now_usec);
