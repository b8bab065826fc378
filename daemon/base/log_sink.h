/* log_sink.h - stderr for log lines, such that writing one never makes sluiced wait.
 *
 * Why: who reads the log may stop (a pipe into a program that is suspended, a terminal after
 * Ctrl-S), and a plain write would then stop every client of the daemon.  A line that does not
 * fit is lost; the caller counts it.
 *
 * Thread: the loop's.   Owns: its own opening of a pipe or terminal: O_NONBLOCK belongs to the
 * opening, and stderr's is shared with the hosts and with whoever has started sluiced.      */
#pragma once
#include <glib.h>

void log_sink_open(void); /* once: on what stderr is now */

/* A whole line with its end; FALSE: it is lost, or in part. */
gboolean log_sink_write(const gchar *line, gsize bytes);
