#include "daemon/front/websocket.h"
#include "daemon/base/obj.h"
#include <string.h>
#include <wslay/wslay.h>

#define WEBSOCKET_MAGIC 0x57534f43u

/* RFC 6455, 5.2 */
enum { MASK_BYTES = 4, WHOLE = 0x80, TWO_BYTES = 126, EIGHT_BYTES = 127 };

typedef struct {
    guint8 *bytes;
    gsize length;
    gboolean is_text;
} Message;

struct WebSocket {
    ObjTag tag;
    wslay_event_context_ptr context;
    WebSocketEvents events;
    gpointer user;
    const guint8 *bytes; /* of the read that is being taken */
    gsize left;
    GQueue messages; /* of Message: whole, and not handed on */
    gsize coming;    /* bytes of the message that is not whole */
    gsize unparsed;  /* bytes that wslay has, and no head or payload of a frame yet */
    gboolean is_coming;
    gboolean is_over, has_erred;
    GByteArray *out;
};

static WebSocket *socket_of(void *user) { return OBJ_FROM(WebSocket, user, WEBSOCKET_MAGIC); }

/* Of a frame, without its mask. */
static gsize head_bytes(guint64 payload_bytes)
{
    if (payload_bytes < TWO_BYTES)
        return 2;
    return payload_bytes <= G_MAXUINT16 ? 4 : WEBSOCKET_HEAD_MAX_BYTES;
}

/* --- what wslay asks for ----------------------------------------------------------------- */

