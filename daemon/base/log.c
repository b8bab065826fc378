#include "daemon/base/log.h"
#include "daemon/base/log_sink.h"
#include <string.h>
#include <unistd.h>

/* A client with many addresses must not fill our memory with what it was told. */
#define SUBJECTS_MAX 4096

static GLogLevelFlags shown = G_LOG_LEVEL_INFO;
static gboolean to_journal;
static gint64 *lost_total; /* where lost lines are counted; NULL: nowhere */
static guint lost_now;     /* since the last line that was written */

static const gchar *level_name(GLogLevelFlags level)
{
    if (level & G_LOG_LEVEL_ERROR)
        return "FATAL";
    if (level & G_LOG_LEVEL_CRITICAL)
        return "ERROR";
    if (level & G_LOG_LEVEL_WARNING)
        return "WARNING";
    if (level & G_LOG_LEVEL_MESSAGE)
        return "NOTICE";
    return level & G_LOG_LEVEL_INFO ? "INFO" : "DEBUG";
}

static gboolean write_text(GLogLevelFlags level, const gchar *message)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree gchar *when = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S");
    g_autofree gchar *line =
        g_strdup_printf("%s.%03dZ %s %s\n", when, g_date_time_get_microsecond(now) / 1000,
                        level_name(level), message);
    return log_sink_write(line, strlen(line));
}

/* A gap in the log is told of where it is. */
static gboolean tell_of_lost_lines(void)
{
    g_autofree gchar *text = g_strdup_printf("log.lost lines=%u", lost_now);
    if (lost_now > 0 && !write_text(G_LOG_LEVEL_WARNING, text))
        return FALSE;
    lost_now = 0;
    return TRUE;
}

static GLogWriterOutput write_line(GLogLevelFlags level, const GLogField *fields, gsize n_fields,
                                   gpointer user)
{
    (void)user;
    /* GLib orders levels by bit: the smaller, the more severe. */
    if ((level & G_LOG_LEVEL_MASK) > shown)
        return G_LOG_WRITER_HANDLED;
    if (to_journal)
        return g_log_writer_journald(level, fields, n_fields, NULL);
    const gchar *message = "";
    for (gsize i = 0; i < n_fields; i++)
        if (strcmp(fields[i].key, "MESSAGE") == 0)
            message = fields[i].value;
    if (!tell_of_lost_lines() || !write_text(level, message)) {
        lost_now++;
        if (lost_total != NULL)
            (*lost_total)++;
    }
    return G_LOG_WRITER_HANDLED;
}

void log_start(GLogLevelFlags level)
{
    static gboolean installed;
    shown = level;
    if (installed)
        return;
    installed = TRUE;
    to_journal = g_log_writer_is_journald(STDERR_FILENO);
    log_sink_open();
    g_log_set_writer_func(write_line, NULL, NULL);
}

void log_count_lost(gint64 *lost) { lost_total = lost; }

gchar *log_quotable(const gchar *text)
{
    gchar *copy = g_strdup(text);
    for (gchar *at = copy; *at != '\0'; at++) {
        if (g_ascii_iscntrl(*at))
            *at = ' ';
        else if (*at == '"')
            *at = '\'';
    }
    return copy;
}

struct LogLimit {
    gint64 interval_usec;
    GHashTable *last; /* "event subject" -> time of its last line */
};

LogLimit *log_limit_new(gint64 interval_usec)
{
    LogLimit *limit = g_new0(LogLimit, 1);
    limit->interval_usec = interval_usec;
    limit->last = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return limit;
}

void log_limit_set_interval(LogLimit *limit, gint64 interval_usec)
{
    limit->interval_usec = interval_usec;
}

void log_limit_free(LogLimit *limit)
{
    if (limit == NULL)
        return;
    g_hash_table_unref(limit->last);
    g_free(limit);
}

gboolean log_limit_allows(LogLimit *limit, const gchar *event, const gchar *subject,
                          gint64 now_usec)
{
    g_autofree gchar *key = g_strconcat(event, " ", subject, NULL);
    gint64 *last = g_hash_table_lookup(limit->last, key);
    if (last != NULL && now_usec - *last < limit->interval_usec)
        return FALSE;
    if (last != NULL) {
        *last = now_usec;
        return TRUE;
    }
    if (g_hash_table_size(limit->last) >= SUBJECTS_MAX)
        g_hash_table_remove_all(limit->last);
    last = g_new(gint64, 1);
    *last = now_usec;
    g_hash_table_insert(limit->last, g_steal_pointer(&key), last);
    return TRUE;
}
