#include "daemon/front/reply_headers.h"
#include "actor/ring/headers.h"
#include <string.h>

#define TEXT_MAX_BYTES 1024u

static void say(GByteArray *block, const gchar *name, const gchar *value)
{
    /* They are few and short: there is room, whatever a handler has said. */
    const gsize bytes = strnlen(value, TEXT_MAX_BYTES);
    const gboolean said = headers_append(block, name, strlen(name), value, bytes);
    g_assert(said);
}

static void say_number(GByteArray *block, const gchar *name, gint64 number)
{
    gchar text[24];
    g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT, number);
    say(block, name, text);
}

static void say_outcome(GByteArray *block, const Request *request, gint64 now_usec)
{
    const gint code = request_error_code(request);
    if (code >= 0) {
        say_number(block, "ex", code);
        say(block, "uex", factory_reason_token(request->reason));
        say(block, "uexw", factory_reason_text(request->reason));
    }
    const gint64 started_usec = request->started_usec;
    say_number(block, "x-queue-us",
               (started_usec > 0 ? started_usec : now_usec) - request->received_usec);
    if (started_usec > 0)
        say_number(block, "x-service-us", now_usec - started_usec);
    if (request->generation > 0)
        say_number(block, "x-generation", request->generation);
}

static gboolean asks_for_load(const Request *request)
{
    return request->headers != NULL &&
           headers_find(request->headers->data, request->headers->len, "load") != NULL;
}

/* A worker may have written the block: it may end anywhere. */
static void point_to(GArray *pairs, const GByteArray *block)
{
    HeaderCursor cursor = { block->data, block->len };
    const gchar *name, *value;
    while (headers_next(&cursor, &name, &value)) {
        const WireTHeaderPair pair = { name, value, strlen(name), strlen(value) };
        g_array_append_val(pairs, pair);
    }
}

ReplyHeaders reply_headers_of(const Request *request, gboolean is_going_away, gint64 now_usec)
{
    ReplyHeaders headers = { g_array_new(FALSE, FALSE, sizeof(WireTHeaderPair)),
                             g_byte_array_new() };
    say_outcome(headers.own, request, now_usec);
    if (request->load >= 0 && asks_for_load(request))
        say_number(headers.own, "load", request->load);
    if (is_going_away) {
        say(headers.own, "connection", "goaway");
        say(headers.own, ":drain", "true");
    }
    if (request->reply_headers != NULL)
        point_to(headers.pairs, request->reply_headers);
    point_to(headers.pairs, headers.own);
    return headers;
}

void reply_headers_clear(ReplyHeaders *headers)
{
    g_array_unref(headers->pairs);
    g_byte_array_unref(headers->own);
}
