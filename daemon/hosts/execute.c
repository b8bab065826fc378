#include "daemon/hosts/execute.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

/* Each moves up, clear of all numbers that are wanted, and then to its own. */
static void move_descriptors(posix_spawn_file_actions_t *actions, const Execute *what)
{
    int free_fd = what->first_fd + (int)what->n_fds;
    for (guint i = 0; i < what->n_fds; i++)
        free_fd = MAX(free_fd, what->fds[i] + 1);
    for (guint i = 0; i < what->n_fds; i++)
        posix_spawn_file_actions_adddup2(actions, what->fds[i], free_fd + (int)i);
    for (guint i = 0; i < what->n_fds; i++) {
        posix_spawn_file_actions_adddup2(actions, free_fd + (int)i, what->first_fd + (int)i);
        posix_spawn_file_actions_addclose(actions, free_fd + (int)i);
    }
}

/* What sluiced ignores, a handler's program would not expect to be ignored. */
static void reset_signals(posix_spawnattr_t *attributes)
{
    sigset_t usual;
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawnattr_setsigdefault(attributes, &usual);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF);
}

gboolean execute(const Execute *what, pid_t *pid, GError **error)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    move_descriptors(&actions, what);
    reset_signals(&attributes);
    const int problem = posix_spawn(pid, what->argv[0], &actions, &attributes,
                                    (char *const *)what->argv, (char *const *)what->environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (problem != 0)
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(problem),
                    "cannot execute %s: %s", what->argv[0], g_strerror(problem));
    return problem == 0;
}
