/* connection_calls.c - from the bytes of a connection to its calls. */
#include "daemon/front/carrier.h"
#include "daemon/front/connection_state.h"
#include "daemon/front/header_frame.h"
#include "daemon/front/refusal.h"
#include "daemon/wire/json.h"

void connection_count_intake(Connection *connection)
{
    const gsize now = connection->intake.size + connection_web_held_bytes(connection->web);
    *connection->shared->memory->held_bytes += (gint64)now - (gint64)connection->buffered_bytes;
    connection->buffered_bytes = now;
}

gboolean connection_may_take_calls(const Connection *connection)
{
    const Config *config = connection->shared->config;
    return connection->state == CONNECTION_OPEN &&
           connection->line.calls.length < config->max_pipelined &&
           connection->line.reply_bytes < config->write_buffer_bytes;
}

static void on_finished(Request *request, gpointer user)
{
    Connection *connection = OBJ_FROM(Connection, user, CONNECTION_MAGIC);
    const gboolean is_going_away = connection->shared->is_going_away || connection->is_retiring;
    if (is_going_away && request->carrier.kind == CARRIER_HTTP)
        connection_web_go_away(connection, request);
    carrier_wrap(request, is_going_away, loop_now_usec());
    reply_line_finished(&connection->line, request);
    loop_defer(connection->shared->loop, &connection->flush);
}

void connection_refuse_bytes(Connection *connection, WireVerdict verdict)
{
    const ConnectionShared *shared = connection->shared;
    connection_count(connection, refusal_counter(verdict), 1);
    if (log_limit_allows(shared->log_limit, wire_verdict_name(verdict), connection->host,
                         loop_now_usec()))
        log_warning("connection.refused peer=%s reason=%s text=\"%s\"", connection->peer,
                    wire_verdict_name(verdict), wire_verdict_text(verdict));
    else
        connection_count(connection, CTR_LOG_SUPPRESSED, 1);
    connection_end(connection, CTR_CLOSED_PROTOCOL);
}

/* A oneway POST has its answer at once, before it runs, and nothing follows it. */
static void submit(Connection *connection, Request *request)
{
    Dispatch *dispatch = connection->shared->dispatch;
    const gboolean is_let_go = request->carrier.kind == CARRIER_HTTP && request->oneway;
    connection->frame_since = 0;
    if (is_let_go)
        connection_web_acknowledge(connection, request);
    else
        g_queue_push_tail(&connection->line.calls, request);
    dispatch_submit(dispatch, request);
    if (is_let_go)
        dispatch_client_gone(dispatch, request);
}

/* Who is called.  A message in JSON becomes one in binary, in a buffer of its own. */
static WireVerdict open_message(CallBytes *call, gsize max_message_bytes, WireHead *head)
{
    const gboolean is_json = call->bytes > 0 && wire_is_json(call->buffer[call->offset]);
    if (is_json) {
        GByteArray *binary = g_byte_array_new();
        const WireVerdict verdict =
            wire_json_read(call->buffer + call->offset, call->bytes, max_message_bytes, binary);
        g_free(call->buffer);
        call->offset = 0;
        call->buffer = g_byte_array_steal(binary, &call->bytes);
        g_byte_array_unref(binary);
        if (verdict != WIRE_OK)
            return verdict;
    }
    const WireVerdict verdict =
        wire_verdict_at_end(wire_head_peek(call->buffer + call->offset, call->bytes, head));
    if (is_json)
        head->protocol = WIRE_JSON;
    return verdict;
}

WireVerdict connection_take_call(Connection *connection, const CallBytes *sent,
                                 const RequestCarrier *carrier)
{
    const ConnectionShared *shared = connection->shared;
    const RequestClient client = { on_finished, connection, shared->memory, sent->transport };
    CallBytes call = *sent;
    WireHead head;
    const WireVerdict verdict = open_message(&call, shared->config->max_frame_bytes, &head);
    if (verdict != WIRE_OK) {
        g_free(call.buffer);
        g_clear_pointer(&call.headers, g_byte_array_unref);
        return verdict;
    }
    Request *request = request_new(&head, call.buffer, call.offset, call.bytes, connection->peer,
                                   &client, shared->config->max_frame_bytes, loop_now_usec());
    request_set_carrier(request, carrier, call.headers);
    submit(connection, request);
    return WIRE_OK;
}

static WireVerdict take_theader(Connection *connection, guint8 *buffer, gsize offset, gsize length)
{
    HeaderFrame frame;
    const WireVerdict verdict = header_frame_open(
        buffer, offset, length, connection->shared->config->max_frame_bytes, &frame);
    if (verdict != WIRE_OK)
        return verdict;
    const RequestCarrier carrier = {
        .kind = CARRIER_THEADER,
        .seqid = frame.header.seqid,
        .is_zlib = frame.header.is_zlib,
        .may_overtake = (frame.header.flags & WIRE_THEADER_OUT_OF_ORDER) != 0,
    };
    /* What is in it is a message without a frame. */
    const CallBytes call = { frame.buffer, frame.offset, frame.bytes, frame.headers,
                             WIRE_TRANSPORT_UNFRAMED };
    return connection_take_call(connection, &call, &carrier);
}

static gboolean on_message(guint8 *buffer, gsize offset, gsize length, gpointer user)
{
    static const RequestCarrier none = { .kind = CARRIER_NONE };
    Connection *connection = OBJ_FROM(Connection, user, CONNECTION_MAGIC);
    const CallBytes call = { buffer, offset, length, NULL, connection->intake.transport };
    const WireVerdict verdict = wire_is_theader(buffer + offset, length)
                                    ? take_theader(connection, buffer, offset, length)
                                    : connection_take_call(connection, &call, &none);
    if (verdict != WIRE_OK)
        connection_refuse_bytes(connection, verdict);
    return connection_may_take_calls(connection);
}

void connection_note_begun(Connection *connection)
{
    if (connection->frame_since > 0)
        return;
    connection->frame_since = loop_now_usec();
    connection_arm_timer(connection);
}

void connection_take_bytes(Connection *connection, const guint8 *bytes, gsize length)
{
    if (connection->web != NULL) {
        connection_web_take_bytes(connection, bytes, length);
        return;
    }
    const WireVerdict verdict =
        intake_take(&connection->intake, bytes, length, connection->shared->config->max_frame_bytes,
                    on_message, connection);
    connection_count_intake(connection);
    if (connection->state != CONNECTION_OPEN)
        return;
    if (verdict == WIRE_HTTP && connection->intake.transport == WIRE_TRANSPORT_UNKNOWN) {
        connection_begin_web(connection);
        return;
    }
    if (verdict == WIRE_MORE)
        connection_note_begun(connection);
    if (verdict == WIRE_FRAME_TOO_LARGE)
        connection->line.last_words = refusal_of_large_message(
            connection->intake.transport, connection->intake.bytes, connection->intake.used,
            connection->shared->config->max_frame_bytes, &connection->line.last_words_bytes);
    if (verdict != WIRE_OK && verdict != WIRE_MORE)
        connection_refuse_bytes(connection, verdict);
}
