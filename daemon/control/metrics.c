#include "daemon/control/metrics.h"
#include <unistd.h>

static void print_head(GString *out, const gchar *metric, CounterKind kind, const gchar *help)
{
    g_string_append_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metric, help, metric,
                           kind == COUNTER_TOTAL ? "counter" : "gauge");
}

/* --- counters.def ------------------------------------------------------------------------ */

/* Rows of one metric stand together in counters.def: the first of them brings its head. */
static void print_head_of_row(GString *out, const CounterInfo *table, guint row)
{
    const CounterInfo *info = &table[row];
    if (row == 0 || !g_str_equal(info->metric, table[row - 1].metric))
        print_head(out, info->metric, info->kind, info->help);
}

static void print_daemon(GString *out, const DaemonStats *stats)
{
    for (guint i = 0; i < DAEMON_COUNTERS; i++) {
        const CounterInfo *info = &daemon_counter_info[i];
        print_head_of_row(out, daemon_counter_info, i);
        g_string_append(out, info->metric);
        if (info->label[0] != '\0')
            g_string_append_printf(out, "{%s}", info->label);
        g_string_append_printf(out, " %" G_GINT64_FORMAT "\n", stats->daemon[i]);
    }
}

static gchar *label_value(const gchar *text)
{
    GString *escaped = g_string_new(text);
    g_string_replace(escaped, "\\", "\\\\", 0);
    g_string_replace(escaped, "\"", "\\\"", 0);
    g_string_replace(escaped, "\n", "\\n", 0);
    return g_string_free(escaped, FALSE);
}

static void print_service_row(GString *out, const CounterInfo *info, const gchar *service,
                              gint64 value)
{
    g_autofree gchar *name = label_value(service);
    g_string_append_printf(out, "%s{service=\"%s\"%s%s} %" G_GINT64_FORMAT "\n", info->metric, name,
                           info->label[0] != '\0' ? "," : "", info->label, value);
}

/* Services go round inside, so that a metric of several rows stays in one piece. */
static void print_services(GString *out, const Dispatch *dispatch)
{
    for (guint i = 0; i < SERVICE_COUNTERS; i++) {
        const CounterInfo *info = &service_counter_info[i];
        print_head_of_row(out, service_counter_info, i);
        for (guint s = 0; s < dispatch_n_services(dispatch); s++) {
            Service *service = dispatch_service(dispatch, s);
            print_service_row(out, info, service_config(service)->name,
                              service_stats(service)->service[i]);
        }
        print_service_row(out, info, "", dispatch_unknown_stats(dispatch)->service[i]);
    }
}

/* --- the process ------------------------------------------------------------------------- */

static void print_gauge(GString *out, const gchar *metric, const gchar *help, gint64 value)
{
    print_head(out, metric, COUNTER_GAUGE, help);
    g_string_append_printf(out, "%s %" G_GINT64_FORMAT "\n", metric, value);
}

static void print_resident_memory(GString *out)
{
    g_autofree gchar *statm = NULL; /* "size resident shared ...", in pages */
    gint64 pages;
    if (!g_file_get_contents("/proc/self/statm", &statm, NULL, NULL))
        return;
    g_auto(GStrv) numbers = g_strsplit(statm, " ", 3);
    if (g_ascii_string_to_signed(numbers[1], 10, 0, G_MAXINT64, &pages, NULL))
        print_gauge(out, "process_resident_memory_bytes", "Memory of sluiced that is in RAM",
                    pages * sysconf(_SC_PAGESIZE));
}

static void print_open_fds(GString *out)
{
    g_autoptr(GDir) fds = g_dir_open("/proc/self/fd", 0, NULL);
    if (fds == NULL)
        return;
    gint64 n_open = -1; /* the directory's own does not count */
    while (g_dir_read_name(fds) != NULL)
        n_open++;
    print_gauge(out, "process_open_fds", "Descriptors that sluiced has open", n_open);
}

/* What the kernel does not tell, as when descriptors have run out, is left out: no number is
 * better than a wrong one. */
static void print_process(GString *out, gint64 uptime_usec)
{
    print_head(out, "sluice_build_info", COUNTER_GAUGE, "The version that runs, as a label");
    g_string_append(out, "sluice_build_info{version=\"" SLUICE_VERSION "\"} 1\n");
    print_gauge(out, "sluice_uptime_seconds", "Time since the start of sluiced",
                uptime_usec / G_USEC_PER_SEC);
    print_resident_memory(out);
    print_open_fds(out);
}

void metrics_print(GString *out, const AdminContext *context)
{
    print_daemon(out, context->stats);
    print_services(out, context->dispatch);
    print_process(out, loop_now_usec() - context->started_usec);
}
