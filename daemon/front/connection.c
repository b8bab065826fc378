#include "daemon/front/connection.h"
#include "daemon/front/connection_state.h"
#include "daemon/front/header_frame.h"
#include "daemon/front/refusal.h"
#include "actor/fault/fault_point.h"
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static void finish(Connection *connection, DaemonCounter reason);

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

static void count(Connection *connection, DaemonCounter counter, gint64 by)
{
    connection->shared->stats->daemon[counter] += by;
}

/* Keeps the bytes of incomplete frames within buffer-memory. */
static void count_intake(Connection *connection)
{
    const gsize now = connection->intake.size;
    *connection->shared->memory->held_bytes += (gint64)now - (gint64)connection->buffered_bytes;
    connection->buffered_bytes = now;
}

/* --- the end ----------------------------------------------------------------------------- */

static void free_connection(Connection *connection)
{
    connection->shared->closed(connection, connection->shared->user);
    event_free(connection->on_readable);
    event_free(connection->on_writable);
    event_free(connection->timer);
    g_assert(connection->buffered_bytes == 0);
    g_ref_string_release(connection->peer);
    g_free(connection->host);
    OBJ_FINI(connection, CONNECTION_MAGIC);
    g_free(connection);
}

/* Functions further up the stack may hold the pointer: it is freed at the end of the pass. */
void connection_close(Connection *connection, DaemonCounter reason)
{
    if (connection->state == CONNECTION_CLOSED)
        return;
    count(connection, connection->state == CONNECTION_OPEN ? reason : connection->end_reason, 1);
    set_state(connection, CONNECTION_CLOSED);
    count(connection, CTR_CONN_OPEN, -1);
    event_del(connection->on_readable);
    event_del(connection->on_writable);
    evtimer_del(connection->timer);
    fd_close(&connection->fd);
    reply_line_abandon(&connection->line, connection->shared->dispatch);
    intake_clear(&connection->intake);
    count_intake(connection);
    loop_defer(connection->shared->loop, &connection->flush);
}

/* --- calls in ---------------------------------------------------------------------------- */

/* What is in line for a client is bounded: one that does not read is not read from. */
static gboolean may_take_calls(const Connection *connection)
{
    const Config *config = connection->shared->config;
    return connection->state == CONNECTION_OPEN &&
           connection->line.calls.length < config->max_pipelined &&
           connection->line.reply_bytes < config->write_buffer_bytes;
}

static void on_finished(Request *request, gpointer user)
{
    Connection *connection = OBJ_FROM(Connection, user, CONNECTION_MAGIC);
    connection->line.reply_bytes += request->reply_bytes;
    loop_defer(connection->shared->loop, &connection->flush);
}

static void refuse_bytes(Connection *connection, WireVerdict verdict)
{
    const ConnectionShared *shared = connection->shared;
    count(connection, refusal_counter(verdict), 1);
    if (log_limit_allows(shared->log_limit, wire_verdict_name(verdict), connection->host,
                         loop_now_usec()))
        log_warning("connection.refused peer=%s reason=%s text=\"%s\"", connection->peer,
                    wire_verdict_name(verdict), wire_verdict_text(verdict));
    else
        count(connection, CTR_LOG_SUPPRESSED, 1);
    finish(connection, CTR_CLOSED_PROTOCOL);
}

/* A whole message, and how it came. */
static gboolean take_message(Connection *connection, HeaderFrame *message, gboolean is_theader)
{
    const ConnectionShared *shared = connection->shared;
    const RequestClient client = { on_finished, connection, shared->memory,
                                   connection->intake.transport };
    const RequestCarrier carrier = { is_theader, message->header.seqid, message->header.is_zlib };
    WireHead head;
    const WireVerdict verdict = wire_verdict_at_end(
        wire_head_peek(message->buffer + message->offset, message->bytes, &head));
    if (verdict != WIRE_OK) {
        g_free(message->buffer);
        g_clear_pointer(&message->headers, g_byte_array_unref);
        refuse_bytes(connection, verdict);
        return FALSE;
    }
    Request *request =
        request_new(&head, message->buffer, message->offset, message->bytes, connection->peer,
                    &client, shared->config->max_frame_bytes, loop_now_usec());
    request_set_carrier(request, &carrier, message->headers);
    g_queue_push_tail(&connection->line.calls, request);
    connection->frame_since = 0;
    dispatch_submit(shared->dispatch, request);
    return may_take_calls(connection);
}

