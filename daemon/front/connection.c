#include "daemon/front/connection.h"
#include "daemon/front/connection_proxy.h"
#include "daemon/front/connection_state.h"
#include "config/networks.h"
#include <errno.h>

#define FROM(name) (1u << CONNECTION_##name)
static const struct {
    const gchar *text;
    guint from;
} connection_states[CONNECTION_STATES] = {
#define STATE(name, text_, from_) [CONNECTION_##name] = { .text = text_, .from = from_ },
#include "daemon/front/connection_state.def"
};
#undef FROM

static void set_state(Connection *connection, ConnectionState next)
{
    OBJ_CHECK(connection, CONNECTION_MAGIC);
    if (!(connection_states[next].from & (1u << connection->state)))
        g_error("connection %s: no arrow from %s to %s", connection->peer,
                connection_states[connection->state].text, connection_states[next].text);
    connection->state = next;
}

/* --- room in the socket ---------------------------------------------------------------------- */

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    Connection *connection = OBJ_FROM(Connection, arg, CONNECTION_MAGIC);
    loop_defer(connection->shared->loop, &connection->flush);
}

/* Most connections never wait for it: the event is made by the first one that does. */
static void wait_for_room(Connection *connection)
{
    if (connection->on_writable == NULL)
        connection->on_writable =
            event_new(loop_base(connection->shared->loop), connection->stream.fd,
                      EV_WRITE | EV_PERSIST, on_writable, connection);
    event_add(connection->on_writable, NULL);
}

static void stop_waiting_for_room(Connection *connection)
{
    if (connection->on_writable != NULL)
        event_del(connection->on_writable);
}

/* --- the end ----------------------------------------------------------------------------- */

static void free_connection(Connection *connection)
{
    connection->shared->closed(connection, connection->shared->user);
    event_free(connection->on_readable);
    g_clear_pointer(&connection->on_writable, event_free);
    event_free(connection->timer);
    g_assert(connection->buffered_bytes == 0);
    connection_web_free(connection->web);
    g_clear_pointer(&connection->proxy, g_byte_array_unref);
    g_ref_string_release(connection->peer);
    g_ref_string_release(connection->host);
    OBJ_FINI(connection, CONNECTION_MAGIC);
    g_free(connection);
}

/* Functions further up the stack may hold the pointer: it is freed at the end of the pass. */
void connection_close(Connection *connection, DaemonCounter reason)
{
    if (connection->state == CONNECTION_CLOSED)
        return;
    connection_count(connection,
                     connection->state == CONNECTION_OPEN ? reason : connection->end_reason, 1);
    set_state(connection, CONNECTION_CLOSED);
    connection_count(connection, CTR_CONN_OPEN, -1);
    event_del(connection->on_readable);
    stop_waiting_for_room(connection);
    evtimer_del(connection->timer);
    stream_close(&connection->stream);
    connection_leave_host(connection);
    reply_line_abandon(&connection->line, connection->shared->dispatch);
    intake_clear(&connection->intake);
    connection_web_end(connection->web);
    connection_count_intake(connection);
    loop_defer(connection->shared->loop, &connection->flush);
}

/* --- replies out ------------------------------------------------------------------------- */

/* FALSE: the connection is closed now. */
static gboolean send_replies(Connection *connection)
{
    gint64 sent = 0;
    const LineResult result = reply_line_send(&connection->line, &connection->stream, &sent);
    connection_count(connection, CTR_BYTES_SENT, sent);
    if (sent > 0 || result == LINE_WAITS_FOR_CALLS)
        connection->write_since = 0;
    if (result == LINE_BROKEN) {
        connection_close(connection, CTR_CLOSED_BY_CLIENT);
        return FALSE;
    }
    if (result == LINE_WAITS_FOR_CALLS) {
        stop_waiting_for_room(connection);
        return TRUE;
    }
    wait_for_room(connection);
    if (connection->write_since == 0) {
        connection->write_since = loop_now_usec();
        connection_arm_timer(connection);
    }
    return TRUE;
}

static void balance_reading(Connection *connection)
{
    const gboolean may_read =
        connection->state == CONNECTION_LINGERING || connection_may_take_calls(connection);
    if (may_read == connection->reading)
        return;
    connection->reading = may_read;
    if (!may_read) {
        event_del(connection->on_readable);
        return;
    }
    event_add(connection->on_readable, NULL);
    if (connection->frame_since > 0) { /* the time that we did not read is not the client's */
        connection->frame_since = loop_now_usec();
        connection_arm_timer(connection);
    }
}

