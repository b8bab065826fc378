/* main.c - sluice-host: loads one plugin, forks its workers, reports their ends.
 *
 *   sluice-host SERVICE GENERATION PLUGIN PARENT SANDBOX   (by sluiced, with its descriptors)
 *
 * It stays single-threaded and serves no calls, so that every fork is of a process in a
 * known state.  It dies with sluiced, and its workers die with it (PDEATHSIG).              */
#include "actor/ring/link.h"
#include "actor/ring/ring_worker.h"
#include "actor/fault/fault_point.h"
#include "handlers/host/black_box.h"
#include "handlers/host/plugin.h"
#include "handlers/host/report.h"
#include "handlers/host/sandbox.h"
#include "handlers/host/settings.h"
#include "handlers/host/worker.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    const gchar *plugin_path;
    SluiceSettings *settings;
    Plugin *plugin;
    RingGeometry geometry;
    int child_fd;       /* signalfd of SIGCHLD */
    GHashTable *forked; /* pid -> Forked */
    gchar text[LINK_TEXT_MAX + 1];
} Host;

/* A worker that lives, or whose end has not been told. */
typedef struct {
    guint32 worker, incarnation;
    int black_box; /* what it writes down in its last moment */
} Forked;

static void forked_free(gpointer data)
{
    Forked *forked = data;
    close(forked->black_box);
    g_free(forked);
}

/* The kernel kills this process when its parent's thread ends; a parent that has ended
 * already is not told of. */
static void die_with_parent(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    /* Ctrl-C at sluiced's terminal is for sluiced, which then drains. */
    setpgid(0, 0);
}

static gboolean tell(const LinkMessage *message)
{
    return !FAULT_AT(CHILD_TELL) && link_send(LINK_FD_CONTROL, message, TRUE, NULL);
}

/* --- start ------------------------------------------------------------------------------- */

static void refuse(const gchar *why)
{
    const LinkMessage refused = { .kind = LINK_REFUSED, .text = why, .fd = -1 };
    tell(&refused);
    exit(0);
}

G_STATIC_ASSERT(LINK_PLUGIN_THREAD_SAFE == SLUICE_PLUGIN_THREAD_SAFE);

static void load(Host *host, const gchar *settings_text)
{
    g_autoptr(GError) error = NULL;
    host->settings = settings_new(settings_text, &error);
    if (host->settings != NULL)
        host->plugin = plugin_load(LINK_FD_IMAGE, host->plugin_path, host->settings, &error);
    if (host->plugin == NULL)
        refuse(error->message);
    g_autofree gchar *text =
        g_strdup_printf("%s\n%s", plugin_name(host->plugin), plugin_version(host->plugin));
    const LinkMessage hello = {
        .kind = LINK_HELLO, .value = (gint32)plugin_flags(host->plugin), .text = text, .fd = -1
    };
    if (!tell(&hello))
        exit(1);
}

/* What a handler executes must not inherit the ring. */
static void close_on_exec(void)
{
    for (int fd = LINK_FD_CONTROL; fd < LINK_FD_END; fd++)
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
            fprintf(stderr, "sluice-host: descriptor %d is missing; sluiced starts this program\n",
                    fd);
            exit(2);
        }
}

static void watch_children(Host *host)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    host->child_fd =
        FAULT_AT(CHILD_SIGNALFD) ? -1 : signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    if (host->child_fd < 0)
        g_error("cannot watch workers: %s", g_strerror(errno));
}

/* --- workers ----------------------------------------------------------------------------- */

/* The two pipes that a worker is forked with. */
typedef struct {
    int go[2];        /* a byte to the worker: sluiced knows of it */
    int black_box[2]; /* from it */
} Pipes;

static gboolean open_pipes(Pipes *pipes)
{
    if (FAULT_AT(CHILD_PIPE) || pipe2(pipes->go, O_CLOEXEC) != 0)
        return FALSE;
    if (pipe2(pipes->black_box, O_CLOEXEC | O_NONBLOCK) == 0)
        return TRUE;
    close(pipes->go[0]);
    close(pipes->go[1]);
    return FALSE;
}

G_NORETURN static void become_worker(Host *host, const LinkMessage *wanted, const Pipes *pipes,
                                     pid_t parent)
{
    guint8 byte;
    sigset_t none;
    die_with_parent(parent);
    close(host->child_fd);
    close(LINK_FD_CONTROL);
    close(pipes->go[1]);
    close(pipes->black_box[0]);
    sandbox_enter_worker();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_NAME, "sluice-worker");
    /* Not before sluiced has been told of this process. */
    if (FAULT_AT(WORKER_GO) || read(pipes->go[0], &byte, 1) != 1)
        _exit(1);
    close(pipes->go[0]);
    black_box_install(pipes->black_box[1]);
    worker_run(host->plugin, &host->geometry, wanted->worker, (guint16)wanted->incarnation);
}

