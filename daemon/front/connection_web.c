#include "daemon/front/connection_web.h"
#include "daemon/front/connection_state.h"
#include "daemon/front/http_reply.h"
#include "daemon/front/http_session.h"
#include "daemon/front/websocket.h"
#include <http_parser.h>

struct ConnectionWeb {
    HttpSession *http;
    WebSocket *socket; /* NULL: not yet */
};

static Connection *connection_of(gpointer user)
{
    return OBJ_FROM(Connection, user, CONNECTION_MAGIC);
}

static void say_bytes(Connection *connection, guint8 *words, gsize bytes)
{
    const RequestClient client = { NULL, connection, connection->shared->memory,
                                   WIRE_TRANSPORT_UNKNOWN };
    Request *request = request_of_words(words, bytes, connection->peer, &client);
    g_queue_push_tail(&connection->line.calls, request);
    reply_line_finished(&connection->line, request);
    loop_defer(connection->shared->loop, &connection->flush);
}

static void say(GString *words, gpointer user)
{
    const gsize bytes = words->len;
    say_bytes(connection_of(user), (guint8 *)g_string_free(words, FALSE), bytes);
}

void connection_web_acknowledge(Connection *connection, const Request *request)
{
    const ReplyHeaders none = { g_array_new(FALSE, FALSE, sizeof(WireTHeaderPair)), NULL };
    say(http_reply_head(request, &none, 0), connection);
    g_array_unref(none.pairs);
}

void connection_web_go_away(Connection *connection, Request *request)
{
    if (connection->state != CONNECTION_OPEN ||
        g_queue_peek_tail(&connection->line.calls) != request ||
        !connection_web_is_between(connection->web))
        return;
    request->carrier.closes = TRUE;
    connection_end(connection, CTR_CLOSED_DRAIN);
}

/* --- messages ---------------------------------------------------------------------------- */

/* A body is one message, which some clients put into a frame. */
static WireVerdict find_message(const guint8 *body, gsize bytes, gsize most, WireExtent *extent,
                                WireTransport *transport)
{
    WireScan scan;
    wire_scan_begin(&scan, WIRE_TRANSPORT_UNKNOWN);
    const WireVerdict verdict =
        wire_verdict_at_end(wire_message_find(&scan, body, bytes, most, extent));
    *transport = scan.transport;
    if (verdict == WIRE_OK && extent->offset + extent->bytes != bytes)
        return WIRE_TRAILING;
    return verdict;
}

static WireVerdict take_body(Connection *connection, guint8 *body, gsize bytes, GByteArray *headers,
                             const RequestCarrier *carrier)
{
    WireExtent extent;
    WireTransport transport;
    const WireVerdict verdict =
        find_message(body, bytes, connection->shared->config->max_frame_bytes, &extent, &transport);
    if (verdict == WIRE_OK) {
        const CallBytes call = { body, extent.offset, extent.bytes, headers, transport };
        return connection_take_call(connection, &call, carrier);
    }
    g_free(body);
    g_clear_pointer(&headers, g_byte_array_unref);
    return verdict;
}

static gboolean on_post(HttpPost *post, gpointer user)
{
    Connection *connection = connection_of(user);
    const RequestCarrier carrier = { .kind = CARRIER_HTTP,
                                     .closes = post->closes,
                                     .is_http10 = post->is_http10 };
    const WireVerdict verdict =
        take_body(connection, post->body, post->body_bytes, post->headers, &carrier);
    if (verdict != WIRE_OK) {
        g_autofree gchar *text =
            g_strdup_printf("the body is no Thrift message: %s\n", wire_verdict_text(verdict));
        say(http_status(HTTP_STATUS_BAD_REQUEST, "", text), connection);
        connection_refuse_bytes(connection, verdict);
    } else if (post->closes) {
        connection_end(connection, CTR_CLOSED_BY_CLIENT);
    }
    return connection_may_take_calls(connection);
}

static gboolean on_websocket_message(guint8 *bytes, gsize length, gboolean is_text, gpointer user)
{
    Connection *connection = connection_of(user);
    const RequestCarrier carrier = { .kind = CARRIER_WEBSOCKET, .is_text = is_text };
    const WireVerdict verdict = take_body(connection, bytes, length, NULL, &carrier);
    if (verdict != WIRE_OK)
        connection_refuse_bytes(connection, verdict);
    return connection_may_take_calls(connection);
}

