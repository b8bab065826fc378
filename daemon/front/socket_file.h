/* socket_file.h - a listening unix socket, and its file: gone when nobody listens any more.
 *
 * A killed daemon cannot remove its file, so a small process forked at start, the sweeper,
 * outlives it for that one purpose.  Before a file is removed by anybody, it is made sure
 * that it is the same one and that nobody listens on it: a daemon that has started again in
 * the meantime keeps its own.
 *
 * Thread: the loop's; before other threads exist.
 * Owns:   the file and the sweeper; the socket is the caller's.                               */
#pragma once
#include <glib.h>

typedef struct SocketFile SocketFile;

/* A socket file that nobody listens on is taken over.  *fd is non-blocking and the caller's,
 * who closes it before socket_file_remove(). */
SocketFile *socket_file_listen(const gchar *path, int *fd, GError **error);

/* Removes the file, if it is still ours, and frees.  NULL is fine. */
void socket_file_remove(SocketFile *file);