/* FALSE: there is no such process, or it must not be.  Takes the black box. */
static gboolean report_fork(Host *host, const LinkMessage *wanted, pid_t pid, int black_box)
{
    const int pidfd = pid > 0 && !FAULT_AT(CHILD_PIDFD) ? pidfd_open(pid, 0) : -1;
    if (pidfd < 0) {
        const LinkMessage unforked = { LINK_UNFORKED,       wanted->worker,
                                       wanted->incarnation, 0,
                                       g_strerror(errno),   -1 };
        tell(&unforked);
        close(black_box);
        return FALSE;
    }
    const LinkMessage message = {
        LINK_FORKED, wanted->worker, wanted->incarnation, pid, NULL, pidfd
    };
    const gboolean told = tell(&message);
    close(pidfd);
    Forked *forked = g_new(Forked, 1);
    *forked = (Forked){ wanted->worker, wanted->incarnation, black_box };
    g_hash_table_insert(host->forked, GINT_TO_POINTER(pid), forked);
    return told;
}

static void fork_worker(Host *host, const LinkMessage *wanted)
{
    Pipes pipes;
    const pid_t parent = getpid();
    if (!open_pipes(&pipes)) {
        report_fork(host, wanted, -1, -1);
        return;
    }
    fflush(NULL);
    const pid_t pid = FAULT_AT(CHILD_FORK) ? -1 : fork();
    if (pid == 0)
        become_worker(host, wanted, &pipes, parent);
    close(pipes.go[0]);
    close(pipes.black_box[1]);
    if (report_fork(host, wanted, pid, pipes.black_box[0]) &&
        (FAULT_AT(CHILD_GO) || write(pipes.go[1], "", 1) != 1))
        kill(pid, SIGKILL);
    close(pipes.go[1]); /* without the byte, the child ends here */
}

/* How it ended, what it has used and, if it wrote that down, where it crashed. */
static void tell_end(Host *host, const Forked *forked, int status, const struct rusage *usage)
{
    g_autofree gchar *trace = black_box_read(forked->black_box, host->plugin_path);
    g_autofree gchar *text =
        g_strdup_printf("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %ld\n%s",
                        (gint64)usage->ru_utime.tv_sec * G_USEC_PER_SEC + usage->ru_utime.tv_usec,
                        (gint64)usage->ru_stime.tv_sec * G_USEC_PER_SEC + usage->ru_stime.tv_usec,
                        usage->ru_maxrss, trace != NULL ? trace : "");
    const LinkMessage exited = {
        LINK_EXITED, forked->worker, forked->incarnation, status, text, -1
    };
    tell(&exited);
}

static void reap(Host *host)
{
    struct signalfd_siginfo ignored;
    struct rusage usage;
    int status;
    pid_t pid;
    while (read(host->child_fd, &ignored, sizeof ignored) > 0) {
    }
    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
        const Forked *forked = g_hash_table_lookup(host->forked, GINT_TO_POINTER(pid));
        if (forked == NULL)
            continue;        /* a child of the plugin's load() */
        kill(-pid, SIGKILL); /* what the worker itself had started, in its process group */
        tell_end(host, forked, status, &usage);
        g_hash_table_remove(host->forked, GINT_TO_POINTER(pid));
    }
}

/* --- life -------------------------------------------------------------------------------- */

G_NORETURN static void end(Host *host)
{
    plugin_unload(host->plugin);
    settings_free(host->settings);
    exit(0);
}

static void take_message(Host *host)
{
    LinkMessage message;
    const LinkResult result = FAULT_AT(CHILD_RECEIVE)
                                  ? LINK_CLOSED
                                  : link_receive(LINK_FD_CONTROL, &message, host->text, FALSE);
    if (result == LINK_NOTHING)
        return;
    if (result != LINK_GOT)
        exit(1); /* sluiced has gone */
    if (message.kind == LINK_FORK)
        fork_worker(host, &message);
    else if (message.kind == LINK_END)
        end(host);
}

static void serve(Host *host)
{
    struct pollfd watched[] = { { .fd = LINK_FD_CONTROL, .events = POLLIN },
                                { .fd = host->child_fd, .events = POLLIN } };
    for (;;) {
        if (poll(watched, G_N_ELEMENTS(watched), -1) < 0 && errno != EINTR)
            g_error("poll: %s", g_strerror(errno));
        if (watched[1].revents != 0)
            reap(host);
        if (watched[0].revents != 0)
            take_message(host);
    }
}

int main(int argc, char **argv)
{
    static Host host;
    LinkMessage message;
    g_autoptr(GError) error = NULL;
    if (argc != 6) {
        fprintf(stderr,
                "sluice-host: sluiced starts this program; there is nothing to run by hand\n");
        return 2;
    }
    close_on_exec();
    const pid_t parent = (pid_t)g_ascii_strtoll(argv[4], NULL, 10);
    die_with_parent(parent);
    report_start(LINK_NO_WORKER, 0);
    host.plugin_path = argv[3];
    host.forked = g_hash_table_new_full(NULL, NULL, NULL, forked_free);
    if (!sandbox_enter(argv[5], LINK_FD_END, &error))
        refuse(error->message);
    die_with_parent(parent); /* a change of user forgets it */
    /* Before any worker exists that could change it. */
    if (!ring_geometry_read(LINK_FD_SEGMENT, &host.geometry))
        refuse("sluice-host and sluiced are not of the same version");
    watch_children(&host);
    if (link_receive(LINK_FD_CONTROL, &message, host.text, TRUE) != LINK_GOT ||
        message.kind != LINK_LOAD)
        return 1;
    load(&host, message.text);
    serve(&host);
}
