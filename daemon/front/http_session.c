#include "daemon/front/http_session.h"
#include "actor/ring/headers.h"
#include "daemon/base/obj.h"
#include "daemon/front/http_reply.h"
#include <http_parser.h>
#include <string.h>

#define HTTP_MAGIC     0x48545450u
#define FIRST_BYTES    ((gsize)4096)
#define UNKNOWN_LENGTH G_MAXUINT64

#define WEBSOCKET_VERSION "13"
#define WEBSOCKET_GUID    "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455, 1.3 */

struct HttpSession {
    ObjTag tag;
    http_parser parser;
    HttpEvents events;
    gpointer user;
    const HttpLimits *limits; /* while bytes are taken */
    gboolean has_begun;       /* a request has */
    gboolean in_value;        /* of the header whose name and value are being read */
    GString *name, *value;
    GByteArray *headers;
    guint8 *body;
    gsize body_bytes, body_size;
    gboolean is_over, is_upgraded, is_bare; /* bare: answered already, and no call */
};

static HttpSession *session_of(http_parser *parser)
{
    return OBJ_FROM(HttpSession, parser->data, HTTP_MAGIC);
}

static const gchar *header(const HttpSession *session, const gchar *name)
{
    return headers_find(session->headers->data, session->headers->len, name);
}

static void forget_request(HttpSession *session)
{
    g_clear_pointer(&session->body, g_free);
    session->body_bytes = session->body_size = 0;
    g_byte_array_set_size(session->headers, 0);
    g_string_truncate(session->name, 0);
    g_string_truncate(session->value, 0);
    session->in_value = session->has_begun = session->is_bare = FALSE;
}

void http_session_end(HttpSession *session)
{
    session->is_over = TRUE;
    forget_request(session);
}

/* Never 0, for the parser to stop at once. */
static int refuse(HttpSession *session, guint status, const gchar *headers, const gchar *text)
{
    g_autofree gchar *cors =
        http_cors_lines(status != HTTP_STATUS_FORBIDDEN ? header(session, "origin") : NULL);
    g_autofree gchar *lines = g_strconcat(headers, cors, NULL);
    session->is_over = TRUE;
    session->events.say(http_status(status, lines, text), session->user);
    return -1;
}

/* --- the head ---------------------------------------------------------------------------- */

static int on_begin(http_parser *parser)
{
    session_of(parser)->has_begun = TRUE;
    return 0;
}

static int too_many(HttpSession *session)
{
    return refuse(session, HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE, "",
                  "the headers are larger than 16384 bytes, or have a NUL in them\n");
}

static gboolean keep_pair(HttpSession *session)
{
    if (!session->in_value)
        return TRUE;
    const gboolean kept = headers_append(session->headers, session->name->str, session->name->len,
                                         session->value->str, session->value->len);
    g_string_truncate(session->name, 0);
    g_string_truncate(session->value, 0);
    session->in_value = FALSE;
    return kept;
}

static int on_name(http_parser *parser, const gchar *at, gsize length)
{
    HttpSession *session = session_of(parser);
    if (!keep_pair(session) || session->name->len + length > HEADERS_MAX_BYTES)
        return too_many(session);
    g_string_append_len(session->name, at, (gssize)length);
    return 0;
}

static int on_value(http_parser *parser, const gchar *at, gsize length)
{
    HttpSession *session = session_of(parser);
    session->in_value = TRUE;
    if (session->value->len + length > HEADERS_MAX_BYTES)
        return too_many(session);
    g_string_append_len(session->value, at, (gssize)length);
    return 0;
}

static gboolean is_welcome(const HttpSession *session)
{
    const gchar *origin = header(session, "origin");
    if (origin == NULL)
        return TRUE;
    for (guint i = 0; session->limits->origins != NULL && session->limits->origins[i] != NULL; i++)
        if (g_str_equal(session->limits->origins[i], "*") ||
            g_str_equal(session->limits->origins[i], origin))
            return TRUE;
    return FALSE;
}

