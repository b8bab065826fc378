#include "daemon/base/log_sink.h"
#include "actor/fault/fault_point.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    int fd;
    mode_t type;          /* S_IFIFO, ... */
    gboolean may_block;   /* it could not be opened again: ask before each write */
    gboolean inside_line; /* the last line was cut */
} sink = { .fd = STDERR_FILENO };

/* A file is not opened again: two openings of it would write over each other's lines. */
void log_sink_open(void)
{
    struct stat about;
    sink.type = fstat(STDERR_FILENO, &about) == 0 ? about.st_mode & S_IFMT : S_IFREG;
    if (sink.type != S_IFIFO && sink.type != S_IFCHR)
        return;
    const int again =
        open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | O_APPEND);
    sink.may_block = again < 0;
    if (again >= 0)
        sink.fd = again;
}

static ssize_t write_some(const gchar *text, gsize bytes)
{
    struct pollfd room = { .fd = sink.fd, .events = POLLOUT };
    errno = 0;
    if (FAULT_AT(LOG_WRITE))
        return -1;
    if (sink.type == S_IFSOCK)
        return send(sink.fd, text, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (!sink.may_block)
        return write(sink.fd, text, bytes);
    /* Where there is room, there is room for so much. */
    return poll(&room, 1, 0) == 1 ? write(sink.fd, text, MIN(bytes, PIPE_BUF)) : -1;
}

static gboolean write_all(const gchar *text, gsize bytes)
{
    while (bytes > 0) {
        const ssize_t written = write_some(text, bytes);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return FALSE;
        sink.inside_line = TRUE;
        text += written;
        bytes -= (gsize)written;
    }
    sink.inside_line = FALSE;
    return TRUE;
}

gboolean log_sink_write(const gchar *line, gsize bytes)
{
    if (sink.inside_line && !write_all("\n", 1))
        return FALSE;
    return write_all(line, bytes);
}
