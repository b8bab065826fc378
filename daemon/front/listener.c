#include "daemon/front/listener.h"
#include "daemon/base/fd.h"
#include "daemon/base/log.h"
#include "daemon/base/obj.h"
#include "daemon/base/tcp_listen.h"
#include "daemon/front/socket_file.h"
#include <errno.h>
#include <event2/listener.h>
#include <sys/socket.h>

#define LISTENER_MAGIC 0x4c495354u

/* Out of descriptors or memory: accepting again at once would fail again, and busily. */
#define PAUSE_USEC 100000

struct Listener {
    ObjTag tag;
    struct evconnlistener *events;
    struct event *resume;
    SocketFile *file;
    gchar *address;
    DaemonStats *stats;
    LogLimit *log_limit;
    ListenerAccept accept;
    gpointer user;
};

/* --- events ------------------------------------------------------------------------------ */

static void on_accept(struct evconnlistener *events, evutil_socket_t fd, struct sockaddr *peer,
                      int length, void *arg)
{
    (void)events;
    (void)peer;
    (void)length;
    Listener *listener = OBJ_FROM(Listener, arg, LISTENER_MAGIC);
    listener->accept((int)fd, listener->user);
}

static void on_error(struct evconnlistener *events, void *arg)
{
    Listener *listener = OBJ_FROM(Listener, arg, LISTENER_MAGIC);
    const int problem = EVUTIL_SOCKET_ERROR();
    listener->stats->daemon[CTR_ACCEPT_FAILED]++;
    if (log_limit_allows(listener->log_limit, "listener.accept_failed", listener->address,
                         loop_now_usec()))
        log_error("listener.accept_failed address=%s reason=\"%s\" pause_ms=%d", listener->address,
                  evutil_socket_error_to_string(problem), PAUSE_USEC / 1000);
    evconnlistener_disable(events);
    loop_timer_arm(listener->resume, PAUSE_USEC);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    evconnlistener_enable(OBJ_FROM(Listener, arg, LISTENER_MAGIC)->events);
}

/* --- life
 * ----------------------------------------------------------------------------------------- */

Listener *listener_new(Loop *loop, const Address *address, DaemonStats *stats, LogLimit *log_limit,
                       ListenerAccept accept, gpointer user, GError **error)
{
    Listener *listener = g_new0(Listener, 1);
    OBJ_INIT(listener, LISTENER_MAGIC);
    listener->stats = stats;
    listener->log_limit = log_limit;
    listener->accept = accept;
    listener->user = user;
    int fd = -1;
    if (address->kind == ADDRESS_UNIX)
        listener->file = socket_file_listen(address->path, &fd, error);
    else
        fd = tcp_listen(address, error);
    if (fd < 0) {
        listener_free(listener);
        return NULL;
    }
    listener->address = address->kind == ADDRESS_UNIX ? g_strdup_printf("unix:%s", address->path)
                                                      : tcp_bound_address(fd, "tcp");
    listener->events =
        evconnlistener_new(loop_base(loop), on_accept, listener,
                           LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, fd);
    evconnlistener_set_error_cb(listener->events, on_error);
    listener->resume = loop_timer_new(loop, on_resume, listener);
    log_notice("listener.open address=%s", listener->address);
    return listener;
}

void listener_start(Listener *listener) { evconnlistener_enable(listener->events); }

void listener_free(Listener *listener)
{
    if (listener == NULL)
        return;
    if (listener->events != NULL)
        evconnlistener_free(listener->events);
    if (listener->resume != NULL)
        event_free(listener->resume);
    socket_file_remove(listener->file);
    g_free(listener->address);
    OBJ_FINI(listener, LISTENER_MAGIC);
    g_free(listener);
}

void listener_take_backlog(Listener *listener)
{
    const int from = (int)evconnlistener_get_fd(listener->events);
    int fd;
    while ((fd = accept4(from, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
        listener->accept(fd, listener->user);
}

const gchar *listener_address(const Listener *listener) { return listener->address; }
