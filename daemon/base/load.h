/* load.h - how much of the machine is in use, for the capacity controller.
 *
 * Of the daemon's own cgroup where it has limits there (a container, a systemd slice), else of
 * the machine.  What the kernel does not tell is 0: a controller then goes by the rest.
 *
 * Thread: its owner's.   Blocks: for reads of /proc and /sys, which are memory.              */
#pragma once
#include <glib.h>

/* Permille of what there is. */
typedef struct {
    guint16 cpu_permille;
    guint16 memory_permille;
    guint16 network_permille;  /* of the fastest link's speed, where it is known */
    guint16 pressure_permille; /* time in which something waited for a processor */
} LoadSample;

/* What was read last: all zeros at first. */
typedef struct {
    gint64 at_usec;
    guint64 cpu_busy, cpu_total;
    guint64 network_bytes;
    guint64 stalled_usec;
} Load;

/* Between the last call and this one; the first gives zeros but for memory. */
LoadSample load_sample(Load *load, gint64 now_usec);

/* The texts of the kernel's files as numbers; pure, for tests.  FALSE: not of that form. */
gboolean load_parse_stat(const gchar *text, guint64 *busy, guint64 *total);
gboolean load_parse_meminfo(const gchar *text, guint16 *used_permille);
gboolean load_parse_pressure(const gchar *text, guint64 *stalled_usec);
gboolean load_parse_net(const gchar *text, guint64 *bytes);
