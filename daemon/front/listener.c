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

/* A client takes itself for connected a round trip before the kernel does here, so there may be
 * some that no accept() has yet shown.  Shorter than the second after which a client asks again
 * who had no answer. */
#define HANDSHAKE_USEC ((gint64)250 * 1000)

struct Listener {
    ObjTag tag;
    struct evconnlistener *events;
    struct event *resume, *end;
    ListenerLeft left;
    SocketFile *file;
    gchar *address;
    gboolean is_tls;
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
    listener->accept((int)fd, listener->is_tls, listener->user);
}

static void report(Listener *listener, int problem, const gchar *consequence)
{
    listener->stats->daemon[CTR_ACCEPT_FAILED]++;
    if (log_limit_allows(listener->log_limit, "listener.accept_failed", listener->address,
                         loop_now_usec()))
        log_error("listener.accept_failed address=%s reason=\"%s\" then=\"%s\"", listener->address,
                  g_strerror(problem), consequence);
}

static void on_error(struct evconnlistener *events, void *arg)
{
    Listener *listener = OBJ_FROM(Listener, arg, LISTENER_MAGIC);
    report(listener, EVUTIL_SOCKET_ERROR(), "a pause of 100 ms");
    evconnlistener_disable(events);
    loop_timer_arm(listener->resume, PAUSE_USEC);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    evconnlistener_enable(OBJ_FROM(Listener, arg, LISTENER_MAGIC)->events);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    Listener *listener = OBJ_FROM(Listener, arg, LISTENER_MAGIC);
    listener->left(listener, listener->user);
}

/* --- life -------------------------------------------------------------------------------- */

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
    listener->events =
        evconnlistener_new(loop_base(loop), on_accept, listener,
                           LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, fd);
    evconnlistener_set_error_cb(listener->events, on_error);
    listener->resume = loop_timer_new(loop, on_resume, listener);
    listener->end = loop_timer_new(loop, on_end, listener);
    listener_adopt(listener, address);
    log_notice("listener.open address=%s", listener->address);
    return listener;
}

void listener_adopt(Listener *listener, const Address *address)
{
    const int fd = (int)evconnlistener_get_fd(listener->events);
    g_free(listener->address);
    listener->is_tls = address->is_tls;
    listener->address = address->kind == ADDRESS_UNIX
                            ? g_strdup_printf("unix:%s", address->path)
                            : tcp_bound_address(fd, address->is_tls ? "tls" : "tcp");
}

void listener_start(Listener *listener) { evconnlistener_enable(listener->events); }

void listener_free(Listener *listener)
{
    if (listener == NULL)
        return;
    if (listener->events != NULL) {
        log_notice("listener.close address=%s", listener->address);
        evconnlistener_free(listener->events);
        event_free(listener->resume);
        event_free(listener->end);
    }
    socket_file_remove(listener->file);
    g_free(listener->address);
    OBJ_FINI(listener, LISTENER_MAGIC);
    g_free(listener);
}

/* A unix socket that is shut refuses, and hands out whom it has: then accept() says EINVAL.  A TCP
 * socket that is shut would reset them. */
static void refuse_newcomers(const Listener *listener, int fd)
{
    if (listener->file != NULL)
        (void)shutdown(fd, SHUT_RD);
    else
        tcp_refuse_newcomers(fd);
}

/* As nobody comes after them, those who wait are at most a backlog full. */
void listener_take_backlog(Listener *listener)
{
    const int from = (int)evconnlistener_get_fd(listener->events);
    for (;;) {
        const int fd = accept4(from, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            listener->accept(fd, listener->is_tls, listener->user);
        } else if (errno == EAGAIN || errno == EINVAL) {
            return;
        } else if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO) {
            report(listener, errno, "those who wait are reset");
            return;
        }
    }
}

void listener_leave(Listener *listener, ListenerLeft left)
{
    listener->left = left;
    refuse_newcomers(listener, (int)evconnlistener_get_fd(listener->events));
    listener_take_backlog(listener);
    if (listener->file != NULL)
        left(listener, listener->user);
    else
        loop_timer_arm(listener->end, HANDSHAKE_USEC);
}

const gchar *listener_address(const Listener *listener) { return listener->address; }
