/* server.c - sluiced as a whole: its root actor, and all that lives on its loop.
 *
 *   root --+-- service calculator -- host     (daemon/hosts/host.c: fails, is started again)
 *          +-- service shop -------- host
 *          +-- drain                          (daemon/drain.c: while one is under way)
 *          +-- reload                         (daemon/reload: reads the configuration again)
 *
 * The root hears signals, the end of a drain, the end of all processes, and its own clock.   */
#include "daemon/server.h"
#include "daemon/base/log.h"
#include "daemon/base/loop.h"
#include "daemon/base/loop_actors.h"
#include "daemon/base/obj.h"
#include "daemon/control/admin.h"
#include "daemon/dispatch/dispatch.h"
#include "daemon/drain.h"
#include "daemon/front/front.h"
#include "daemon/reload/reload.h"
#include <signal.h>

#define SERVER_MAGIC 0x53565200u

/* For workers and hosts to end, and for the last replies to leave.  Then they are killed. */
#define STOP_TIMEOUT_USEC ((gint64)5 * G_USEC_PER_SEC)

/* What the root hears, beside DRAIN_TAG_OVER. */
enum { TAG_SIGNAL = 100, TAG_PROCESSES_GONE, TAG_PATIENCE, TAG_GRACE_OVER };

typedef enum {
#define STATE(name, text, from) SERVER_##name,
#include "daemon/server_state.def"
    SERVER_STATES
} ServerState;

typedef struct {
    ObjTag tag;
    Config *config; /* in force, by reference */
    const gchar *config_path;
    ServerState state;
    Loop *loop;
    LoopActors *actors;
    ActorSystem *system;
    ActorId root, drain;
    Actor *self; /* the root, while it lives */
    DaemonStats stats;
    Dispatch *dispatch;
    Front *front;
    Admin *admin;
    Reload *reload;
    struct event *signals[3];
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
    server->state = next;
}

/* --- the end ----------------------------------------------------------------------------- */

static void leave(Server *server)
{
    set_state(server, SERVER_GONE);
    dispatch_log_totals(server->dispatch);
    front_close_all(server->front);
    loop_stop(server->loop);
}

/* Whatever is still running has been answered by now; workers are let finish it, or not. */
static void stop(Server *server, gint64 patience_usec)
{
    set_state(server, SERVER_STOPPING);
    front_stop_accepting(server->front);
    actor_send_after(server->self, STOP_TIMEOUT_USEC, TAG_PATIENCE, 0);
    dispatch_stop(server->dispatch, loop_now_usec() + patience_usec);
    front_finish(server->front);
}

static void drain(Server *server)
{
    set_state(server, SERVER_DRAINING);
    front_drain(server->front);
    server->drain = drain_spawn(server->system, server->root, server->dispatch,
                                server->config->drain_timeout_usec);
}

/* Who looks at readiness hears of the stop before anybody is turned away, and so do clients whose
 * protocol has a word for it; framed Thrift has none. */
static void give_grace(Server *server)
{
    set_state(server, SERVER_GRACE);
    front_go_away(server->front);
    reload_stop(server->reload);
    if (server->config->drain_grace_usec == 0)
        drain(server);
    else
        actor_send_after(server->self, server->config->drain_grace_usec, TAG_GRACE_OVER, 0);
}

static void take_signal(Server *server, gint number)
{
    log_notice("daemon.signal number=%d name=%s", number, g_strsignal(number));
    if (number == SIGHUP)
        reload_ask(server->reload);
    else if (server->state == SERVER_SERVING)
        give_grace(server);
    else if (server->state == SERVER_GRACE || server->state == SERVER_DRAINING)
        stop(server, 0);
}

/* --- the root ---------------------------------------------------------------------------- */

static gboolean on_start(Actor *self, GError **error)
{
    Server *server = OBJ_FROM(Server, actor_data(self), SERVER_MAGIC);
    (void)error;
    server->self = self;
    dispatch_start(server->dispatch, server->system, server->root);
    reload_start(server->reload, server->system, server->root);
    return TRUE;
}

