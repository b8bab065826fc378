/* oom.h - whether the kernel has killed something of ours for want of memory.
 *
 * A process that it kills ends as by anybody's SIGKILL; what tells the two apart is the count of
 * the memory cgroup that sluiced and its workers are in (cgroup v2: memory.events, v1:
 * memory.oom_control).
 *
 * Thread: the loop's.                                                                        */
#pragma once
#include <glib.h>

/* Reads where the count stands; once, at the start. */
void oom_start(void);

/* TRUE: the count has moved since this was asked last, or a moment ago.  FALSE where the kernel
 * does not tell. */
gboolean oom_has_killed(void);

/* For tests: the text of such a file.  -1: it does not say. */
gint64 oom_parse(const gchar *text);
/* The paths to try, of the text of /proc/self/cgroup; free with g_strfreev(). */
gchar **oom_paths(const gchar *cgroups);
