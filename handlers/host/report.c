#include "handlers/host/report.h"
#include "actor/fault/fault_point.h"
#include <string.h>

/* A handler that logs on every call must not drown the daemon's log: so many lines at once,
 * and so many a second for long. */
#define BURST_LINES   500
#define LINES_PER_SEC 200

static struct {
    GMutex lock; /* leaf: nothing else is locked while it is held */
    guint32 worker;
    guint16 incarnation;
    gdouble tokens;
    gint64 filled_usec;
    gint32 dropped;
} self;

static gboolean take_token(void)
{
    const gint64 now = g_get_monotonic_time();
    self.tokens += (gdouble)(now - self.filled_usec) * LINES_PER_SEC / G_USEC_PER_SEC;
    self.tokens = MIN(self.tokens, BURST_LINES);
    self.filled_usec = now;
    if (self.tokens < 1)
        return FALSE;
    self.tokens -= 1;
    return TRUE;
}

static LinkMessage message_of(LinkKind kind, gint32 value, const gchar *text)
{
    return (LinkMessage){ kind, self.worker, self.incarnation, value, text, -1 };
}

static void send_line(GLogLevelFlags level, const gchar *text)
{
    const LinkMessage line = message_of(LINK_LOG, (gint32)level, text);
    const LinkMessage dropped = message_of(LINK_DROPPED, self.dropped, NULL);
    if (!take_token() || (self.dropped > 0 && !link_send(LINK_FD_REPORT, &dropped, FALSE, NULL))) {
        self.dropped++;
        return;
    }
    self.dropped = link_send(LINK_FD_REPORT, &line, FALSE, NULL) ? 0 : 1;
}

static GLogWriterOutput write_log(GLogLevelFlags level, const GLogField *fields, gsize n_fields,
                                  gpointer user)
{
    (void)user;
    const gchar *message = "", *domain = NULL;
    for (gsize i = 0; i < n_fields; i++) {
        if (strcmp(fields[i].key, "MESSAGE") == 0)
            message = fields[i].value;
        else if (strcmp(fields[i].key, "GLIB_DOMAIN") == 0)
            domain = fields[i].value;
    }
    /* Debug lines are for who asked for them with G_MESSAGES_DEBUG. */
    if ((level & G_LOG_LEVEL_DEBUG) && g_log_writer_default_would_drop(level, domain))
        return G_LOG_WRITER_HANDLED;
    g_autofree gchar *text =
        domain != NULL ? g_strconcat(domain, ": ", message, NULL) : g_strdup(message);
    g_mutex_lock(&self.lock);
    send_line(level & G_LOG_LEVEL_MASK, text);
    g_mutex_unlock(&self.lock);
    return G_LOG_WRITER_HANDLED;
}

void report_start(guint32 worker, guint16 incarnation)
{
    static gboolean installed;
    self.worker = worker;
    self.incarnation = incarnation;
    self.tokens = BURST_LINES;
    self.filled_usec = g_get_monotonic_time();
    self.dropped = 0;
    if (!installed)
        g_log_set_writer_func(write_log, NULL, NULL);
    installed = TRUE; /* GLib takes one for good; a worker inherits the host's */
}

gboolean report_send(LinkKind kind, const gchar *text)
{
    const LinkMessage message = message_of(kind, 0, text);
    return !FAULT_AT(WORKER_REPORT) && link_send(LINK_FD_REPORT, &message, TRUE, NULL);
}
