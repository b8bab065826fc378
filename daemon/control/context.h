/* context.h - all that the admin address shows.
 *
 * Thread:  the loop's.
 * Borrows: everything, for the life of the Admin.                                            */
#pragma once
#include "config/config.h"
#include "daemon/base/counters.h"
#include "daemon/base/loop.h"
#include "daemon/dispatch/dispatch.h"
#include "daemon/front/front.h"
#include "daemon/reload/reload.h"

typedef struct {
    Loop *loop;
    const Config *config;
    const Dispatch *dispatch;
    const Front *front;
    const Reload *reload;
    const DaemonStats *stats;
    gint64 started_usec; /* loop_now_usec() of the start */
    gboolean (*is_draining)(gpointer user);
    gpointer user;
} AdminContext;
