/* reply_line.h - the calls of one connection in order, and their replies on the way out.
 *
 *      first                                last
 *   +----------+----------+---------+---------+
 *   | finished | finished | running | finished|   last words
 *   +----------+----------+---------+---------+
 *     ^ head_sent bytes of it are out  ^ waits for the one before it
 *
 * Replies are sent from the requests' own memory, as many as are ready in one system call.
 * Thread: the loop's.   Owns: the client's side of each request in it.                       */
#pragma once
#include "daemon/dispatch/dispatch.h"
#include "daemon/front/stream.h"

typedef struct {
    GQueue calls;       /* of Request */
    gsize reply_bytes;  /* held by the finished ones */
    gsize head_sent;    /* bytes of the first reply that are out */
    guint8 *last_words; /* an error frame for bytes that were no call: goes out last */
    gsize last_words_bytes;
} ReplyLine;

typedef enum { LINE_WAITS_FOR_CALLS, LINE_WAITS_FOR_SOCKET, LINE_BROKEN } LineResult;

static inline gboolean reply_line_is_empty(const ReplyLine *line)
{
    return line->calls.length == 0 && line->last_words == NULL;
}

/* A request in the line has finished: counts its reply, and has it overtake those that have
 * not, if it may. */
void reply_line_finished(ReplyLine *line, Request *request);

/* Sends what can be sent now; adds to *sent. */
LineResult reply_line_send(ReplyLine *line, Stream *stream, gint64 *sent);

/* The client has gone: every call is told. */
void reply_line_abandon(ReplyLine *line, Dispatch *dispatch);
