/* execute.h - a program in a new process, with descriptors at the numbers that it expects.
 *
 * Why not g_spawn_async_with_pipes_and_fds(): when descriptors run out, GLib 2.74 closes
 * descriptor 0 of the caller, whatever that is by then: a ring or a client.                 */
#pragma once
#include <glib.h>
#include <sys/types.h>

typedef struct {
    const gchar *const *argv; /* argv[0] is the path */
    const gchar *const *environment;
    const int *fds; /* borrowed, close-on-exec; the child has them as first_fd, first_fd + 1, ... */
    guint n_fds;
    int first_fd;
} Execute;

/* Its standard input is empty, output and errors are the caller's. */
gboolean execute(const Execute *what, pid_t *pid, GError **error);