static void on_message(Actor *self, const ActorMessage *message)
{
    Server *server = OBJ_FROM(Server, actor_data(self), SERVER_MAGIC);
    if (message->tag == TAG_SIGNAL)
        take_signal(server, (gint)message->number);
    else if (message->tag == DRAIN_TAG_OVER && server->state == SERVER_DRAINING)
        stop(server, message->number == 0 ? STOP_TIMEOUT_USEC : 0);
    else if (message->tag == TAG_PROCESSES_GONE)
        server->processes_gone = TRUE;
    else if (message->tag == TAG_GRACE_OVER && server->state == SERVER_GRACE)
        drain(server);
    else if (message->tag == TAG_PATIENCE && server->state == SERVER_STOPPING)
        front_close_all(server->front); /* connections get no more time */
}

static void tell_root(Server *server, guint tag, gint64 number)
{
    actor_cast(server->system, server->root, LANE_CONTROL,
               &(ActorMessage){ .tag = tag, .number = number });
}

static void on_drained(guint64 cut_off, gpointer user)
{
    Server *server = OBJ_FROM(Server, user, SERVER_MAGIC);
    drain_take_end(server->system, server->drain, cut_off);
}

static void on_processes_gone(gpointer user)
{
    tell_root(OBJ_FROM(Server, user, SERVER_MAGIC), TAG_PROCESSES_GONE, 0);
}

/* --- a reload ---------------------------------------------------------------------------- */

static void on_prepared(gpointer user)
{
    reload_prepared(OBJ_FROM(Server, user, SERVER_MAGIC)->reload);
}

static void on_failed(const gchar *service, const gchar *why, gpointer user)
{
    reload_failed(OBJ_FROM(Server, user, SERVER_MAGIC)->reload, service, why);
}

static void on_settled(gpointer user)
{
    reload_settled(OBJ_FROM(Server, user, SERVER_MAGIC)->reload);
}

static void adopt(Config *config, gpointer user)
{
    Server *server = OBJ_FROM(Server, user, SERVER_MAGIC);
    config_unref(server->config);
    server->config = config_ref(config);
    log_start(config->log_level);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    (void)what;
    tell_root(OBJ_FROM(Server, arg, SERVER_MAGIC), TAG_SIGNAL, number);
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
    if (may_leave(server))
        leave(server);
}

/* What ends the daemon may have happened after this pass's poll. */
static gboolean watcher_arm(gpointer user)
{
    return may_leave(OBJ_FROM(Server, user, SERVER_MAGIC));
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
        .reload = server->reload,
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

static void open_reload(Server *server)
{
    const ReloadContext context = {
        .config_path = server->config_path,
        .config = server->config,
        .dispatch = server->dispatch,
        .front = server->front,
        .stats = &server->stats,
        .adopt = adopt,
        .user = server,
    };
    server->reload = reload_new(&context);
}

static void free_server(Server *server)
{
    log_count_lost(NULL);
    admin_free(server->admin);
    front_free(server->front);
    loop_actors_free(server->actors);
    reload_free(server->reload);
    dispatch_free(server->dispatch);
    loop_remove_watcher(server->loop, &server->watcher);
    for (guint i = 0; i < G_N_ELEMENTS(server->signals); i++)
        event_free(server->signals[i]);
    loop_free(server->loop);
    config_unref(server->config);
    OBJ_FINI(server, SERVER_MAGIC);
}

gboolean server_run(Config *config, const gchar *config_path, GError **error)
{
    static const ActorClass root_class = { .start = on_start, .handle = on_message };
    static const ActorOptions root_options = { .name = "root", .restart = RESTART_NEVER };
    static const DispatchEvents events = { on_drained, on_processes_gone, on_prepared, on_failed,
                                           on_settled };
    Server server = { .config = config_ref(config),
                      .config_path = config_path,
                      .loop = loop_new() };
    OBJ_INIT(&server, SERVER_MAGIC);
    log_count_lost(&server.stats.daemon[CTR_LOG_LOST]);
    server.actors = loop_actors_new(server.loop);
    server.system = loop_actors_system(server.actors);
    server.watcher = (LoopWatcher){ watcher_poll, watcher_arm, watcher_disarm, &server, NULL };
    loop_add_watcher(server.loop, &server.watcher);
    catch_signals(&server);
    server.dispatch = dispatch_new(server.loop, config, &events, &server);
    server.front = front_new(server.loop, config, server.dispatch, &server.stats, error);
    if (server.front != NULL)
        open_reload(&server);
    const gboolean started = server.front != NULL && open_admin(&server, error);
    if (started) {
        server.root = actor_spawn(server.system, 0, &root_class, &root_options, &server);
        loop_run(server.loop);
    }
    free_server(&server);
    return started;
}
