/* request_context.c - see request_context.h and sluice/handler.h. */
#include "handlers/host/request_context.h"
#include "actor/ring/headers.h"
#include "handlers/sdk/sluice/handler.h"
#include <string.h>

struct RequestContext {
    const RingCall *call;
    RingSignals *signals;
    GByteArray *reply_headers;
};

/* Generated handler functions have no argument for it. */
static _Thread_local RequestContext *current;

RequestContext *request_context_new(void)
{
    RequestContext *context = g_new0(RequestContext, 1);
    context->reply_headers = g_byte_array_new();
    return context;
}

void request_context_free(RequestContext *context)
{
    if (context == NULL)
        return;
    g_assert(current != context);
    g_byte_array_unref(context->reply_headers);
    g_free(context);
}

void request_context_begin(RequestContext *context, const RingCall *call, RingSignals *signals)
{
    g_assert(current == NULL);
    context->call = call;
    context->signals = signals;
    g_byte_array_set_size(context->reply_headers, 0);
    current = context;
}

void request_context_end(RequestContext *context, RingReply *reply)
{
    g_assert(current == context);
    current = NULL;
    reply->headers = context->reply_headers->data;
    reply->headers_bytes = context->reply_headers->len;
}

gint64 sluice_request_time_left_usec(void)
{
    if (current == NULL || current->call->deadline_usec == G_MAXINT64)
        return G_MAXINT64;
    const gint64 now_usec = g_get_monotonic_time();
    return current->call->deadline_usec > now_usec ? current->call->deadline_usec - now_usec : 0;
}

gboolean sluice_request_is_cancelled(void)
{
    /* relaxed: a flag that carries no other memory with it. */
    return current != NULL &&
           atomic_load_explicit(&current->signals->cancelled, memory_order_relaxed) != 0;
}

/* relaxed, both: times that sluiced looks at now and then. */
void sluice_request_progress(void)
{
    if (current != NULL)
        atomic_store_explicit(&current->signals->progress_usec, g_get_monotonic_time(),
                              memory_order_relaxed);
}

void sluice_request_protect(gint64 usec)
{
    if (current == NULL)
        return;
    const gint64 now_usec = g_get_monotonic_time();
    const gint64 until_usec = now_usec + CLAMP(usec, 0, G_MAXINT64 - now_usec);
    atomic_store_explicit(&current->signals->protect_usec, until_usec, memory_order_relaxed);
}

const gchar *sluice_request_peer(void) { return current != NULL ? current->call->peer : NULL; }

const gchar *sluice_request_method(void) { return current != NULL ? current->call->method : NULL; }

const gchar *sluice_request_header(const gchar *name)
{
    if (current == NULL)
        return NULL;
    return headers_find(current->call->headers, current->call->headers_bytes, name);
}

gboolean sluice_request_set_reply_header(const gchar *name, const gchar *value)
{
    if (current == NULL)
        return FALSE;
    headers_remove(current->reply_headers, name);
    return headers_append(current->reply_headers, name, strlen(name), value, strlen(value));
}