static void end_if_all_is_sent(Connection *connection)
{
    if (connection->state != CONNECTION_ENDING || !reply_line_is_empty(&connection->line))
        return;
    if (!stream_end(&connection->stream)) {
        connection_close(connection, CTR_CLOSED_BY_CLIENT);
        return;
    }
    set_state(connection, CONNECTION_LINGERING);
    connection->frame_since = 0;
    connection->idle_since = loop_now_usec();
    connection_arm_timer(connection);
}

/* --- reading ----------------------------------------------------------------------------- */

/* Where the next bytes are read to; NULL: there is no memory to be had for them. */
static guint8 *reserve(Connection *connection, gsize *room)
{
    const ConnectionShared *shared = connection->shared;
    *room = CONNECTION_SCRATCH_BYTES;
    if (connection->state != CONNECTION_OPEN)
        return shared->scratch;
    guint8 *into =
        intake_reserve(&connection->intake, shared->scratch, shared->config->max_frame_bytes, room);
    connection_count_intake(connection);
    return into == shared->scratch || !buffer_memory_is_full(shared->memory) ? into : NULL;
}

static void note_handshake(Connection *connection)
{
    if (connection->is_secure || connection->state != CONNECTION_OPEN)
        return;
    if (stream_is_in_handshake(&connection->stream)) {
        connection_note_begun(connection);
        return;
    }
    connection->is_secure = TRUE;
    connection->frame_since = 0;
    connection->idle_since = loop_now_usec();
    connection_count(connection, CTR_TLS_HANDSHAKES, 1);
    connection_count(connection, CTR_TLS_RESUMED, stream_is_resumed(&connection->stream) ? 1 : 0);
    connection_arm_timer(connection);
}

static void refuse_tls(Connection *connection)
{
    const ConnectionShared *shared = connection->shared;
    connection_count(connection, CTR_TLS_FAILED, 1);
    if (log_limit_allows(shared->log_limit, "tls_failed", connection->host, loop_now_usec()))
        log_warning("connection.refused peer=%s reason=tls_failed text=\"%s\"", connection->peer,
                    stream_problem(&connection->stream));
    else
        connection_count(connection, CTR_LOG_SUPPRESSED, 1);
    connection_end(connection, CTR_CLOSED_TLS);
}

/* How many bytes came; 0: none, and why is dealt with. */
static gsize read_once(Connection *connection)
{
    gsize room;
    if (!connection_take_proxy(connection))
        return 0;
    guint8 *into = reserve(connection, &room);
    if (into == NULL) {
        connection_close(connection, CTR_CLOSED_MEMORY);
        return 0;
    }
    const ssize_t got = stream_receive(&connection->stream, into, room);
    if (connection->stream.ssl != NULL)
        note_handshake(connection);
    if (got > 0) {
        connection_count(connection, CTR_BYTES_RECEIVED, got);
        if (connection->state == CONNECTION_OPEN)
            connection_take_bytes(connection, into, (gsize)got);
        balance_reading(connection);
    } else if (got == 0 && connection->state == CONNECTION_OPEN) {
        connection_end(connection, CTR_CLOSED_BY_CLIENT); /* it may wait for replies */
    } else if (got < 0 && errno == EAGAIN && connection->stream.wants_write) {
        wait_for_room(connection);
    } else if (got < 0 && errno == EPROTO && connection->state == CONNECTION_OPEN) {
        refuse_tls(connection);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        connection_close(connection, CTR_CLOSED_BY_CLIENT);
    }
    return got > 0 ? (gsize)got : 0;
}

/* What TLS has taken from the socket already is no event of the socket's. */
static void read_buffered(Connection *connection)
{
    while (connection->reading && connection->state != CONNECTION_CLOSED &&
           stream_has_buffered(&connection->stream))
        if (read_once(connection) == 0)
            return;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    Connection *connection = OBJ_FROM(Connection, arg, CONNECTION_MAGIC);
    read_once(connection);
    read_buffered(connection);
}

/* --- the end of a pass ------------------------------------------------------------------- */

