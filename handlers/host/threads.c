/* threads.c - see threads.h. */
#include "handlers/host/threads.h"
#include <string.h>
#include <unistd.h>

#define PF_EXITING  0x4u /* of the kernel's task flags, shown in /proc/PID/stat */
#define FLAGS_FIELD 7    /* counted from the one that ends with the name's bracket */

/* The thread's name, or NULL when it has ended or is about to. */
static gchar *name_of_running(const gchar *tid)
{
    g_autofree gchar *path = g_strdup_printf("/proc/self/task/%s/stat", tid);
    g_autofree gchar *stat = NULL;
    if (!g_file_get_contents(path, &stat, NULL, NULL))
        return NULL;
    /* "4711 (a name) S 1 2 3 4 5 flags ...": the name may hold anything, brackets too. */
    gchar *name = strchr(stat, '('), *name_end = strrchr(stat, ')');
    if (name == NULL || name_end == NULL)
        g_error("threads.unreadable path=%s", path);
    g_auto(GStrv) fields = g_strsplit(name_end, " ", FLAGS_FIELD + 2);
    if (g_strv_length(fields) <= FLAGS_FIELD)
        g_error("threads.unreadable path=%s", path);
    const guint64 flags = g_ascii_strtoull(fields[FLAGS_FIELD], NULL, 10);
    if (flags & PF_EXITING)
        return NULL;
    return g_strndup(name + 1, (gsize)(name_end - name - 1));
}

gchar *threads_besides_this(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) tasks = g_dir_open("/proc/self/task", 0, &error);
    if (tasks == NULL)
        g_error("threads.unreadable error=\"%s\"", error->message);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const gchar *tid;
    while ((tid = g_dir_read_name(tasks)) != NULL) {
        gchar *name = g_ascii_strtoll(tid, NULL, 10) != gettid() ? name_of_running(tid) : NULL;
        if (name != NULL)
            g_ptr_array_add(names, name);
    }
    if (names->len == 0)
        return NULL;
    g_ptr_array_add(names, NULL);
    return g_strjoinv(", ", (gchar **)names->pdata);
}
