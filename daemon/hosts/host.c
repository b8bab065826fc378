#include "daemon/hosts/host.h"
#include "daemon/base/fd.h"
#include "daemon/base/log.h"
#include "daemon/base/obj.h"
#include "daemon/hosts/host_link.h"
#include "daemon/hosts/host_spawn.h"
#include "daemon/hosts/plugin_image.h"
#include "daemon/hosts/wait_status.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>

#define HOST_MAGIC 0x484f5354u

/* After LINK_END or LINK_REFUSED; unload() has as long. */
#define END_TIMEOUT_USEC  ((gint64)5 * G_USEC_PER_SEC)
#define CLOSED_GRACE_USEC ((gint64)G_USEC_PER_SEC)

/* Of the wait before the next start, added at random. */
#define JITTER_PERMILLE 200

struct Host {
    ObjTag tag;
    Loop *loop;
    HostSpec spec;
    HostEvents events;
    gpointer user;
    HostState state;
    GPid pid;
    Fd image_fd; /* for all processes of this generation */
    Fd pidfd;
    HostLink *link;
    RingFront *ring;
    struct event *on_death, *timer;
    ActorId id;           /* 0: not started yet */
    Actor *self;          /* while it lives */
    gboolean is_over;     /* said so */
    gboolean is_stopping; /* it was asked to, and its workers are being stopped */
    gboolean killed;      /* by host_kill(), whose reason is in error */
    gchar *plugin_path, *error, *plugin_name, *plugin_version;
    guint plugin_flags;
};

#define FROM(name) (1u << HOST_##name)
static const struct {
    const gchar *text;
    guint from;
} host_states[HOST_STATES] = {
#define STATE(name, text_, from_) [HOST_##name] = { .text = text_, .from = from_ },
#include "daemon/hosts/host_state.def"
};
#undef FROM

/* The only place a host changes state; leaving one drops its timer. */
static void set_state(Host *host, HostState next)
{
    OBJ_CHECK(host, HOST_MAGIC);
    if (!(host_states[next].from & (1u << host->state)))
        g_error("host %s: no arrow from %s to %s", host->spec.service->name,
                host_states[host->state].text, host_states[next].text);
    log_debug("host.state service=%s generation=%u from=%s to=%s", host->spec.service->name,
              host->spec.generation, host_states[host->state].text, host_states[next].text);
    evtimer_del(host->timer);
    host->state = next;
}

static void set_error(Host *host, const gchar *text)
{
    g_free(host->error);
    host->error = g_strdup(text);
}

/* --- the end of a process ---------------------------------------------------------------- */

static void drop_process(Host *host)
{
    g_clear_pointer(&host->on_death, event_free);
    fd_close(&host->pidfd);
    g_clear_pointer(&host->link, host_link_free);
    host->pid = 0;
}

static void say_over(Host *host)
{
    if (!host->is_over)
        host->events.over(host->user);
    host->is_over = TRUE;
}

/* The process has ended and been reaped; says so to the owner before the ring goes. */
static void process_gone(Host *host, const gchar *how)
{
    const HostState was = host->state;
    drop_process(host);
    const gboolean is_over = was == HOST_ENDING || was == HOST_REFUSED;
    if (was == HOST_ENDING)
        set_state(host, HOST_STOPPED);
    else if (!is_over)
        set_state(host, HOST_BACKOFF);
    host->events.gone(how, host->user);
    g_clear_pointer(&host->ring, ring_front_free);
    if (host->self == NULL)
        say_over(host); /* it was killed before its process was gone */
    else if (is_over && host->is_stopping)
        actor_stopped(host->self);
    else if (!is_over)
        actor_fail(host->self, how); /* it is started again, later each time */
}

static void on_death(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    Host *host = OBJ_FROM(Host, arg, HOST_MAGIC);
    int status = 0;
    host_read_messages(host);
    if (waitpid(host->pid, &status, WNOHANG) == 0)
        return;
    g_autofree gchar *how = wait_status_text(status);
    if (host->state == HOST_STARTING || host->state == HOST_READY) {
        g_autofree gchar *text = g_strdup_printf("sluice-host %s", how);
        log_error("host.died service=%s generation=%u pid=%d status=\"%s\"",
                  host->spec.service->name, host->spec.generation, (int)host->pid, how);
        if (!host->killed)
            set_error(host, text);
    }
    process_gone(host, how);
}

void host_kill(Host *host, const gchar *why)
{
    if (host->pidfd < 0 || host->killed)
        return;
    host->killed = TRUE;
    log_error("host.kill service=%s generation=%u pid=%d reason=\"%s\"", host->spec.service->name,
              host->spec.generation, (int)host->pid, why);
    set_error(host, why);
    pidfd_send_signal(host->pidfd, SIGKILL, NULL, 0);
}

