#include "daemon/front/socket_file.h"
#include "daemon/base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#define BACKLOG 1024

struct SocketFile {
    gchar *path;
    dev_t device;
    ino_t inode;
    Fd alive; /* closed when this process ends, however it ends */
    pid_t sweeper;
};

/* Held until closed: between looking at a socket file and changing it, no other of us does.
 * Anybody who can read the directory can hold it as well, so the daemon does not wait for it:
 * without the lock, only the moment between two system calls is unguarded. */
static int lock_directory(const gchar *path, int wait)
{
    g_autofree gchar *directory = g_path_get_dirname(path);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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
static void remove_if_ours(const SocketFile *file, int wait)
{
    g_auto(Fd) lock = lock_directory(file->path, wait);
    struct stat now;
    if (lstat(file->path, &now) == 0 && now.st_dev == file->device && now.st_ino == file->inode &&
        nobody_listens(file->path))
        unlink(file->path);
}

static gboolean bind_fresh(int fd, const struct sockaddr_un *address)
{
    if (bind(fd, (const struct sockaddr *)address, sizeof *address) == 0)
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

/* Runs in the forked process.  Keeps nothing open but the pipe, ends when that does. */
G_NORETURN static void sweep(const SocketFile *file, int alive)
{
    char byte;
    sigset_t all;
    setpgid(0, 0);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    prctl(PR_SET_NAME, "sluiced-sweeper");
    dup2(alive, STDIN_FILENO);
    close_range(STDIN_FILENO + 1, ~0U, 0);
    while (read(STDIN_FILENO, &byte, 1) < 0 && errno == EINTR) {
    }
    remove_if_ours(file, 0);
    _exit(0);
}

static gboolean start_sweeper(SocketFile *file, GError **error)
{
    int pipe_fds[2];
    pid_t pid = -1;
    if (pipe2(pipe_fds, O_CLOEXEC) == 0)
        pid = fork();
    if (pid < 0) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "cannot start the sweeper of %s: %s", file->path, g_strerror(errno));
        return FALSE;
    }
    if (pid == 0) {
        close(pipe_fds[1]);
        sweep(file, pipe_fds[0]);
    }
    close(pipe_fds[0]);
    file->alive = pipe_fds[1];
    file->sweeper = pid;
    return TRUE;
}

SocketFile *socket_file_listen(int fd, const gchar *path, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct stat bound;
    if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NAMETOOLONG,
                    "unix:%s: a socket's path has at most %zu bytes", path,
                    sizeof address.sun_path - 1);
        return NULL;
    }
    g_auto(Fd) lock = lock_directory(path, LOCK_NB);
    if (lock < 0 || !bind_fresh(fd, &address) || lstat(path, &bound) != 0 ||
        listen(fd, BACKLOG) != 0) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "unix:%s: cannot listen: %s", path, g_strerror(errno));
        return NULL;
    }
    SocketFile *file = g_new0(SocketFile, 1);
    file->path = g_strdup(path);
    file->device = bound.st_dev;
    file->inode = bound.st_ino;
    file->alive = -1;
    if (start_sweeper(file, error))
        return file;
    socket_file_remove(file);
    return NULL;
}

void socket_file_remove(SocketFile *file)
{
    if (file == NULL)
        return;
    remove_if_ours(file, LOCK_NB);
    fd_close(&file->alive);
    if (file->sweeper > 0) {
        kill(file->sweeper, SIGKILL); /* it has nothing left to do */
        waitpid(file->sweeper, NULL, 0);
    }
    g_free(file->path);
    g_free(file);
}