static gboolean has_body(const http_parser *parser)
{
    return (parser->flags & F_CHUNKED) != 0 ||
           (parser->content_length != 0 && parser->content_length != UNKNOWN_LENGTH);
}

static int answer_preflight(HttpSession *session)
{
    g_autofree gchar *cors = http_cors_lines(header(session, "origin"));
    const gchar *asked = header(session, "access-control-request-headers");
    g_autofree gchar *lines = g_strdup_printf("Allow: POST, OPTIONS\r\n"
                                              "Access-Control-Allow-Methods: POST\r\n"
                                              "Access-Control-Allow-Headers: %s\r\n"
                                              "Access-Control-Max-Age: 600\r\n%s",
                                              asked != NULL ? asked : "content-type", cors);
    session->is_bare = TRUE;
    session->events.say(http_status(HTTP_STATUS_NO_CONTENT, lines, ""), session->user);
    return 0;
}

static gboolean is_websocket(const HttpSession *session)
{
    const gchar *upgrade = header(session, "upgrade");
    return session->parser.upgrade != 0 && session->parser.method == HTTP_GET && upgrade != NULL &&
           g_ascii_strcasecmp(upgrade, "websocket") == 0;
}

/* Tells the parser to stop behind the head. */
static int begin_websocket(HttpSession *session)
{
    const gchar *key = header(session, "sec-websocket-key");
    const gchar *version = header(session, "sec-websocket-version");
    if (key == NULL || version == NULL || !g_str_equal(version, WEBSOCKET_VERSION))
        return refuse(session, HTTP_STATUS_UPGRADE_REQUIRED,
                      "Upgrade: websocket\r\nSec-WebSocket-Version: " WEBSOCKET_VERSION "\r\n",
                      "a WebSocket needs a Sec-WebSocket-Key and Sec-WebSocket-Version: 13\n");
    guint8 digest[20];
    gsize bytes = sizeof digest;
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
    g_checksum_update(sum, (const guchar *)key, -1);
    g_checksum_update(sum, (const guchar *)WEBSOCKET_GUID, -1);
    g_checksum_get_digest(sum, digest, &bytes);
    g_autofree gchar *accept = g_base64_encode(digest, bytes);
    session->is_upgraded = TRUE;
    session->events.upgrade(accept, session->user);
    return 2; /* http_parser: nothing of HTTP follows */
}

/* Before a byte of the body is taken. */
static int judge_post(HttpSession *session)
{
    const http_parser *parser = &session->parser;
    const gchar *encoding = header(session, "content-encoding");
    const gchar *expect = header(session, "expect");
    if (encoding != NULL && g_ascii_strcasecmp(encoding, "identity") != 0)
        return refuse(session, HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE, "",
                      "Content-Encoding must be identity\n");
    if (has_body(parser) && (parser->flags & F_CHUNKED) == 0 &&
        parser->content_length > session->limits->max_body_bytes)
        return refuse(session, HTTP_STATUS_PAYLOAD_TOO_LARGE, "",
                      "the body is larger than max-frame-bytes\n");
    if (expect != NULL && g_ascii_strcasecmp(expect, "100-continue") != 0)
        return refuse(session, HTTP_STATUS_EXPECTATION_FAILED, "", "Expect must be 100-continue\n");
    if (expect != NULL)
        session->events.say(http_status(HTTP_STATUS_CONTINUE, "", ""), session->user);
    return 0;
}

static int on_head(http_parser *parser)
{
    HttpSession *session = session_of(parser);
    if (!keep_pair(session))
        return too_many(session);
    if (!is_welcome(session))
        return refuse(session, HTTP_STATUS_FORBIDDEN, "",
                      "this Origin is not one of cors-origins\n");
    if (is_websocket(session))
        return begin_websocket(session);
    parser->upgrade = 0; /* some clients offer h2c with a POST: it is not taken */
    if (parser->method == HTTP_POST)
        return judge_post(session);
    if (parser->method == HTTP_OPTIONS && !has_body(parser))
        return answer_preflight(session);
    return refuse(session, HTTP_STATUS_METHOD_NOT_ALLOWED, "Allow: POST, OPTIONS\r\n",
                  "Thrift calls come by POST\n");
}