/* --- messages ---------------------------------------------------------------------------- */

static void on_hello(Host *host, const LinkMessage *message)
{
    if (host->state != HOST_STARTING)
        return;
    g_auto(GStrv) parts = g_strsplit(message->text, "\n", 2);
    g_free(host->plugin_name);
    g_free(host->plugin_version);
    host->plugin_name = g_strdup(parts[0]);
    host->plugin_version = g_strdup(parts[0] != NULL && parts[1] != NULL ? parts[1] : "");
    host->plugin_flags = (guint)message->value;
    g_clear_pointer(&host->error, g_free);
    set_state(host, HOST_READY);
    log_notice("host.ready service=%s generation=%u pid=%d plugin=%s version=%s",
               host->spec.service->name, host->spec.generation, (int)host->pid, host->plugin_name,
               host->plugin_version);
    host->events.hello(host->user);
}

static void refuse(Host *host, const gchar *why)
{
    g_autofree gchar *text = log_quotable(why);
    log_error("plugin.refused service=%s generation=%u reason=\"%s\"", host->spec.service->name,
              host->spec.generation, text);
    set_error(host, why);
    set_state(host, HOST_REFUSED);
    loop_timer_arm(host->timer, END_TIMEOUT_USEC);
    host->events.refused(host->user);
}

static void on_message(const LinkMessage *message, gpointer user)
{
    Host *host = OBJ_FROM(Host, user, HOST_MAGIC);
    if (host->killed)
        return;
    if (message->kind == LINK_HELLO)
        on_hello(host, message);
    else if (message->kind == LINK_REFUSED && host->state == HOST_STARTING)
        refuse(host, message->text);
    else
        host->events.message(message, host->user);
}

/* That the host has ended is for the pidfd to say; one that lives on without its sockets is
 * not left alone for long. */
static void on_closed(gpointer user)
{
    Host *host = OBJ_FROM(Host, user, HOST_MAGIC);
    if (host->state == HOST_STARTING || host->state == HOST_READY)
        loop_timer_arm(host->timer, CLOSED_GRACE_USEC);
}

static void on_broken(const gchar *why, gpointer user)
{
    host_kill(OBJ_FROM(Host, user, HOST_MAGIC), why);
}

void host_read_messages(Host *host)
{
    if (host->link != NULL)
        host_link_read(host->link);
}

static void send_or_kill(Host *host, const LinkMessage *message)
{
    if (!host_link_send(host->link, message))
        host_kill(host, "it does not take messages");
}

/* --- start ------------------------------------------------------------------------------- */

static gboolean spawn(Host *host, GError **error)
{
    static const HostLinkEvents link_events = { on_message, on_closed, on_broken };
    host->ring = host_ring_new(host->spec.service, host->spec.frame_bytes, error);
    if (host->ring == NULL)
        return FALSE;
    g_autofree gchar *sandbox = host_sandbox_rules(host->spec.service);
    const HostSpawn what = {
        .program = host->spec.config->host_program,
        .service = host->spec.service->name,
        .plugin = host->plugin_path,
        .sandbox = sandbox,
        .generation = host->spec.generation,
        .segment_fd = ring_front_segment_fd(host->ring),
        .event_fd = ring_front_event_fd(host->ring),
        .image_fd = host->image_fd,
    };
    HostHandles handles;
    if (!host_spawn(&what, &handles, error))
        return FALSE;
    const LinkMessage load = { .kind = LINK_LOAD,
                               .text = host->spec.service->settings_text,
                               .fd = -1 };
    host->pid = handles.pid;
    host->pidfd = handles.pidfd;
    host->link =
        host_link_new(host->loop, handles.control_fd, handles.report_fd, &link_events, host);
    host->on_death =
        event_new(loop_base(host->loop), host->pidfd, EV_READ | EV_PERSIST, on_death, host);
    event_add(host->on_death, NULL);
    send_or_kill(host, &load);
    return TRUE;
}

static void try_start(Host *host)
{
    g_autoptr(GError) error = NULL;
    host->killed = FALSE;
    set_state(host, HOST_STARTING);
    if (!spawn(host, &error)) {
        log_error("host.spawn_failed service=%s reason=\"%s\"", host->spec.service->name,
                  error->message);
        set_error(host, error->message);
        process_gone(host, error->message);
        return;
    }
    loop_timer_arm(host->timer, host->spec.service->start_timeout_usec);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    static const gchar *const too_late[HOST_STATES] = {
        [HOST_STARTING] = "load() did not end within start-timeout, or closed its sockets",
        [HOST_READY] = "it closed its sockets",
        [HOST_ENDING] = "unload() did not end in time",
        [HOST_REFUSED] = "it did not exit after it was refused",
    };
    (void)fd;
    (void)what;
    Host *host = OBJ_FROM(Host, arg, HOST_MAGIC);
    host_kill(host, too_late[host->state]);
}

