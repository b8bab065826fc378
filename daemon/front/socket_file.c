#include "daemon/front/socket_file.h"
#include "daemon/base/fd.h"
#include "actor/fault/fault_point.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#define BACKLOG      1024
#define PATIENCE_SEC 2

/* Which file it is: told to the sweeper once it is known. */
typedef struct {
    dev_t device;
    ino_t inode;
} FileId;

struct SocketFile {
    gchar *path;
    FileId id;
    pid_t sweeper;
};

/* Held until closed: between looking at a socket file and changing it, no other of us does.
 * Anybody who can read the directory can hold it as well, so the daemon does not wait for it:
 * without the lock, only the moment between two system calls is unguarded. */
static int lock_directory(const gchar *path, int wait)
{
    g_autofree gchar *directory = g_path_get_dirname(path);
    int fd = FAULT_AT(SOCKET_FILE_LOCK) ? -1 : open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        (void)flock(fd, LOCK_EX | wait);
    return fd;
}

/* A socket's file, and only that, may be taken over. */
static gboolean nobody_listens(const gchar *path)
{
    struct stat about;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    g_auto(Fd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return lstat(path, &about) == 0 && S_ISSOCK(about.st_mode) &&
           connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 &&
           errno == ECONNREFUSED;
}

/* The inode alone would not do: some file systems use its number again at once. */
static void remove_if_unused(const gchar *path, const FileId *id, int wait)
{
    g_auto(Fd) lock = lock_directory(path, wait);
    struct stat now;
    if (lstat(path, &now) == 0 && now.st_dev == id->device && now.st_ino == id->inode &&
        nobody_listens(path) && !FAULT_AT(SOCKET_FILE_UNLINK))
        unlink(path);
}

static gboolean bind_fresh(int fd, const struct sockaddr_un *address)
{
    if (!FAULT_AT(SOCKET_FILE_BIND) &&
        bind(fd, (const struct sockaddr *)address, sizeof *address) == 0)
        return TRUE;
    if (errno != EADDRINUSE)
        return FALSE;
    if (!nobody_listens(address->sun_path)) {
        errno = EADDRINUSE;
        return FALSE;
    }
    unlink(address->sun_path);
    return bind(fd, (const struct sockaddr *)address, sizeof *address) == 0;
}

/* --- the sweeper ------------------------------------------------------------------------- */

/* Runs in the forked process.  `daemon` is a pidfd: it tells of the end only when the dead
 * daemon's socket is closed as well.  So nobody else may hold one: what it has of the daemon's
 * it gives back first, and says so. */
G_NORETURN static void sweep(const gchar *path, int talk, int daemon)
{
    const gchar is_bare = 1;
    FileId id;
    sigset_t all;
    setpgid(0, 0);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    prctl(PR_SET_NAME, "sluiced-sweeper");
    dup2(talk, STDIN_FILENO);
    dup2(daemon, STDOUT_FILENO);
    close_range(STDERR_FILENO, ~0U, 0);
    talk = STDIN_FILENO;
    daemon = STDOUT_FILENO;
    if (FAULT_AT(SWEEPER_HANG))
        raise(SIGSTOP);
    if (FAULT_AT(SWEEPER_SPEAK) ||
        send(talk, &is_bare, sizeof is_bare, MSG_NOSIGNAL) != sizeof is_bare ||
        recv(talk, &id, sizeof id, 0) != sizeof id)
        _exit(0); /* there never was a file */
    struct pollfd end = { .fd = daemon, .events = POLLIN };
    while (poll(&end, 1, -1) != 1) {
    }
    remove_if_unused(path, &id, 0);
    _exit(0);
}

/* It speaks at once, unless somebody has stopped it; clients wait meanwhile. */
static ssize_t hear(int talk, gchar *is_bare)
{
    const struct timeval patience = { .tv_sec = PATIENCE_SEC };
    setsockopt(talk, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return recv(talk, is_bare, sizeof *is_bare, 0);
}

/* Forked before the socket exists, so that it can hold neither that nor the directory's lock.
 * Returns, once it is bare, the socket to tell it the file's identity by, or -1. */
static int start_sweeper(SocketFile *file)
{
    int talk[2];
    gchar is_bare = 0;
    g_auto(Fd) daemon = FAULT_AT(SWEEPER_PIDFD) ? -1 : pidfd_open(getpid(), 0);
    if (daemon < 0 || FAULT_AT(SWEEPER_PAIR) ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, talk) != 0)
        return -1;
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    file->sweeper = FAULT_AT(SWEEPER_FORK) ? -1 : fork();
    if (file->sweeper != 0)
        sigprocmask(SIG_SETMASK, &before, NULL);
    if (file->sweeper == 0) {
        close(talk[1]);
        sweep(file->path, talk[0], daemon);
    }
    close(talk[0]);
    const ssize_t got = file->sweeper > 0 ? hear(talk[1], &is_bare) : -1;
    if (got == sizeof is_bare)
        return talk[1];
    if (got == 0)
        errno = EPIPE; /* it has ended without a word */
    close(talk[1]);
    return -1;
}

/* --- life -------------------------------------------------------------------------------- */

/* The socket, or -1 with errno; the file's identity is known then. */
static int listen_at(SocketFile *file, const struct sockaddr_un *address)
{
    struct stat bound;
    g_auto(Fd) fd = FAULT_AT(SOCKET_FILE_SOCKET)
                        ? -1
                        : socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    g_auto(Fd) lock = lock_directory(file->path, LOCK_NB);
    if (fd < 0 || lock < 0 || !bind_fresh(fd, address))
        return -1;
    if (FAULT_AT(SOCKET_FILE_STAT) || lstat(file->path, &bound) != 0) {
        const int why = errno;
        unlink(file->path); /* ours, as bind() has made it just now */
        errno = why;
        return -1;
    }
    file->id = (FileId){ bound.st_dev, bound.st_ino };
    return !FAULT_AT(SOCKET_FILE_LISTEN) && listen(fd, BACKLOG) == 0 ? fd_steal(&fd) : -1;
}

SocketFile *socket_file_listen(const gchar *path, int *fd, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NAMETOOLONG,
                    "unix:%s: a socket's path has at most %zu bytes", path,
                    sizeof address.sun_path - 1);
        return NULL;
    }
    SocketFile *file = g_new0(SocketFile, 1);
    file->path = g_strdup(path);
    g_auto(Fd) talk = start_sweeper(file);
    *fd = talk >= 0 ? listen_at(file, &address) : -1;
    const FileId id = file->id;
    if (*fd >= 0 && send(talk, &id, sizeof id, MSG_NOSIGNAL) == sizeof id)
        return file;
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                "unix:%s: cannot listen: %s", path, g_strerror(errno));
    fd_close(fd);
    socket_file_remove(file);
    return NULL;
}

void socket_file_remove(SocketFile *file)
{
    if (file == NULL)
        return;
    if (file->id.inode != 0)
        remove_if_unused(file->path, &file->id, LOCK_NB);
    if (file->sweeper > 0) {
        kill(file->sweeper, SIGKILL); /* it has nothing left to do */
        waitpid(file->sweeper, NULL, 0);
    }
    g_free(file->path);
    g_free(file);
}
