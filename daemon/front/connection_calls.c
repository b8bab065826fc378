/* connection_calls.c - from the bytes of a connection to its calls. */
#include "daemon/front/carrier.h"
#include "daemon/front/connection_state.h"
#include "daemon/front/header_frame.h"
#include "daemon/front/refusal.h"

void connection_count_intake(Connection *connection)
{
    const gsize now = connection->intake.size;
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
    carrier_wrap(request, connection->shared->is_going_away, loop_now_usec());
    reply_line_finished(&connection->line, request);
    loop_defer(connection->shared->loop, &connection->flush);
}

static void refuse_bytes(Connection *connection, WireVerdict verdict)
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

/* A whole message, and how it came. */
static gboolean take_message(Connection *connection, HeaderFrame *message, gboolean is_theader)
{
    const ConnectionShared *shared = connection->shared;
    /* What a THeader frame holds is a message without a frame. */
    const RequestClient client = { on_finished, connection, shared->memory,
                                   is_theader ? WIRE_TRANSPORT_UNFRAMED
                                              : connection->intake.transport };
    const RequestCarrier carrier = {
        .kind = is_theader ? CARRIER_THEADER : CARRIER_NONE,
        .seqid = message->header.seqid,
        .is_zlib = message->header.is_zlib,
        .may_overtake = (message->header.flags & WIRE_THEADER_OUT_OF_ORDER) != 0,
    };
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
    return connection_may_take_calls(connection);
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

void connection_take_bytes(Connection *connection, const guint8 *bytes, gsize length)
{
    const WireVerdict verdict =
        intake_take(&connection->intake, bytes, length, connection->shared->config->max_frame_bytes,
                    on_message, connection);
    connection_count_intake(connection);
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