/* --- the actor --------------------------------------------------------------------------- */

/* The first start reads the plugin's file; the others load the same copy. */
static gboolean on_start(Actor *self, GError **error)
{
    Host *host = OBJ_FROM(Host, actor_data(self), HOST_MAGIC);
    g_autoptr(GError) why = NULL;
    (void)error; /* what goes wrong is told by process_gone(), as when it does later */
    host->self = self;
    if (host->image_fd < 0)
        host->image_fd = plugin_image_open(host->plugin_path, &why);
    if (host->image_fd >= 0)
        try_start(host);
    else
        refuse(host, why->message);
    return TRUE;
}

static void on_stop(Actor *self)
{
    Host *host = OBJ_FROM(Host, actor_data(self), HOST_MAGIC);
    host->is_stopping = TRUE;
    host->events.stopping(host->user);
}

static void on_kill(Actor *self)
{
    Host *host = OBJ_FROM(Host, actor_data(self), HOST_MAGIC);
    host->events.killing(host->user);
}

static void on_free(Actor *self)
{
    Host *host = OBJ_FROM(Host, actor_data(self), HOST_MAGIC);
    host->self = NULL;
    if (host->pidfd >= 0)
        return; /* its end is told when it comes */
    if (host->state == HOST_BACKOFF)
        set_state(host, HOST_STOPPED);
    say_over(host);
}

void host_start(Host *host, ActorSystem *actors, ActorId parent)
{
    static const ActorClass class = { on_start, NULL, on_stop, on_kill, on_free };
    const ActorOptions options = {
        .name = host->spec.service->name,
        .restart = RESTART_ON_FAILURE,
        .backoff_min_usec = host->spec.service->restart_backoff_min_usec,
        .backoff_max_usec = host->spec.service->restart_backoff_max_usec,
        .jitter_permille = JITTER_PERMILLE,
    };
    g_assert(host->id == 0);
    host->id = actor_spawn(actors, parent, &class, &options, host);
}

void host_end(Host *host)
{
    if (host->pidfd < 0) {
        if (host->state != HOST_STOPPED)
            set_state(host, HOST_STOPPED);
        if (host->self != NULL)
            actor_stopped(host->self);
        return;
    }
    const LinkMessage end = { .kind = LINK_END, .fd = -1 };
    if (host->state != HOST_REFUSED)
        set_state(host, HOST_ENDING);
    loop_timer_arm(host->timer, END_TIMEOUT_USEC);
    send_or_kill(host, &end);
}

void host_fork_worker(Host *host, guint32 worker, guint16 incarnation)
{
    const LinkMessage fork = { LINK_FORK, worker, incarnation, 0, NULL, -1 };
    send_or_kill(host, &fork);
}

Host *host_new(Loop *loop, const HostSpec *spec, const HostEvents *events, gpointer user)
{
    Host *host = g_new0(Host, 1);
    OBJ_INIT(host, HOST_MAGIC);
    host->loop = loop;
    host->spec = *spec;
    host->plugin_path = plugin_image_path(spec->config->handler_dir, spec->service->plugin);
    host->events = *events;
    host->user = user;
    host->image_fd = host->pidfd = -1;
    host->timer = loop_timer_new(loop, on_timer, host);
    return host;
}

void host_free(Host *host)
{
    if (host == NULL)
        return;
    if (host->pidfd >= 0) {
        pidfd_send_signal(host->pidfd, SIGKILL, NULL, 0);
        waitpid(host->pid, NULL, 0); /* SIGKILL: it ends now */
    }
    drop_process(host);
    fd_close(&host->image_fd);
    ring_front_free(host->ring);
    event_free(host->timer);
    g_free(host->plugin_path);
    g_free(host->error);
    g_free(host->plugin_name);
    g_free(host->plugin_version);
    OBJ_FINI(host, HOST_MAGIC);
    g_free(host);
}

RingFront *host_ring(const Host *host) { return host->ring; }
HostState host_state(const Host *host) { return host->state; }
ActorId host_actor(const Host *host) { return host->id; }
const gchar *host_state_name(const Host *host) { return host_states[host->state].text; }
gint host_pid(const Host *host) { return (gint)host->pid; }
const gchar *host_error(const Host *host) { return host->error; }
const gchar *host_plugin_name(const Host *host) { return host->plugin_name; }
const gchar *host_plugin_version(const Host *host) { return host->plugin_version; }
guint host_plugin_flags(const Host *host) { return host->plugin_flags; }
