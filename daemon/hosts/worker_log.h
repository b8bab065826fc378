/* worker_log.h - what the log says of workers: their own lines, and their ends.
 *
 * Thread: the loop's.   Trusts: no text and no level that comes from a worker.                */
#pragma once
#include "actor/ring/link.h"
#include "daemon/hosts/worker.h"

/* A LINK_LOG message. */
void worker_log_line(const gchar *service, guint generation, const LinkMessage *message);

void worker_log_ready(const gchar *service, guint generation, const Worker *worker);

/* Why and how a worker ended.  TRUE: between two calls and of its own will, as one does that
 * is stopped or that gives leaked memory back; FALSE: it died. */
gboolean worker_log_end(const gchar *service, guint generation, const Worker *worker,
                        const WorkerObituary *obituary, guint64 calls, guint calls_lost);