/* --- the body ---------------------------------------------------------------------------- */

static int on_body(http_parser *parser, const gchar *at, gsize length)
{
    HttpSession *session = session_of(parser);
    const gsize needed = session->body_bytes + length;
    if (needed > session->limits->max_body_bytes)
        return refuse(session, HTTP_STATUS_PAYLOAD_TOO_LARGE, "",
                      "the body is larger than max-frame-bytes\n");
    if (needed > session->body_size) {
        session->body_size = MIN(MAX(MAX(FIRST_BYTES, needed), session->body_size * 2),
                                 session->limits->max_body_bytes);
        session->body = g_realloc(session->body, session->body_size);
    }
    memcpy(session->body + session->body_bytes, at, length);
    session->body_bytes = needed;
    return 0;
}

static int on_whole(http_parser *parser)
{
    HttpSession *session = session_of(parser);
    if (session->is_bare || session->is_upgraded) {
        forget_request(session);
        return 0;
    }
    HttpPost post = {
        .body = g_steal_pointer(&session->body),
        .body_bytes = session->body_bytes,
        .closes = !http_should_keep_alive(parser),
        .is_http10 = parser->http_major == 1 && parser->http_minor == 0,
    };
    if (session->headers->len > 0) {
        post.headers = g_steal_pointer(&session->headers);
        session->headers = g_byte_array_new();
    }
    forget_request(session);
    if (!session->events.post(&post, session->user) || session->is_over)
        http_parser_pause(parser, 1);
    return 0;
}

/* --- bytes ------------------------------------------------------------------------------- */

gsize http_session_take(HttpSession *session, const HttpLimits *limits, const guint8 *bytes,
                        gsize length)
{
    static const http_parser_settings settings = {
        .on_message_begin = on_begin,
        .on_header_field = on_name,
        .on_header_value = on_value,
        .on_headers_complete = on_head,
        .on_body = on_body,
        .on_message_complete = on_whole,
    };
    OBJ_CHECK(session, HTTP_MAGIC);
    if (session->is_over || session->is_upgraded || length == 0)
        return 0;
    if (HTTP_PARSER_ERRNO(&session->parser) == HPE_PAUSED)
        http_parser_pause(&session->parser, 0);
    session->limits = limits;
    const gsize taken =
        http_parser_execute(&session->parser, &settings, (const gchar *)bytes, length);
    const enum http_errno problem = HTTP_PARSER_ERRNO(&session->parser);
    if (problem != HPE_OK && problem != HPE_PAUSED && !session->is_over) {
        g_autofree gchar *text = g_strdup_printf("%s\n", http_errno_description(problem));
        refuse(session,
               problem == HPE_HEADER_OVERFLOW ? HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE
                                              : HTTP_STATUS_BAD_REQUEST,
               "", text);
    }
    session->limits = NULL;
    return taken;
}

gboolean http_session_is_over(const HttpSession *session) { return session->is_over; }
gboolean http_session_is_between(const HttpSession *session) { return !session->has_begun; }

gsize http_session_held_bytes(const HttpSession *session)
{
    return session->body_size + session->headers->len;
}

HttpSession *http_session_new(const HttpEvents *events, gpointer user)
{
    HttpSession *session = g_new0(HttpSession, 1);
    OBJ_INIT(session, HTTP_MAGIC);
    http_parser_init(&session->parser, HTTP_REQUEST);
    session->parser.data = session;
    session->events = *events;
    session->user = user;
    session->name = g_string_new(NULL);
    session->value = g_string_new(NULL);
    session->headers = g_byte_array_new();
    return session;
}

void http_session_free(HttpSession *session)
{
    if (session == NULL)
        return;
    forget_request(session);
    g_string_free(session->name, TRUE);
    g_string_free(session->value, TRUE);
    g_byte_array_unref(session->headers);
    OBJ_FINI(session, HTTP_MAGIC);
    g_free(session);
}
