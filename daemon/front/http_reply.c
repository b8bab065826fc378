#include "daemon/front/http_reply.h"
#include "actor/ring/headers.h"
#include <http_parser.h>
#include <string.h>

#define DEFAULT_TYPE "application/x-thrift"

GString *http_status(guint status, const gchar *headers, const gchar *text)
{
    const gboolean closes = status >= 400;
    GString *out = g_string_new(NULL);
    g_string_append_printf(out, "HTTP/1.1 %u %s\r\n%s", status,
                           http_status_str((enum http_status)status), headers);
    if (closes)
        g_string_append(out, "Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\n");
    if (status >= 200 && status != HTTP_STATUS_NO_CONTENT)
        g_string_append_printf(out, "Content-Length: %zu\r\n", strlen(text));
    g_string_append_printf(out, "\r\n%s", text);
    return out;
}

gchar *http_cors_lines(const gchar *origin)
{
    if (origin == NULL)
        return g_strdup("");
    return g_strdup_printf("Access-Control-Allow-Origin: %s\r\n"
                           "Access-Control-Expose-Headers: *\r\nVary: Origin\r\n",
                           origin);
}

/* What a handler may not say: it is the connection's, or would be another header. */
static gboolean is_ours(const WireTHeaderPair *pair)
{
    static const gchar *const ours[] = { "connection",        "content-length", "content-type",
                                         "transfer-encoding", "keep-alive",     "upgrade" };
    for (guint i = 0; i < G_N_ELEMENTS(ours); i++)
        if (strlen(ours[i]) == pair->key_bytes &&
            g_ascii_strncasecmp(pair->key, ours[i], pair->key_bytes) == 0)
            return TRUE;
    return FALSE;
}

static gboolean can_be_said(const WireTHeaderPair *pair)
{
    for (gsize i = 0; i < pair->key_bytes; i++)
        if (!g_ascii_isalnum(pair->key[i]) && strchr("!#$%&'*+-.^_`|~", pair->key[i]) == NULL)
            return FALSE;
    for (gsize i = 0; i < pair->value_bytes; i++)
        if (g_ascii_iscntrl(pair->value[i]))
            return FALSE;
    return pair->key_bytes > 0 && !is_ours(pair);
}

static const gchar *asked(const Request *request, const gchar *name)
{
    if (request->headers == NULL)
        return NULL;
    return headers_find(request->headers->data, request->headers->len, name);
}

GString *http_reply_head(const Request *request, const ReplyHeaders *headers, gsize body_bytes)
{
    const gchar *type = asked(request, "content-type");
    g_autofree gchar *cors = http_cors_lines(asked(request, "origin"));
    GString *out = g_string_new("HTTP/1.1 200 OK\r\n");
    g_string_append_printf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n%s",
                           type != NULL ? type : DEFAULT_TYPE, body_bytes, cors);
    if (request->carrier.closes)
        g_string_append(out, "Connection: close\r\n");
    else if (request->carrier.is_http10)
        g_string_append(out, "Connection: keep-alive\r\n");
    for (guint i = 0; i < headers->pairs->len; i++) {
        const WireTHeaderPair *pair = &g_array_index(headers->pairs, WireTHeaderPair, i);
        if (can_be_said(pair))
            g_string_append_printf(out, "%.*s: %.*s\r\n", (int)pair->key_bytes, pair->key,
                                   (int)pair->value_bytes, pair->value);
    }
    return g_string_append(out, "\r\n");
}
