/* jobs.h - what the factories have: jobs that wait and run, times by method, and why a job waited,
 * moved, was refused or ended.
 *
 * Thread: the loop's.                                                                        */
#pragma once
#include "daemon/control/context.h"

/* One JSON object: the oldest jobs of each service, and how long calls of its methods take. */
void jobs_print(GString *out, const AdminContext *context);

/* `query`: "service=NAME&job=ID".  FALSE: nothing is known of it, and `out` says so. */
gboolean jobs_explain(GString *out, const AdminContext *context, const gchar *query);
