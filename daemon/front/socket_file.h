/* socket_file.h - the file of a unix socket: bound, and gone when nobody listens any more.
 *
 * A killed daemon cannot remove its file, so a small process forked at start, the sweeper,
 * outlives it for that one purpose.  Before a file is removed by anybody, it is made sure
 * that it is the same one and that nobody listens on it: a daemon that has started again in the
 * meantime keeps its own.
 *
 * Thread: the loop's; before other threads exist.                                             */
#pragma once
#include <glib.h>

typedef struct SocketFile SocketFile;

/* Binds `fd` to `path` and listens.  A socket file that nobody listens on is taken over. */
SocketFile *socket_file_listen(int fd, const gchar *path, GError **error);
/* Removes the file, if it is still ours, and frees; `fd` has been closed.  NULL is fine. */
void socket_file_remove(SocketFile *file);
