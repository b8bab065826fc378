/* fd.h - a descriptor that closes itself:  g_auto(Fd) fd = -1;  */
#pragma once
#include <glib.h>
#include <unistd.h>

typedef int Fd; /* owned; -1 means "none" */

static inline void fd_close(Fd *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static inline int fd_steal(Fd *fd)
{
    int raw = *fd;
    *fd = -1;
    return raw;
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fd, fd_close)
