/* log.h - sluiced's log lines: "area.event key=value key=value".
 *
 * A line is logged once, where the decision is made.  Lines go to the journal when stderr
 * leads there, else to stderr.  Whatever a client can trigger goes through a LogLimit.
 * Thread: the loop's.                                                                       */
#pragma once
#include <glib.h>

#define log_error(...)   g_log("sluiced", G_LOG_LEVEL_CRITICAL, __VA_ARGS__)
#define log_warning(...) g_log("sluiced", G_LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)  g_log("sluiced", G_LOG_LEVEL_MESSAGE, __VA_ARGS__)
#define log_info(...)    g_log("sluiced", G_LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   g_log("sluiced", G_LOG_LEVEL_DEBUG, __VA_ARGS__)

/* From now on all GLib logging of the process comes out here; lines less severe than
 * `level` are dropped. */
void log_start(GLogLevelFlags level);

/* Lines that could not be written, without waiting, are added there from now on; NULL ends it. */
void log_count_lost(gint64 *lost);

/* `text` without what would end its line or its quotes; free with g_free(). */
gchar *log_quotable(const gchar *text);

/* One line about the same `event` and `subject` (a peer's host, a service) per interval. */
typedef struct LogLimit LogLimit;
LogLimit *log_limit_new(gint64 interval_usec);
void log_limit_free(LogLimit *limit);
void log_limit_set_interval(LogLimit *limit, gint64 interval_usec);
gboolean log_limit_allows(LogLimit *limit, const gchar *event, const gchar *subject,
                          gint64 now_usec);
