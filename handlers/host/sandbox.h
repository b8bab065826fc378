/* sandbox.h - what a host and its workers may not do, set up before the plugin is loaded.
 *
 * No new privileges, no descriptor but their own, files for nobody else; if so configured a
 * limit of memory, another user, and a filter of system calls that no request handler needs.
 *
 * Thread: the only one.                                                                      */
#pragma once
#include <glib.h>

/* `rules` as host_spawn.c writes them: "memory=1073741824 user=nobody filter=basic", each one
 * optional.  FALSE with `error`: one of them cannot be had, and nothing must run without it. */
gboolean sandbox_enter(const gchar *rules, int first_foreign_fd, GError **error);

/* Of a worker alone: the number of descriptors that programs expect to have. */
void sandbox_enter_worker(void);