static gboolean on_message(guint8 *buffer, gsize offset, gsize length, gpointer user)
{
    Connection *connection = OBJ_FROM(Connection, user, CONNECTION_MAGIC);
    HeaderFrame message = { .buffer = buffer, .offset = offset, .bytes = length };
    if (!wire_is_theader(buffer + offset, length))
        return take_message(connection, &message, FALSE);
    const WireVerdict verdict = header_frame_open(
        buffer, offset, length, connection->shared->config->max_frame_bytes, &message);
    if (verdict == WIRE_OK)
        return take_message(connection, &message, TRUE);
    refuse_bytes(connection, verdict);
    return FALSE;
}

static void take_bytes(Connection *connection, const guint8 *bytes, gsize length)
{
    const WireVerdict verdict =
        intake_take(&connection->intake, bytes, length, connection->shared->config->max_frame_bytes,
                    on_message, connection);
    count_intake(connection);
    if (connection->state != CONNECTION_OPEN)
        return;
    if (verdict == WIRE_MORE && connection->frame_since == 0) {
        connection->frame_since = loop_now_usec();
        connection_arm_timer(connection);
    }
    if (verdict == WIRE_FRAME_TOO_LARGE)
        connection->line.last_words = refusal_of_large_message(
            connection->intake.transport, connection->intake.bytes, connection->intake.used,
            connection->shared->config->max_frame_bytes, &connection->line.last_words_bytes);
    if (verdict != WIRE_OK && verdict != WIRE_MORE)
        refuse_bytes(connection, verdict);
}

/* --- replies out ------------------------------------------------------------------------- */

/* FALSE: the connection is closed now. */
static gboolean send_replies(Connection *connection)
{
    gint64 sent = 0;
    const LineResult result = reply_line_send(&connection->line, connection->fd, &sent);
    count(connection, CTR_BYTES_SENT, sent);
    if (sent > 0 || result == LINE_WAITS_FOR_CALLS)
        connection->write_since = 0;
    if (result == LINE_BROKEN) {
        connection_close(connection, CTR_CLOSED_BY_CLIENT);
        return FALSE;
    }
    if (result == LINE_WAITS_FOR_CALLS) {
        event_del(connection->on_writable);
        return TRUE;
    }
    event_add(connection->on_writable, NULL);
    if (connection->write_since == 0) {
        connection->write_since = loop_now_usec();
        connection_arm_timer(connection);
    }
    return TRUE;
}

static void balance_reading(Connection *connection)
{
    const gboolean may_read =
        connection->state == CONNECTION_LINGERING || may_take_calls(connection);
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
    if (FAULT_AT(CLIENT_SHUTDOWN) || shutdown(connection->fd, SHUT_WR) != 0) {
        connection_close(connection, CTR_CLOSED_BY_CLIENT);
        return;
    }
    set_state(connection, CONNECTION_LINGERING);
    connection->frame_since = 0;
    connection->idle_since = loop_now_usec();
    connection_arm_timer(connection);
}

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
        take_bytes(connection, NULL, 0);
    balance_reading(connection);
    if (connection->shared->is_draining)
        connection_finish_if_idle(connection);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    Connection *connection = OBJ_FROM(Connection, arg, CONNECTION_MAGIC);
    loop_defer(connection->shared->loop, &connection->flush);
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
    count_intake(connection);
    return into == shared->scratch || !buffer_memory_is_full(shared->memory) ? into : NULL;
}

