#include "daemon/base/load.h"
#include "actor/fault/fault_point.h"
#include <string.h>

#define PERMILLE      1000u
#define BITS_PER_BYTE 8u

/* --- texts ------------------------------------------------------------------------------- */

/* "cpu  user nice system idle iowait irq softirq steal ...", in ticks. */
gboolean load_parse_stat(const gchar *text, guint64 *busy, guint64 *total)
{
    enum { IDLE = 3, IOWAIT = 4, FIELDS = 8 };
    if (!g_str_has_prefix(text, "cpu "))
        return FALSE;
    const gchar *at = text + strlen("cpu ");
    guint64 idle = 0, sum = 0;
    for (guint i = 0; i < FIELDS; i++) {
        gchar *end;
        const guint64 ticks = g_ascii_strtoull(at, &end, 10);
        if (end == at)
            return FALSE;
        sum += ticks;
        idle += i == IDLE || i == IOWAIT ? ticks : 0;
        at = end;
    }
    *total = sum;
    *busy = sum - idle;
    return TRUE;
}

/* The number behind "Name:" at the beginning of a line. */
static gboolean number_of(const gchar *text, const gchar *name, guint64 *number)
{
    const gchar *at = strstr(text, name);
    if (at == NULL)
        return FALSE;
    *number = g_ascii_strtoull(at + strlen(name), NULL, 10);
    return TRUE;
}

gboolean load_parse_meminfo(const gchar *text, guint16 *used_permille)
{
    guint64 total, available;
    if (!number_of(text, "MemTotal:", &total) || !number_of(text, "MemAvailable:", &available) ||
        total == 0 || available > total)
        return FALSE;
    *used_permille = (guint16)((total - available) * PERMILLE / total);
    return TRUE;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" */
gboolean load_parse_pressure(const gchar *text, guint64 *stalled_usec)
{
    return g_str_has_prefix(text, "some ") && number_of(text, "total=", stalled_usec);
}

/* Two lines of heads, then "  eth0: received_bytes 7 others sent_bytes ..." for each. */
gboolean load_parse_net(const gchar *text, guint64 *bytes)
{
    enum { SENT = 8 };
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    *bytes = 0;
    if (g_strv_length(lines) < 3)
        return FALSE;
    for (guint i = 2; lines[i] != NULL; i++) {
        const gchar *colon = strchr(lines[i], ':');
        if (colon == NULL || g_str_has_prefix(g_strchug(lines[i]), "lo:"))
            continue;
        gchar *at = (gchar *)strchr(lines[i], ':') + 1;
        *bytes += g_ascii_strtoull(at, &at, 10);
        for (guint field = 1; field < SENT; field++)
            (void)g_ascii_strtoull(at, &at, 10);
        *bytes += g_ascii_strtoull(at, NULL, 10);
    }
    return TRUE;
}

/* --- the machine ------------------------------------------------------------------------- */

static gchar *read_file(const gchar *path)
{
    gchar *text = NULL;
    return !FAULT_AT(LOAD_READ) && g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

static guint16 share(guint64 part, guint64 whole)
{
    return whole == 0 ? 0 : (guint16)MIN(part * PERMILLE / whole, PERMILLE);
}

static guint16 sample_cpu(Load *load)
{
    g_autofree gchar *text = read_file("/proc/stat");
    guint64 busy, total;
    if (text == NULL || !load_parse_stat(text, &busy, &total))
        return 0;
    const gboolean first = load->cpu_total == 0;
    const guint16 permille = share(busy - load->cpu_busy, total - load->cpu_total);
    load->cpu_busy = busy;
    load->cpu_total = total;
    return first ? 0 : permille;
}

static guint16 sample_memory(void)
{
    g_autofree gchar *text = read_file("/proc/meminfo");
    g_autofree gchar *limit = read_file("/sys/fs/cgroup/memory.max");
    g_autofree gchar *used = read_file("/sys/fs/cgroup/memory.current");
    guint16 permille = 0;
    if (limit != NULL && used != NULL && g_ascii_isdigit(limit[0]))
        return share(g_ascii_strtoull(used, NULL, 10), g_ascii_strtoull(limit, NULL, 10));
    if (text != NULL)
        load_parse_meminfo(text, &permille);
    return permille;
}

static guint16 sample_pressure(Load *load, gint64 elapsed_usec)
{
    g_autofree gchar *text = read_file("/proc/pressure/cpu");
    guint64 stalled;
    if (text == NULL || !load_parse_pressure(text, &stalled))
        return 0;
    const guint64 before = load->stalled_usec;
    load->stalled_usec = stalled;
    return before == 0 ? 0 : share(stalled - before, (guint64)elapsed_usec);
}

/* Megabits a second of the fastest link that says how fast it is; 0: none does. */
static guint64 link_megabits(void)
{
    g_autoptr(GDir) links = g_dir_open("/sys/class/net", 0, NULL);
    guint64 most = 0;
    const gchar *name;
    while (links != NULL && (name = g_dir_read_name(links)) != NULL) {
        g_autofree gchar *path = g_build_filename("/sys/class/net", name, "speed", NULL);
        g_autofree gchar *speed = read_file(path);
        if (speed != NULL && g_ascii_isdigit(speed[0]))
            most = MAX(most, g_ascii_strtoull(speed, NULL, 10));
    }
    return most;
}

static guint16 sample_network(Load *load, gint64 elapsed_usec)
{
    g_autofree gchar *text = read_file("/proc/net/dev");
    guint64 bytes;
    if (text == NULL || !load_parse_net(text, &bytes))
        return 0;
    const guint64 before = load->network_bytes;
    load->network_bytes = bytes;
    /* Megabits a second are bits a microsecond. */
    return before == 0
               ? 0
               : share((bytes - before) * BITS_PER_BYTE, link_megabits() * (guint64)elapsed_usec);
}

LoadSample load_sample(Load *load, gint64 now_usec)
{
    const gint64 elapsed_usec = MAX(now_usec - load->at_usec, 1);
    load->at_usec = now_usec;
    return (LoadSample){
        .cpu_permille = sample_cpu(load),
        .memory_permille = sample_memory(),
        .network_permille = sample_network(load, elapsed_usec),
        .pressure_permille = sample_pressure(load, elapsed_usec),
    };
}
