#include "daemon/front/reply_line.h"
#include <errno.h>

#define REPLIES_PER_SEND 64

static gsize gather(const ReplyLine *line, struct iovec *parts)
{
    gsize n = 0, skip = line->head_sent;
    const GList *link = line->calls.head;
    for (; link != NULL && n < REPLIES_PER_SEND; link = link->next) {
        const Request *request = link->data;
        if (request->state != REQUEST_FINISHED)
            return n;
        if (request->reply_bytes > skip)
            parts[n++] = (struct iovec){ request->reply + skip, request->reply_bytes - skip };
        skip = 0;
    }
    if (link == NULL && line->last_words != NULL && n < REPLIES_PER_SEND)
        parts[n++] = (struct iovec){ line->last_words + skip, line->last_words_bytes - skip };
    return n;
}

/* Lets go of what is out, and of calls without a reply. */
static void retire(ReplyLine *line, gsize sent)
{
    Request *request;
    line->head_sent += sent;
    while ((request = g_queue_peek_head(&line->calls)) != NULL &&
           request->state == REQUEST_FINISHED && line->head_sent >= request->reply_bytes) {
        line->head_sent -= request->reply_bytes;
        line->reply_bytes -= request->reply_bytes;
        g_queue_pop_head(&line->calls);
        request_release(request);
    }
    if (request == NULL && line->last_words != NULL && line->head_sent >= line->last_words_bytes) {
        g_clear_pointer(&line->last_words, g_free);
        line->head_sent = 0;
    }
}

/* One that is partly out has finished, and so stays the head. */
static void overtake(ReplyLine *line, Request *request)
{
    GList *own = g_queue_find(&line->calls, request), *before = line->calls.head;
    while (before != own && ((const Request *)before->data)->state == REQUEST_FINISHED)
        before = before->next;
    if (before == own)
        return;
    g_queue_unlink(&line->calls, own);
    g_queue_insert_before_link(&line->calls, before, own);
}

void reply_line_finished(ReplyLine *line, Request *request)
{
    line->reply_bytes += request->reply_bytes;
    if (request->carrier.may_overtake)
        overtake(line, request);
}

LineResult reply_line_send(ReplyLine *line, Stream *stream, gint64 *sent)
{
    struct iovec parts[REPLIES_PER_SEND];
    for (;;) {
        retire(line, 0);
        const gsize n_parts = gather(line, parts);
        if (n_parts == 0)
            return LINE_WAITS_FOR_CALLS;
        const ssize_t out = stream_send(stream, parts, n_parts);
        if (out < 0 && errno == EAGAIN)
            return LINE_WAITS_FOR_SOCKET;
        if (out < 0 && errno != EINTR)
            return LINE_BROKEN;
        if (out > 0) {
            *sent += out;
            retire(line, (gsize)out);
        }
    }
}

void reply_line_abandon(ReplyLine *line, Dispatch *dispatch)
{
    while (line->calls.length > 0)
        dispatch_client_gone(dispatch, g_queue_pop_head(&line->calls));
    g_clear_pointer(&line->last_words, g_free);
    line->reply_bytes = 0;
}
