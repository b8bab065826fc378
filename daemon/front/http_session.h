/* http_session.h - one client that speaks HTTP/1: the body of each POST is a Thrift message.
 *
 *   bytes --take--> http_parser --> head judged --> body kept ----> events.post
 *                                      |  |                 whole
 *                                      |  +--> events.upgrade: a WebSocket begins
 *                                      +-----> events.say: a status, and no call
 *
 * A page of another site must not call through its reader's browser: whoever sends an Origin
 * must be one of cors-origins.
 *
 * Thread: one at a time.   Owns: the head and the body of the request that is coming.
 * Never:  holds more than HEADERS_MAX_BYTES of a head, or max_body_bytes and what comes in one
 *         read of a body.                                                                    */
#pragma once
#include <glib.h>

typedef struct HttpSession HttpSession;

typedef struct {
    gsize max_body_bytes;
    const gchar *const *origins; /* NULL: none; "*" among them: every */
} HttpLimits;

typedef struct {
    guint8 *body; /* from g_malloc; NULL when it is empty */
    gsize body_bytes;
    GByteArray *headers; /* actor/ring/headers.h; NULL: none */
    gboolean closes;     /* the connection ends with the reply */
    gboolean is_http10;  /* must be told when it does not */
} HttpPost;

typedef struct {
    /* Body and headers are the callee's.  FALSE: no more for now. */
    gboolean (*post)(HttpPost *post, gpointer user);
    /* A whole response, or one before the response (transfer full). */
    void (*say)(GString *words, gpointer user);
    /* The bytes that follow are a WebSocket's; `accept`: what answers its key. */
    void (*upgrade)(const gchar *accept, gpointer user);
} HttpEvents;

HttpSession *http_session_new(const HttpEvents *events, gpointer user);
void http_session_free(HttpSession *session); /* NULL is fine */

/* Returns how many bytes it has taken: fewer when a post wanted no more for now, or when the
 * session is over or upgraded. */
gsize http_session_take(HttpSession *session, const HttpLimits *limits, const guint8 *bytes,
                        gsize length);
void http_session_end(HttpSession *session); /* nothing more is taken, and nothing held */

/* Over: it was refused, and told why. */
gboolean http_session_is_over(const HttpSession *session);
gboolean http_session_is_between(const HttpSession *session); /* two requests */
gsize http_session_held_bytes(const HttpSession *session);
