/* threads.c - see threads.h. */
#include "handlers/host/threads.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PF_EXITING 0x4u /* of the kernel's task flags, shown in /proc/PID/stat */

/* The thread's name, or NULL when it has ended or is about to. */
static gchar *name_of_running(const gchar *tid)
{
    g_autofree gchar *path = g_strdup_printf("/proc/self/task/%s/stat", tid);
    g_autofree gchar *stat = NULL;
    if (!g_file_get_contents(path, &stat, NULL, NULL))
        return NULL;
    /* "4711 (a name) S 1 2 3 4 5 flags ...": the name may hold anything, brackets too. */
    gchar *name = strchr(stat, '('), *name_end = strrchr(stat, ')');
    guint flags;
    if (name == NULL || name_end == NULL ||
        sscanf(name_end, ") %*c %*d %*d %*d %*d %*d %u", &flags) != 1)
        g_error("threads.unreadable path=%s", path);
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
        gchar *name = atoi(tid) != gettid() ? name_of_running(tid) : NULL;
        if (name != NULL)
            g_ptr_array_add(names, name);
    }
    if (names->len == 0)
        return NULL;
    g_ptr_array_add(names, NULL);
    return g_strjoinv(", ", (gchar **)names->pdata);
}