static void say_frames(GByteArray *frames, gpointer user)
{
    gsize bytes;
    guint8 *words = g_byte_array_steal(frames, &bytes);
    g_byte_array_unref(frames);
    say_bytes(connection_of(user), words, bytes);
}

static void on_upgrade(const gchar *accept, gpointer user)
{
    static const WebSocketEvents events = { on_websocket_message, say_frames };
    Connection *connection = connection_of(user);
    g_autofree gchar *lines = g_strdup_printf(
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n", accept);
    connection->web->socket =
        websocket_new(connection->shared->config->max_frame_bytes, &events, connection);
    say(http_status(HTTP_STATUS_SWITCHING_PROTOCOLS, lines, ""), connection);
}

/* --- bytes ------------------------------------------------------------------------------- */

static gsize take_some(Connection *connection, const guint8 *bytes, gsize length)
{
    const Config *config = connection->shared->config;
    const ConnectionWeb *web = connection->web;
    const HttpLimits limits = { config->max_frame_bytes,
                                (const gchar *const *)config->cors_origins };
    if (web->socket != NULL)
        return websocket_take(web->socket, bytes, length);
    return http_session_take(web->http, &limits, bytes, length);
}

/* What has been refused was told why; of the end of a WebSocket both sides know. */
static void end_if_over(Connection *connection)
{
    const ConnectionWeb *web = connection->web;
    if (web->socket != NULL && websocket_is_over(web->socket)) {
        if (websocket_has_erred(web->socket))
            connection_refuse_bytes(connection, WIRE_WEBSOCKET);
        else
            connection_end(connection, CTR_CLOSED_BY_CLIENT);
    } else if (http_session_is_over(web->http)) {
        connection_refuse_bytes(connection, WIRE_HTTP);
    }
}

void connection_web_take_bytes(Connection *connection, const guint8 *bytes, gsize length)
{
    g_autofree guint8 *kept = NULL;
    gsize taken = 0, n;
    if (connection->intake.is_paused) {
        g_assert(length == 0); /* it was not read from */
        kept = intake_steal(&connection->intake, &length);
        bytes = kept;
    }
    do { /* a WebSocket may begin in the middle */
        n = take_some(connection, bytes + taken, length - taken);
        taken += n;
    } while (n > 0 && taken < length && connection_may_take_calls(connection));
    if (connection->state == CONNECTION_OPEN)
        end_if_over(connection);
    if (connection->state == CONNECTION_OPEN && !connection_may_take_calls(connection))
        intake_hold(&connection->intake, bytes + taken, length - taken);
    connection_count_intake(connection);
    if (connection->state != CONNECTION_OPEN)
        return;
    if (buffer_memory_is_full(connection->shared->memory) &&
        connection_web_held_bytes(connection->web) > 0)
        connection_close(connection, CTR_CLOSED_MEMORY);
    else if (!connection_web_is_between(connection->web))
        connection_note_begun(connection);
}

void connection_begin_web(Connection *connection)
{
    static const HttpEvents events = { on_post, say, on_upgrade };
    connection->web = g_new0(ConnectionWeb, 1);
    connection->web->http = http_session_new(&events, connection);
    connection->intake.is_paused = TRUE;
    connection_web_take_bytes(connection, NULL, 0);
}

void connection_web_end(ConnectionWeb *web)
{
    if (web == NULL)
        return;
    http_session_end(web->http);
    if (web->socket != NULL)
        websocket_end(web->socket);
}

void connection_web_free(ConnectionWeb *web)
{
    if (web == NULL)
        return;
    http_session_free(web->http);
    websocket_free(web->socket);
    g_free(web);
}

gboolean connection_web_is_between(const ConnectionWeb *web)
{
    if (web == NULL)
        return TRUE;
    return web->socket != NULL ? websocket_is_between(web->socket)
                               : http_session_is_between(web->http);
}

gsize connection_web_held_bytes(const ConnectionWeb *web)
{
    if (web == NULL)
        return 0;
    return http_session_held_bytes(web->http) +
           (web->socket != NULL ? websocket_held_bytes(web->socket) : 0);
}
