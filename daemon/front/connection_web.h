/* connection_web.h - a connection whose first bytes were HTTP's: its requests, and the WebSocket
 * that it may become.  Private: of the connection's files.                                   */
#pragma once
#include "daemon/front/connection.h"

typedef struct ConnectionWeb ConnectionWeb;

/* The bytes that are in the connection's intake are the first of HTTP. */
void connection_begin_web(Connection *connection);
void connection_web_take_bytes(Connection *connection, const guint8 *bytes, gsize length);

/* A oneway call has come: its answer goes out at once. */
void connection_web_acknowledge(Connection *connection, const Request *request);
/* Before the reply of a call that came by HTTP is wrapped: if nothing else is in line, it says
 * that the connection closes, and so it does. */
void connection_web_go_away(Connection *connection, Request *request);

/* NULL is fine: then it is no web connection. */
void connection_web_end(ConnectionWeb *web); /* nothing more is taken, and nothing held */
void connection_web_free(ConnectionWeb *web);
gboolean connection_web_is_between(const ConnectionWeb *web); /* two requests or messages */
gsize connection_web_held_bytes(const ConnectionWeb *web);
