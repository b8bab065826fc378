/* worker.h - the life of one worker process: start, call after call, stop. */
#pragma once
#include "actor/ring/ring.h"
#include "handlers/host/plugin.h"

/* In a process just forked from the host.  Does not return. */
G_NORETURN void worker_run(Plugin *plugin, const RingGeometry *geometry, guint32 index,
                           guint16 incarnation);
