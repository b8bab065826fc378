/* status.h - what runs, and whether it can take calls.
 *
 * Thread: the loop's.                                                                        */
#pragma once
#include "daemon/control/context.h"

/* One JSON object; `admin` is the address that it is asked for at. */
void status_print(GString *out, const AdminContext *context, const gchar *admin);

/* TRUE: every service can run a call and none is refused for a drain.  Else `out` has a line
 * for each reason. */
gboolean status_print_readiness(GString *out, const AdminContext *context);