static void on_flush(gpointer user)
{
    Connection *connection = OBJ_FROM(Connection, user, CONNECTION_MAGIC);
    if (connection->state == CONNECTION_CLOSED) {
        free_connection(connection);
        return;
    }
    if (!send_replies(connection))
        return;
    end_if_all_is_sent(connection);
    if (connection->state == CONNECTION_CLOSED)
        return;
    if (reply_line_is_empty(&connection->line) && connection->state == CONNECTION_OPEN) {
        connection->idle_since = loop_now_usec();
        if (!evtimer_pending(connection->timer, NULL))
            connection_arm_timer(connection);
    }
    balance_reading(connection);
    if (connection->reading && connection->intake.is_paused)
        connection_take_bytes(connection, NULL, 0);
    balance_reading(connection);
    if (connection->stream.wants_write && connection->reading)
        read_once(connection);
    read_buffered(connection);
    if (connection->shared->is_draining)
        connection_finish_if_idle(connection, CTR_CLOSED_DRAIN);
    else if (connection->is_retiring)
        connection_finish_if_idle(connection, CTR_CLOSED_AGE);
}

/* --- the drain --------------------------------------------------------------------------- */

void connection_finish_if_idle(Connection *connection, DaemonCounter reason)
{
    if (connection->state == CONNECTION_OPEN && reply_line_is_empty(&connection->line) &&
        connection->intake.bytes == NULL && connection_web_is_between(connection->web) &&
        stream_unread_bytes(&connection->stream) == 0)
        connection_end(connection, reason);
}

/* How much there is to read is asked only once: a client that never stops sending would be read
 * for ever. */
void connection_finish(Connection *connection)
{
    gsize got = 1, left = connection->state == CONNECTION_OPEN
                              ? stream_unread_bytes(&connection->stream)
                              : 0;
    for (; left > 0 && got > 0 && connection->reading; left -= MIN(left, got))
        got = read_once(connection);
    connection_end(connection, CTR_CLOSED_DRAIN);
}

/* --- life -------------------------------------------------------------------------------- */

void connection_end(Connection *connection, DaemonCounter reason)
{
    if (connection->state != CONNECTION_OPEN)
        return;
    set_state(connection, CONNECTION_ENDING);
    connection->end_reason = reason;
    g_clear_pointer(&connection->proxy, g_byte_array_unref);
    intake_clear(&connection->intake);
    connection_web_end(connection->web);
    connection_count_intake(connection);
    connection->frame_since = 0;
    balance_reading(connection);
    loop_defer(connection->shared->loop, &connection->flush);
}

/* A timer that is armed already knows only the time that was right before. */
void connection_adopt_settings(Connection *connection)
{
    if (connection->state == CONNECTION_CLOSED)
        return;
    connection_draw_age(connection);
    connection_arm_timer(connection);
    if (!connection->reading) /* perhaps it may be read again */
        loop_defer(connection->shared->loop, &connection->flush);
}

Connection *connection_new(const ConnectionShared *shared, int fd, StreamKind kind,
                           const gchar *peer, const gchar *host)
{
    Stream stream;
    if (!stream_open(&stream, fd, kind, shared->tls))
        return NULL;
    Connection *connection = g_new0(Connection, 1);
    OBJ_INIT(connection, CONNECTION_MAGIC);
    connection->shared = shared;
    connection->stream = stream;
    connection->peer = g_ref_string_new(peer);
    connection->host = g_ref_string_new_intern(host);
    connection->flush = (LoopDeferred){ .run = on_flush, .user = connection };
    struct event_base *base = loop_base(shared->loop);
    connection->on_readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, connection);
    connection->timer = loop_timer_new(shared->loop, connection_on_timer, connection);
    connection->born_usec = connection->idle_since = loop_now_usec();
    connection_count(connection, CTR_CONN_OPEN, 1);
    if (kind == STREAM_TLS)
        connection->frame_since = connection->idle_since; /* a handshake has its time, too */
    balance_reading(connection);
    connection_draw_age(connection);
    if (networks_have(shared->config->proxy_from, host))
        connection_expect_proxy(connection);
    else if (!connection_enter_host(connection))
        connection_close(connection, CTR_CLOSED_HOST);
    if (connection->state == CONNECTION_OPEN)
        connection_arm_timer(connection);
    return connection;
}
