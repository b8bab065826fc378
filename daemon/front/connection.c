#include "daemon/front/connection.h"
#include "daemon/base/fd.h"
#include "daemon/base/obj.h"
#include "daemon/front/intake.h"
#include "daemon/front/reply_line.h"
#include "daemon/wire/reply.h"
#include <errno.h>
#include <sys/socket.h>

#define CONNECTION_MAGIC 0x434f4e4eu

#define LINGER_USEC G_USEC_PER_SEC

struct Connection {
    ObjTag tag;
    const ConnectionShared *shared;
    ConnectionState state;
    Fd fd;
    GRefString *peer;
    gchar *host;
    struct event *on_readable, *on_writable, *timer;
    LoopDeferred flush;
    Intake intake;
    ReplyLine line;
    gint64 frame_since, write_since, idle_since; /* usec; 0: not the case */
    gboolean reading;
};

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

/* --- the end -------------------------------------------------------------------------------- */

static void free_connection(Connection *connection)
{
    connection->shared->closed(connection, connection->shared->user);
    event_free(connection->on_readable);
    event_free(connection->on_writable);
    event_free(connection->timer);
    intake_clear(&connection->intake);
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
    set_state(connection, CONNECTION_CLOSED);
    count(connection, reason, 1);
    count(connection, CTR_CONN_OPEN, -1);
    event_del(connection->on_readable);
    event_del(connection->on_writable);
    evtimer_del(connection->timer);
    fd_close(&connection->fd);
    reply_line_abandon(&connection->line, connection->shared->dispatch);
    loop_defer(connection->shared->loop, &connection->flush);
}

/* --- time ------------------------------------------------------------------------------------- */

/* When the connection has waited too long for what it waits for, and why that closes it. */
static gint64 patience_ends(const Connection *connection, DaemonCounter *reason)
{
    const Config *config = connection->shared->config;
    gint64 ends = G_MAXINT64;
    *reason = CTR_CLOSED_IDLE;
    if (connection->frame_since > 0) {
        *reason = CTR_CLOSED_FRAME;
        ends = connection->frame_since + config->frame_timeout_usec;
    } else if (reply_line_is_empty(&connection->line) && config->idle_timeout_usec > 0) {
        ends = connection->idle_since + config->idle_timeout_usec;
    }
    if (connection->state == CONNECTION_LINGERING) {
        *reason = CTR_CLOSED_PROTOCOL;
        return connection->idle_since + LINGER_USEC;
    }
    if (connection->write_since > 0 &&
        connection->write_since + config->write_timeout_usec < ends) {
        *reason = CTR_CLOSED_WRITE;
        ends = connection->write_since + config->write_timeout_usec;
    }
    return ends;
}

/* Called where a wait begins.  A wait that ends early leaves the timer; it then finds nothing
 * due and arms itself anew. */
static void arm_timer(Connection *connection)
{
    DaemonCounter reason;
    const gint64 ends = patience_ends(connection, &reason);
    if (ends != G_MAXINT64)
        loop_timer_arm(connection->timer, MAX(ends - loop_now_usec(), 0));
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    Connection *connection = OBJ_FROM(Connection, arg, CONNECTION_MAGIC);
    DaemonCounter reason;
    if (patience_ends(connection, &reason) <= loop_now_usec())
        connection_close(connection, reason);
    else
        arm_timer(connection);
}

/* --- replies out --------------------------------------------------------------------------------
 */

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
        arm_timer(connection);
    }
    return TRUE;
}

/* Reads while the client reads: what is in line for it is bounded. */
static void balance_reading(Connection *connection)
{
    const Config *config = connection->shared->config;
    const gboolean may_read = connection->state == CONNECTION_LINGERING ||
                              (connection->state == CONNECTION_OPEN &&
                               connection->line.calls.length < config->max_pipelined &&
                               connection->line.reply_bytes < config->write_buffer_bytes);
    if (may_read && !connection->reading)
        event_add(connection->on_readable, NULL);
    else if (!may_read && connection->reading)
        event_del(connection->on_readable);
    connection->reading = may_read;
}

static void end_if_all_is_sent(Connection *connection)
{
    if (connection->state != CONNECTION_ENDING || !reply_line_is_empty(&connection->line))
        return;
    if (shutdown(connection->fd, SHUT_WR) != 0) {
        connection_close(connection, CTR_CLOSED_BY_CLIENT);
        return;
    }
    set_state(connection, CONNECTION_LINGERING);
    connection->frame_since = 0;
    connection->idle_since = loop_now_usec();
    arm_timer(connection);
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
            arm_timer(connection);
    }
    balance_reading(connection);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    Connection *connection = OBJ_FROM(Connection, arg, CONNECTION_MAGIC);
    loop_defer(connection->shared->loop, &connection->flush);
}

static void on_finished(Request *request, gpointer user)
{
    Connection *connection = OBJ_FROM(Connection, user, CONNECTION_MAGIC);
    connection->line.reply_bytes += request->reply_bytes;
    loop_defer(connection->shared->loop, &connection->flush);
}

/* --- calls in -----------------------------------------------------------------------------------
 */

