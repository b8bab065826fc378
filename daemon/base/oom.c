#include "daemon/base/oom.h"
#include <string.h>

#define V1_ROOT "/sys/fs/cgroup/memory"
#define V2_ROOT "/sys/fs/cgroup"

static gchar *file; /* NULL: the kernel does not tell */
static gint64 seen, moved_usec;

/* Several may be killed at once, and each of their deaths asks. */
#define TOGETHER_USEC 100000

/* "oom_kill 3" is a line of it. */
gint64 oom_parse(const gchar *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint64 count;
    for (guint i = 0; lines[i] != NULL; i++)
        if (g_str_has_prefix(lines[i], "oom_kill ") &&
            g_ascii_string_to_unsigned(lines[i] + strlen("oom_kill "), 10, 0, G_MAXINT64, &count,
                                       NULL))
            return (gint64)count;
    return -1;
}

/* In a container the path may be the outside's: then the root of what is mounted is ours. */
gchar **oom_paths(const gchar *cgroups)
{
    g_auto(GStrv) lines = g_strsplit(cgroups, "\n", -1);
    GPtrArray *paths = g_ptr_array_new();
    for (guint i = 0; lines[i] != NULL; i++) {
        g_auto(GStrv) parts = g_strsplit(lines[i], ":", 3); /* number, controllers, path */
        if (g_strv_length(parts) != 3)
            continue;
        g_auto(GStrv) controllers = g_strsplit(parts[1], ",", -1);
        const gboolean is_v2 = parts[1][0] == '\0';
        if (!is_v2 && !g_strv_contains((const gchar *const *)controllers, "memory"))
            continue;
        const gchar *root = is_v2 ? V2_ROOT : V1_ROOT;
        const gchar *name = is_v2 ? "memory.events" : "memory.oom_control";
        g_ptr_array_add(paths, g_build_filename(root, parts[2], name, NULL));
        g_ptr_array_add(paths, g_build_filename(root, name, NULL));
    }
    g_ptr_array_add(paths, NULL);
    return (gchar **)g_ptr_array_free(paths, FALSE);
}

static gint64 read_count(const gchar *path)
{
    g_autofree gchar *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? oom_parse(text) : -1;
}

void oom_start(void)
{
    g_autofree gchar *cgroups = NULL;
    if (!g_file_get_contents("/proc/self/cgroup", &cgroups, NULL, NULL))
        return;
    g_auto(GStrv) paths = oom_paths(cgroups);
    for (guint i = 0; paths[i] != NULL && file == NULL; i++) {
        seen = read_count(paths[i]);
        if (seen >= 0)
            file = g_strdup(paths[i]);
    }
}

gboolean oom_has_killed(void)
{
    const gint64 count = file != NULL ? read_count(file) : -1;
    const gint64 now_usec = g_get_monotonic_time();
    if (count > seen) {
        seen = count;
        moved_usec = now_usec;
    }
    return moved_usec > 0 && now_usec - moved_usec < TOGETHER_USEC;
}
