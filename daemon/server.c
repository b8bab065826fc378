#include "daemon/server.h"
#include "daemon/base/log.h"
#include "daemon/base/loop.h"
#include "daemon/base/obj.h"
#include "daemon/control/admin.h"
#include "daemon/dispatch/dispatch.h"
#include "daemon/front/front.h"
#include <signal.h>

#define SERVER_MAGIC 0x53565200u

/* For workers and hosts to end, and for the last replies to leave.  Then they are killed. */
#define STOP_TIMEOUT_USEC ((gint64)5 * G_USEC_PER_SEC)

typedef enum {
#define STATE(name, text, from) SERVER_##name,
#include "daemon/server_state.def"
    SERVER_STATES
} ServerState;

typedef struct {
    ObjTag tag;
    const Config *config;
    ServerState state;
    Loop *loop;
    DaemonStats stats;
    Dispatch *dispatch;
    Front *front;
    Admin *admin;
    struct event *signals[3];
    struct event *timer;
    LoopWatcher watcher;
    gboolean processes_gone;
    gboolean ready_logged;
} Server;

#define FROM(name) (1u << SERVER_##name)
static const struct {
    const gchar *text;
    guint from;
} server_states[SERVER_STATES] = {
#define STATE(name, text_, from_) [SERVER_##name] = { .text = text_, .from = from_ },
#include "daemon/server_state.def"
};
#undef FROM

static void set_state(Server *server, ServerState next)
{
    OBJ_CHECK(server, SERVER_MAGIC);
    if (!(server_states[next].from & (1u << server->state)))
        g_error("server: no arrow from %s to %s", server_states[server->state].text,
                server_states[next].text);
    log_notice("daemon.state from=%s to=%s", server_states[server->state].text,
               server_states[next].text);
    evtimer_del(server->timer);
    server->state = next;
}

/* --- the end ----------------------------------------------------------------------------- */

static void leave(Server *server)
{
    set_state(server, SERVER_GONE);
    front_close_all(server->front);
    loop_stop(server->loop);
}

/* Whatever is still running has been answered by now; workers are let finish it, or not. */
static void stop(Server *server, gboolean kill_workers)
{
    set_state(server, SERVER_STOPPING);
    loop_timer_arm(server->timer, STOP_TIMEOUT_USEC);
    dispatch_stop(server->dispatch);
    if (kill_workers)
        dispatch_kill(server->dispatch);
    front_finish(server->front);
}

static void drain(Server *server)
{
    set_state(server, SERVER_DRAINING);
    loop_timer_arm(server->timer, server->config->drain_timeout_usec);
    front_stop_accepting(server->front);
    dispatch_drain(server->dispatch, loop_now_usec() + server->config->drain_timeout_usec);
}

static void on_processes_gone(gpointer user)
{
    OBJ_FROM(Server, user, SERVER_MAGIC)->processes_gone = TRUE;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    Server *server = OBJ_FROM(Server, arg, SERVER_MAGIC);
    if (server->state == SERVER_DRAINING) {
        stop(server, TRUE);
    } else if (server->state == SERVER_STOPPING) {
        /* Killed processes are gone a moment later; connections get no more time. */
        dispatch_kill(server->dispatch);
        front_close_all(server->front);
        loop_timer_arm(server->timer, STOP_TIMEOUT_USEC);
    }
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    (void)what;
    Server *server = OBJ_FROM(Server, arg, SERVER_MAGIC);
    log_notice("daemon.signal number=%d name=%s", (int)number, g_strsignal((gint)number));
    if (number == SIGHUP)
        log_warning("daemon.reload_unavailable reason=\"restart to use a changed configuration\"");
    else if (server->state == SERVER_SERVING)
        drain(server);
    else if (server->state == SERVER_DRAINING)
        stop(server, TRUE);
}

/* --- each pass --------------------------------------------------------------------------- */

static gboolean may_leave(const Server *server)
{
    return server->state == SERVER_STOPPING && server->processes_gone &&
           front_is_empty(server->front);
}

static void watcher_poll(gpointer user)
{
    Server *server = OBJ_FROM(Server, user, SERVER_MAGIC);
    if (server->state == SERVER_SERVING && !server->ready_logged &&
        dispatch_is_ready(server->dispatch)) {
        server->ready_logged = TRUE;
        log_notice("daemon.ready services=%u", dispatch_n_services(server->dispatch));
    }
    if (server->state == SERVER_DRAINING && dispatch_is_idle(server->dispatch))
        stop(server, FALSE);
    else if (may_leave(server))
        leave(server);
}

/* What ends the daemon may have happened after this pass's poll. */
static gboolean watcher_arm(gpointer user)
{
    const Server *server = OBJ_FROM(Server, user, SERVER_MAGIC);
    return may_leave(server) ||
           (server->state == SERVER_DRAINING && dispatch_is_idle(server->dispatch));
}

static void watcher_disarm(gpointer user) { (void)user; }

/* --- start ------------------------------------------------------------------------------- */

static gboolean is_draining(gpointer user)
{
    return OBJ_FROM(Server, user, SERVER_MAGIC)->state != SERVER_SERVING;
}

static void catch_signals(Server *server)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        server->signals[i] = evsignal_new(loop_base(server->loop), numbers[i], on_signal, server);
        event_add(server->signals[i], NULL);
    }
}

static gboolean open_admin(Server *server, GError **error)
{
    const AdminContext context = {
        .loop = server->loop,
        .config = server->config,
        .dispatch = server->dispatch,
        .front = server->front,
        .stats = &server->stats,
        .started_usec = loop_now_usec(),
        .is_draining = is_draining,
        .user = server,
    };
    if (server->config->admin == NULL)
        return TRUE;
    server->admin = admin_new(&context, error);
    if (server->admin == NULL)
        return FALSE;
    log_notice("admin.open address=%s", admin_address(server->admin));
    return TRUE;
}

static void free_server(Server *server)
{
    admin_free(server->admin);
    front_free(server->front);
    dispatch_free(server->dispatch);
    loop_remove_watcher(server->loop, &server->watcher);
    for (guint i = 0; i < G_N_ELEMENTS(server->signals); i++)
        event_free(server->signals[i]);
    event_free(server->timer);
    loop_free(server->loop);
    OBJ_FINI(server, SERVER_MAGIC);
}

gboolean server_run(const Config *config, GError **error)
{
    Server server = { .config = config, .loop = loop_new() };
    OBJ_INIT(&server, SERVER_MAGIC);
    server.timer = loop_timer_new(server.loop, on_timer, &server);
    server.watcher = (LoopWatcher){ watcher_poll, watcher_arm, watcher_disarm, &server, NULL };
    loop_add_watcher(server.loop, &server.watcher);
    catch_signals(&server);
    server.dispatch = dispatch_new(server.loop, config, on_processes_gone, &server);
    server.front = front_new(server.loop, config, server.dispatch, &server.stats, error);
    const gboolean started = server.front != NULL && open_admin(&server, error);
    if (started) {
        dispatch_start(server.dispatch);
        loop_run(server.loop);
    }
    free_server(&server);
    return started;
}
