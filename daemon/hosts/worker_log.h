/* worker_log.h - what the log says of workers: their own lines, and their ends.
 *
 * Thread: the loop's.   Trusts: no text and no level that comes from a worker.                */
#pragma once
#include "actor/ring/link.h"
#include "daemon/hosts/worker.h"

/* A LINK_LOG message. */
void worker_log_line(const gchar *service, guint generation, const LinkMessage *message);

void worker_log_ready(const gchar *service, guint generation, const Worker *worker);

typedef struct {
    const gchar *service;
    guint generation;
    guint32 worker;
    const WorkerObituary *obituary;
    guint64 calls;       /* that it had answered */
    guint calls_lost;    /* that it ran */
    const gchar *method; /* of the first of those; NULL: there was none */
    gint64 running_usec; /* since that one was started; -1: not known */
} WorkerEndLine;

/* TRUE: between two calls and of its own will, as one ends that is stopped; FALSE: it died. */
gboolean worker_end_is_planned(const WorkerEndLine *end);

/* One line: who ended, how, what it ran, what it had used, and where it crashed. */
void worker_log_end(const WorkerEndLine *end);
