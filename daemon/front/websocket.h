/* websocket.h - one client that speaks WebSocket (RFC 6455): messages in, control frames out.
 *
 * The frames of replies are written by carrier.c; those that answer pings and a close come from
 * here.
 *
 * Thread: one at a time.   Owns: the message that is coming, and at most one read's worth of
 * messages that wait because the connection wants no more for now.                          */
#pragma once
#include <glib.h>

typedef struct WebSocket WebSocket;

typedef struct {
    /* `bytes` is the callee's.  FALSE: no more for now. */
    gboolean (*message)(guint8 *bytes, gsize length, gboolean is_text, gpointer user);
    void (*say)(GByteArray *frames, gpointer user); /* transfer full */
} WebSocketEvents;

WebSocket *websocket_new(gsize max_message_bytes, const WebSocketEvents *events, gpointer user);
void websocket_free(WebSocket *socket); /* NULL is fine */

/* Returns how many bytes it has taken; fewer when a message wanted no more, or it is over. */
gsize websocket_take(WebSocket *socket, const guint8 *bytes, gsize length);
void websocket_end(WebSocket *socket); /* nothing more is taken, and nothing held */

gboolean websocket_is_over(const WebSocket *socket); /* the client has said so, or has erred */
gboolean websocket_has_erred(const WebSocket *socket);
gboolean websocket_is_between(const WebSocket *socket); /* two messages, and none waits */
gsize websocket_held_bytes(const WebSocket *socket);

/* The head of a frame with a whole message of so many bytes. */
#define WEBSOCKET_HEAD_MAX_BYTES 10u
gsize websocket_write_head(guint8 *out, gboolean is_text, gsize message_bytes);
