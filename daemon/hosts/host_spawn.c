#include "daemon/hosts/host_spawn.h"
#include "actor/ring/headers.h"
#include "actor/ring/link.h"
#include "daemon/base/fd.h"
#include "daemon/hosts/execute.h"
#include "daemon/hosts/host.h"
#include "actor/fault/fault_point.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* A finished call's slot is free only after its reply was told, and then the next is out. */
#define SPARE_SLOTS 1u
/* Of options.def. */
#define SANDBOX_WORD_NONE 0u
/* Method and peer travel beside the arguments, and so do headers. */
#define CALL_HEAD_BYTES (4096u + HEADERS_MAX_BYTES)

/* sluiced's end does not block; the other end may: a worker waits for room in it. */
static gboolean make_pair(Fd *ours, Fd *theirs, GError **error)
{
    int pair[2];
    if (FAULT_AT(HOST_PAIR) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "cannot make a socket pair: %s", g_strerror(errno));
        return FALSE;
    }
    *ours = pair[0];
    *theirs = pair[1];
    if (FAULT_AT(HOST_NONBLOCK) || fcntl(*ours, F_SETFL, O_NONBLOCK) != 0) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "cannot make a socket non-blocking: %s", g_strerror(errno));
        return FALSE;
    }
    return TRUE;
}

static gboolean start(const HostSpawn *what, const int *fds, guint n_fds, pid_t *pid,
                      GError **error)
{
    g_autofree gchar *generation = g_strdup_printf("%u", what->generation);
    g_autofree gchar *parent = g_strdup_printf("%d", (int)getpid());
    const gchar *program = FAULT_AT(HOST_SPAWN) ? "" : what->program;
    const gchar *argv[] = { program, what->service, generation, what->plugin,
                            parent,  what->sandbox, NULL };
    /* GLib 2.74's slice allocator would hide what handlers leak, and keep it. */
    g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "G_SLICE", "always-malloc", TRUE);
    const Execute how = { argv, (const gchar *const *)environment, fds, n_fds, LINK_FD_CONTROL };
    return execute(&how, pid, error);
}

G_STATIC_ASSERT(LINK_FD_CONTROL + 5 == LINK_FD_END);

gboolean host_spawn(const HostSpawn *what, HostHandles *handles, GError **error)
{
    g_auto(Fd) control = -1, report = -1, their_control = -1, their_report = -1;
    if (!make_pair(&control, &their_control, error) || !make_pair(&report, &their_report, error))
        return FALSE;
    /* In the order of LINK_FD_CONTROL and those after it. */
    const int fds[] = { their_control, their_report, what->segment_fd, what->event_fd,
                        what->image_fd };
    pid_t pid;
    if (!start(what, fds, G_N_ELEMENTS(fds), &pid, error))
        return FALSE;
    /* Not reaped yet, so the number is still this process's. */
    g_auto(Fd) pidfd = FAULT_AT(HOST_PIDFD) ? -1 : pidfd_open(pid, 0);
    if (pidfd < 0) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "cannot watch process %d: %s", (int)pid, g_strerror(errno));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return FALSE;
    }
    *handles = (HostHandles){ pid, fd_steal(&pidfd), fd_steal(&control), fd_steal(&report) };
    return TRUE;
}

gchar *host_sandbox_rules(const ServiceConfig *service)
{
    GString *rules = g_string_new(NULL);
    if (service->worker_memory_bytes > 0)
        g_string_append_printf(rules, "memory=%" G_GUINT64_FORMAT " ",
                               service->worker_memory_bytes);
    if (service->worker_user != NULL)
        g_string_append_printf(rules, "user=%s ", service->worker_user);
    if (service->sandbox != SANDBOX_WORD_NONE)
        g_string_append(rules, "filter=basic");
    return g_string_free(rules, FALSE);
}

RingFront *host_ring_new(const ServiceConfig *service, guint32 frame_bytes, GError **error)
{
    const guint32 workers = service->workers.max + HOST_SPARE_WORKERS;
    const RingGeometry geometry = {
        .workers = workers,
        .slots = workers + service->lookahead + SPARE_SLOTS,
        .max_call_bytes = frame_bytes + CALL_HEAD_BYTES,
        .max_reply_bytes = frame_bytes,
    };
    return ring_front_new(&geometry, error);
}