/* What can be wrong with a frame or with the head of a message. */
static DaemonCounter counter_of(WireVerdict verdict)
{
    static const DaemonCounter counters[WIRE_VERDICT_COUNT] = {
        [WIRE_FRAME_EMPTY] = CTR_PROTOCOL_FRAME_EMPTY,
        [WIRE_FRAME_TOO_LARGE] = CTR_PROTOCOL_FRAME_TOO_LARGE,
        [WIRE_FRAME_NEGATIVE] = CTR_PROTOCOL_FRAME_NEGATIVE,
        [WIRE_HTTP] = CTR_PROTOCOL_HTTP,
        [WIRE_TLS] = CTR_PROTOCOL_TLS,
        [WIRE_UNFRAMED] = CTR_PROTOCOL_UNFRAMED,
        [WIRE_THEADER] = CTR_PROTOCOL_THEADER,
        [WIRE_NOT_THRIFT] = CTR_PROTOCOL_NOT_THRIFT,
        [WIRE_BAD_VERSION] = CTR_PROTOCOL_BAD_VERSION,
        [WIRE_BAD_TYPE] = CTR_PROTOCOL_BAD_TYPE,
        [WIRE_BAD_NAME] = CTR_PROTOCOL_BAD_NAME,
        [WIRE_BAD_VARINT] = CTR_PROTOCOL_BAD_VARINT,
        [WIRE_TRUNCATED] = CTR_PROTOCOL_TRUNCATED,
    };
    g_assert(counters[verdict] != 0);
    return counters[verdict];
}

static void refuse_bytes(Connection *connection, WireVerdict verdict)
{
    const ConnectionShared *shared = connection->shared;
    count(connection, counter_of(verdict), 1);
    if (log_limit_allows(shared->log_limit, wire_verdict_name(verdict), connection->host,
                         loop_now_usec()))
        log_warning("connection.refused peer=%s reason=%s text=\"%s\"", connection->peer,
                    wire_verdict_name(verdict), wire_verdict_text(verdict));
    else
        count(connection, CTR_LOG_SUPPRESSED, 1);
    connection_finish(connection);
}

/* A frame that is too large can still be answered when its head has come. */
static void answer_too_large(Connection *connection)
{
    const Intake *intake = &connection->intake;
    WireHead head;
    if (wire_head_peek(intake->bytes + WIRE_FRAME_PREFIX_BYTES,
                       intake->used - WIRE_FRAME_PREFIX_BYTES, &head) != WIRE_OK ||
        head.type != WIRE_CALL)
        return;
    g_autofree gchar *text =
        g_strdup_printf("frame_too_large: the limit is max-frame-bytes = %" G_GUINT64_FORMAT,
                        connection->shared->config->max_frame_bytes);
    const WireAddress to = { head.protocol, head.seqid, head.name, head.name_bytes };
    const WireException what = { WIRE_EXCEPTION_PROTOCOL_ERROR, text, strlen(text) };
    connection->line.last_words_bytes = wire_exception_bytes(&to, &what);
    connection->line.last_words = g_malloc(connection->line.last_words_bytes);
    wire_exception_write(connection->line.last_words, &to, &what);
}

static gboolean on_message(guint8 *buffer, gsize offset, gsize length, gpointer user)
{
    Connection *connection = OBJ_FROM(Connection, user, CONNECTION_MAGIC);
    const ConnectionShared *shared = connection->shared;
    const RequestClient client = { on_finished, connection };
    WireHead head;
    const WireVerdict verdict = wire_verdict_at_end(wire_head_peek(buffer + offset, length, &head));
    if (verdict != WIRE_OK) {
        g_free(buffer);
        refuse_bytes(connection, verdict);
        return FALSE;
    }
    Request *request = request_new(&head, buffer, offset, length, connection->peer, &client,
                                   shared->config->max_frame_bytes, loop_now_usec());
    g_queue_push_tail(&connection->line.calls, request);
    dispatch_submit(shared->dispatch, request);
    return connection->state == CONNECTION_OPEN;
}

static void take_bytes(Connection *connection, const guint8 *bytes, gsize length)
{
    const gboolean had_part = connection->intake.used > 0;
    const WireVerdict verdict =
        intake_take(&connection->intake, bytes, length, connection->shared->config->max_frame_bytes,
                    on_message, connection);
    if (connection->state != CONNECTION_OPEN)
        return;
    if (verdict == WIRE_MORE) {
        if (connection->frame_since == 0 || !had_part) {
            connection->frame_since = loop_now_usec();
            arm_timer(connection);
        }
        return;
    }
    connection->frame_since = 0;
    if (verdict == WIRE_FRAME_TOO_LARGE)
        answer_too_large(connection);
    if (verdict != WIRE_OK)
        refuse_bytes(connection, verdict);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    Connection *connection = OBJ_FROM(Connection, arg, CONNECTION_MAGIC);
    gsize room = CONNECTION_SCRATCH_BYTES;
    guint8 *into = connection->shared->scratch;
    if (connection->state == CONNECTION_OPEN)
        into = intake_reserve(&connection->intake, into,
                              connection->shared->config->max_frame_bytes, &room);
    const ssize_t got = recv(connection->fd, into, room, MSG_DONTWAIT);
    if (got > 0) {
        count(connection, CTR_BYTES_RECEIVED, got);
        if (connection->state == CONNECTION_OPEN)
            take_bytes(connection, into, (gsize)got);
        balance_reading(connection);
    } else if (got == 0 && connection->state == CONNECTION_OPEN) {
        connection_finish(connection); /* a client may shut its side and wait for replies */
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        connection_close(connection, CTR_CLOSED_BY_CLIENT);
    }
}

/* --- life
 * ------------------------------------------------------------------------------------------ */

void connection_finish(Connection *connection)
{
    if (connection->state != CONNECTION_OPEN)
        return;
    set_state(connection, CONNECTION_ENDING);
    intake_clear(&connection->intake);
    connection->frame_since = 0;
    balance_reading(connection);
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
    connection->timer = loop_timer_new(shared->loop, on_timer, connection);
    connection->idle_since = loop_now_usec();
    count(connection, CTR_CONN_OPEN, 1);
    balance_reading(connection);
    arm_timer(connection);
    return connection;
}