/* How many bytes came; 0: none, and why is dealt with. */
static gsize read_once(Connection *connection)
{
    gsize room;
    guint8 *into = reserve(connection, &room);
    if (into == NULL) {
        connection_close(connection, CTR_CLOSED_MEMORY);
        return 0;
    }
    const ssize_t got = FAULT_AT(CLIENT_RECV_RESET) || FAULT_AT(CLIENT_RECV_AGAIN)
                            ? -1
                            : recv(connection->fd, into, room, MSG_DONTWAIT);
    if (got > 0) {
        count(connection, CTR_BYTES_RECEIVED, got);
        if (connection->state == CONNECTION_OPEN)
            take_bytes(connection, into, (gsize)got);
        balance_reading(connection);
    } else if (got == 0 && connection->state == CONNECTION_OPEN) {
        finish(connection, CTR_CLOSED_BY_CLIENT); /* it may wait for replies */
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        connection_close(connection, CTR_CLOSED_BY_CLIENT);
    }
    return got > 0 ? (gsize)got : 0;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    read_once(OBJ_FROM(Connection, arg, CONNECTION_MAGIC));
}

/* --- the drain --------------------------------------------------------------------------- */

static gsize unread_bytes(const Connection *connection)
{
    int bytes = 0;
    return ioctl(connection->fd, FIONREAD, &bytes) == 0 ? (gsize)bytes : 0;
}

void connection_finish_if_idle(Connection *connection)
{
    if (connection->state == CONNECTION_OPEN && reply_line_is_empty(&connection->line) &&
        connection->intake.bytes == NULL && unread_bytes(connection) == 0)
        finish(connection, CTR_CLOSED_DRAIN);
}

/* How much there is to read is asked only once: a client that never stops sending would be read
 * for ever. */
void connection_finish(Connection *connection)
{
    gsize got = 1, left = connection->state == CONNECTION_OPEN ? unread_bytes(connection) : 0;
    for (; left > 0 && got > 0 && connection->reading; left -= MIN(left, got))
        got = read_once(connection);
    finish(connection, CTR_CLOSED_DRAIN);
}

/* --- life -------------------------------------------------------------------------------- */

/* Reads no more calls; closes when all replies are out. */
static void finish(Connection *connection, DaemonCounter reason)
{
    if (connection->state != CONNECTION_OPEN)
        return;
    set_state(connection, CONNECTION_ENDING);
    connection->end_reason = reason;
    intake_clear(&connection->intake);
    count_intake(connection);
    connection->frame_since = 0;
    balance_reading(connection);
    loop_defer(connection->shared->loop, &connection->flush);
}

/* A timer that is armed already knows only the time that was right before. */
void connection_adopt_settings(Connection *connection)
{
    if (connection->state == CONNECTION_CLOSED)
        return;
    connection_arm_timer(connection);
    if (!connection->reading) /* perhaps it may be read again */
        loop_defer(connection->shared->loop, &connection->flush);
}

Connection *connection_new(const ConnectionShared *shared, int fd, const gchar *peer,
                           const gchar *host)
{
    Connection *connection = g_new0(Connection, 1);
    OBJ_INIT(connection, CONNECTION_MAGIC);
    connection->shared = shared;
    connection->fd = fd;
    connection->peer = g_ref_string_new(peer);
    connection->host = g_strdup(host);
    connection->flush = (LoopDeferred){ .run = on_flush, .user = connection };
    struct event_base *base = loop_base(shared->loop);
    connection->on_readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, connection);
    connection->on_writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, connection);
    connection->timer = loop_timer_new(shared->loop, connection_on_timer, connection);
    connection->idle_since = loop_now_usec();
    count(connection, CTR_CONN_OPEN, 1);
    balance_reading(connection);
    connection_arm_timer(connection);
    return connection;
}
