/* report.h - what the host and its workers tell sluiced of themselves, and GLib's log lines.
 *
 * Thread: any may log; the rest is for the thread that runs the host or the worker.
 * Never:  lets a log line wait: what comes too fast is dropped and counted.                  */
#pragma once
#include "actor/ring/link.h"

/* From now on the process is this worker, or the host (LINK_NO_WORKER), and every GLib log
 * line goes to sluiced. */
void report_start(guint32 worker, guint16 incarnation);

/* READY, FAILED, WORN: waits until it is sent.  FALSE when sluiced has gone. */
gboolean report_send(LinkKind kind, const gchar *text);
