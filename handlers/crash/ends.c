/* ends.c - see ends.h. */
#include "handlers/crash/ends.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The signal is what is wanted here, not a sanitizer's report. */
__attribute__((no_sanitize("undefined"))) gboolean crash_segfault(crashCrashIf *self,
                                                                  GError **error)
{
    (void)self, (void)error;
    *(volatile gint *)NULL = 1;
    return TRUE;
}

gboolean crash_do_abort(crashCrashIf *self, GError **error)
{
    (void)self, (void)error;
    abort();
}

gboolean crash_do_exit(crashCrashIf *self, gint32 status, GError **error)
{
    (void)self, (void)error;
    exit(status);
}

/* What is volatile keeps the compiler from seeing that there is no end, and from making a loop
 * of it. */
static volatile guint bottom = G_MAXUINT;

static guint descend(guint depth)
{
    volatile guint frame[256];
    frame[depth % G_N_ELEMENTS(frame)] = depth;
    if (depth == bottom)
        return depth;
    return descend(depth + 1) + frame[depth % G_N_ELEMENTS(frame)];
}

gboolean crash_overflow_stack(crashCrashIf *self, GError **error)
{
    (void)self, (void)error;
    return descend(0) != 0;
}

gboolean crash_loop_forever(crashCrashIf *self, GError **error)
{
    (void)self, (void)error;
    for (volatile guint turns = 0;; turns++)
        continue;
}

gboolean crash_leak(crashCrashIf *self, gint32 bytes, GError **error)
{
    (void)self, (void)error;
    /* volatile: else a compiler sees that nobody reads it, and takes none. */
    volatile guint8 *memory = g_malloc((gsize)MAX(bytes, 0));
    for (gint32 i = 0; i < bytes; i++)
        memory[i] = 1;
    return TRUE;
}

static void scribble_over(GRand *random, guint32 *begin, const guint32 *end)
{
    for (guint32 *word = begin; word < end; word++)
        *word = g_rand_int(random);
}

gboolean crash_scribble(crashCrashIf *self, gint32 seed, GError **error)
{
    (void)self;
    g_autofree gchar *maps = NULL;
    if (!g_file_get_contents("/proc/self/maps", &maps, NULL, error))
        return FALSE;
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)seed);
    g_auto(GStrv) lines = g_strsplit(maps, "\n", -1);
    for (gchar **line = lines; *line != NULL; line++) {
        void *begin, *end;
        if (strstr(*line, "sluice-ring") != NULL && sscanf(*line, "%p-%p", &begin, &end) == 2)
            scribble_over(random, begin, end);
    }
    return TRUE;
}
