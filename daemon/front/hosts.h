/* hosts.h - how many connections each client host has open.
 *
 * Thread: one at a time.   Owns: a name per host that has any.                               */
#pragma once
#include <glib.h>

typedef struct Hosts Hosts;

Hosts *hosts_new(void);
void hosts_free(Hosts *hosts); /* NULL is fine */

/* FALSE: it has `most` already; 0 is no limit. */
gboolean hosts_enter(Hosts *hosts, const gchar *host, guint most);
void hosts_leave(Hosts *hosts, const gchar *host); /* once for each that entered */
