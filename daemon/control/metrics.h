/* metrics.h - every number of the daemon in Prometheus' text format 0.0.4.
 *
 * Thread: the loop's.                                                                        */
#pragma once
#include "daemon/control/context.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

void metrics_print(GString *out, const AdminContext *context);