/* No more than needed at a time: what wslay has read ahead cannot be given back. */
static ssize_t on_receive(wslay_event_context_ptr context, uint8_t *into, size_t room, int flags,
                          void *user)
{
    (void)flags;
    WebSocket *socket = socket_of(user);
    const gsize n = MIN(room, socket->left);
    if (n == 0 || !g_queue_is_empty(&socket->messages) || wslay_event_want_write(context)) {
        wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(into, socket->bytes, n);
    socket->bytes += n;
    socket->left -= n;
    socket->unparsed += n;
    return (ssize_t)n;
}

static ssize_t on_send(wslay_event_context_ptr context, const uint8_t *bytes, size_t length,
                       int flags, void *user)
{
    (void)context;
    (void)flags;
    g_byte_array_append(socket_of(user)->out, bytes, (guint)length);
    return (ssize_t)length;
}

static void on_frame(wslay_event_context_ptr context,
                     const struct wslay_event_on_frame_recv_start_arg *frame, void *user)
{
    (void)context;
    WebSocket *socket = socket_of(user);
    socket->unparsed -= head_bytes(frame->payload_length) + MASK_BYTES;
    if (!wslay_is_ctrl_frame(frame->opcode))
        socket->is_coming = TRUE;
}

static void on_chunk(wslay_event_context_ptr context,
                     const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *user)
{
    (void)context;
    WebSocket *socket = socket_of(user);
    socket->unparsed -= chunk->data_length;
    socket->coming += chunk->data_length;
}

static void on_message(wslay_event_context_ptr context,
                       const struct wslay_event_on_msg_recv_arg *whole, void *user)
{
    (void)context;
    WebSocket *socket = socket_of(user);
    if (wslay_is_ctrl_frame(whole->opcode)) {
        socket->coming -= whole->msg_length;
        return; /* wslay has queued the answer */
    }
    socket->is_coming = FALSE;
    socket->coming = 0;
    Message *message = g_new(Message, 1);
    *message = (Message){ g_memdup2(whole->msg, whole->msg_length), whole->msg_length,
                          whole->opcode == WSLAY_TEXT_FRAME };
    g_queue_push_tail(&socket->messages, message);
}

/* --- bytes ------------------------------------------------------------------------------- */

/* FALSE: no more for now. */
static gboolean hand_on(WebSocket *socket)
{
    Message *message;
    gboolean more = TRUE;
    while (more && !socket->is_over && (message = g_queue_pop_head(&socket->messages)) != NULL) {
        more =
            socket->events.message(message->bytes, message->length, message->is_text, socket->user);
        g_free(message);
    }
    return more && !socket->is_over;
}

static void answer_control_frames(WebSocket *socket)
{
    if (!wslay_event_want_write(socket->context))
        return;
    socket->out = g_byte_array_new();
    wslay_event_send(socket->context);
    socket->events.say(g_steal_pointer(&socket->out), socket->user);
}

/* Behind the last message, so that what was asked before is answered before. */
static void close_handshake(WebSocket *socket)
{
    socket->has_erred = !wslay_event_get_close_received(socket->context);
    answer_control_frames(socket);
    socket->is_over = TRUE;
}

gsize websocket_take(WebSocket *socket, const guint8 *bytes, gsize length)
{
    OBJ_CHECK(socket, WEBSOCKET_MAGIC);
    socket->bytes = bytes;
    socket->left = length;
    while (!socket->is_over && hand_on(socket)) {
        const gsize before = socket->left;
        if (!wslay_event_want_read(socket->context)) {
            close_handshake(socket);
            break;
        }
        if (wslay_event_recv(socket->context) != 0)
            wslay_event_shutdown_read(socket->context);
        if (!wslay_event_want_read(socket->context))
            continue;
        answer_control_frames(socket);
        if (socket->left == before && g_queue_is_empty(&socket->messages))
            break;
    }
    return length - socket->left;
}

static void free_message(gpointer data)
{
    Message *message = data;
    g_free(message->bytes);
    g_free(message);
}

void websocket_end(WebSocket *socket)
{
    socket->is_over = TRUE;
    socket->coming = 0;
    socket->is_coming = FALSE;
    g_queue_clear_full(&socket->messages, free_message);
}

gboolean websocket_is_over(const WebSocket *socket) { return socket->is_over; }
gboolean websocket_has_erred(const WebSocket *socket) { return socket->has_erred; }

gboolean websocket_is_between(const WebSocket *socket)
{
    return !socket->is_coming && socket->unparsed == 0 && socket->messages.length == 0;
}

gsize websocket_held_bytes(const WebSocket *socket)
{
    gsize held = socket->coming;
    for (const GList *link = socket->messages.head; link != NULL; link = link->next)
        held += ((const Message *)link->data)->length;
    return held;
}

gsize websocket_write_head(guint8 *out, gboolean is_text, gsize message_bytes)
{
    const gsize head = head_bytes(message_bytes);
    out[0] = WHOLE | (is_text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME);
    out[1] = head == 2 ? (guint8)message_bytes : head == 4 ? TWO_BYTES : EIGHT_BYTES;
    for (gsize i = 2; i < head; i++)
        out[i] = (guint8)(message_bytes >> 8 * (head - 1 - i));
    return head;
}

WebSocket *websocket_new(gsize max_message_bytes, const WebSocketEvents *events, gpointer user)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_receive,
        .send_callback = on_send,
        .on_frame_recv_start_callback = on_frame,
        .on_frame_recv_chunk_callback = on_chunk,
        .on_msg_recv_callback = on_message,
    };
    WebSocket *socket = g_new0(WebSocket, 1);
    OBJ_INIT(socket, WEBSOCKET_MAGIC);
    socket->events = *events;
    socket->user = user;
    const int result = wslay_event_context_server_init(&socket->context, &callbacks, socket);
    g_assert(result == 0); /* it fails only without memory, where GLib ends the program too */
    wslay_event_config_set_max_recv_msg_length(socket->context, max_message_bytes);
    return socket;
}

void websocket_free(WebSocket *socket)
{
    if (socket == NULL)
        return;
    websocket_end(socket);
    wslay_event_context_free(socket->context);
    OBJ_FINI(socket, WEBSOCKET_MAGIC);
    g_free(socket);
}
