#include "daemon/dispatch/request.h"
#include "daemon/wire/reply.h"
#include "daemon/wire/walk.h"
#include <string.h>

#define REQUEST_MAGIC 0x52455155u

/* A handler's error text is its own; the reply that carries it stays small. */
#define TEXT_MAX_BYTES 4096

#define FROM(name) (1u << REQUEST_##name)
static const struct {
    const gchar *text;
    guint from;
} request_states[REQUEST_STATES] = {
#define STATE(name, text_, from_) [REQUEST_##name] = { .text = text_, .from = from_ },
#include "daemon/dispatch/request_state.def"
};
#undef FROM

#define WIRE_EXCEPTION_NONE 0
static const struct {
    const gchar *token;
    ServiceCounter counter;
    guint exception;
} verdicts[VERDICTS] = {
#define VERDICT(name, token_, counter_, exception_) \
    [VERDICT_##name] = { token_, CTR_##counter_, WIRE_EXCEPTION_##exception_ },
#include "daemon/dispatch/verdict.def"
};

const gchar *verdict_token(Verdict verdict) { return verdicts[verdict].token; }

Request *request_new(const WireHead *head, guint8 *buffer, gsize offset, gsize message_bytes,
                     GRefString *peer, const RequestClient *client, gsize max_reply_bytes,
                     gint64 now_usec)
{
    Request *request = g_new0(Request, 1);
    OBJ_INIT(request, REQUEST_MAGIC);
    request->state = REQUEST_RECEIVED;
    request->holders = 1;
    request->client = *client;
    request->protocol = head->protocol;
    request->oneway = head->type == WIRE_ONEWAY;
    request->seqid = head->seqid;
    if (head->service != NULL)
        request->service = g_strndup((const gchar *)head->service, head->service_bytes);
    request->method = g_strndup((const gchar *)head->name, head->name_bytes);
    request->method_bytes = head->name_bytes;
    request->peer = g_ref_string_acquire(peer);
    request->buffer = buffer;
    request->args = buffer + offset + head->body_offset;
    request->args_bytes = message_bytes - head->body_offset;
    request->held_bytes = sizeof *request + message_bytes + head->name_bytes;
    request->max_reply_bytes = max_reply_bytes;
    request->received_usec = now_usec;
    request->waiting.data = request;
    request->unfinished.data = request;
    return request;
}

Request *request_hold(Request *request)
{
    OBJ_CHECK(request, REQUEST_MAGIC);
    request->holders++;
    return request;
}

void request_release(Request *request)
{
    OBJ_CHECK(request, REQUEST_MAGIC);
    g_assert(request->holders > 0);
    if (--request->holders > 0)
        return;
    g_assert(request->state == REQUEST_FINISHED);
    g_free(request->service);
    g_free(request->method);
    g_ref_string_release(request->peer);
    g_free(request->buffer);
    *request->client.memory->held_bytes -= (gint64)request->reply_bytes;
    g_free(request->reply);
    OBJ_FINI(request, REQUEST_MAGIC);
    g_free(request);
}

static void count_state(Request *request, RequestState state, gint by)
{
    if (state == REQUEST_QUEUED) {
        request->stats->service[CTR_QUEUED] += by;
        request->stats->service[CTR_QUEUED_BYTES] += by * (gint64)request->held_bytes;
    } else if (state == REQUEST_RUNNING) {
        request->stats->service[CTR_RUNNING] += by;
    }
}

void request_set_state(Request *request, RequestState next)
{
    OBJ_CHECK(request, REQUEST_MAGIC);
    if (!(request_states[next].from & (1u << request->state)))
        g_error("request %s: no arrow from %s to %s", request->method,
                request_states[request->state].text, request_states[next].text);
    count_state(request, request->state, -1);
    count_state(request, next, 1);
    request->state = next;
}

/* The only end of a call. */
static void finish(Request *request, Verdict verdict)
{
    request_set_state(request, REQUEST_FINISHED);
    g_clear_pointer(&request->buffer, g_free); /* a reply may wait long for its turn */
    request->stats->service[verdicts[verdict].counter]++;
    if (request->client.finished != NULL)
        request->client.finished(request, request->client.user);
}

static gboolean wants_reply(const Request *request)
{
    return !request->oneway && request->client.finished != NULL;
}

static WireAddress address_of(const Request *request)
{
    return (WireAddress){ request->protocol, request->seqid, (const guint8 *)request->method,
                          request->method_bytes };
}

static void set_reply(Request *request, guint8 *frame, gsize bytes)
{
    request->reply = frame;
    request->reply_bytes = bytes;
    *request->client.memory->held_bytes += (gint64)bytes;
}

void request_answer(Request *request, const guint8 *body, gsize body_bytes)
{
    const WireAddress to = address_of(request);
    const gsize head_bytes = wire_reply_head_bytes(&to);
    if (!wants_reply(request)) {
        finish(request, VERDICT_COMPLETED);
        return;
    }
    if (head_bytes - WIRE_FRAME_PREFIX_BYTES + body_bytes > request->max_reply_bytes) {
        request_fail(request, VERDICT_REPLY_TOO_LARGE, "it is over max-frame-bytes", -1);
        return;
    }
    if (buffer_memory_is_full(request->client.memory)) {
        request_fail(request, VERDICT_NO_MEMORY, "buffer-memory is full of unsent replies", -1);
        return;
    }
    g_autofree guint8 *frame = g_malloc(head_bytes + body_bytes);
    wire_reply_head_write(frame, &to, body_bytes);
    if (body_bytes > 0)
        memcpy(frame + head_bytes, body, body_bytes);
    const WireVerdict well_formed =
        wire_walk_whole_struct(request->protocol, frame + head_bytes, body_bytes);
    if (well_formed != WIRE_OK) {
        request_fail(request, VERDICT_BAD_REPLY, wire_verdict_text(well_formed), -1);
        return;
    }
    set_reply(request, g_steal_pointer(&frame), head_bytes + body_bytes);
    finish(request, VERDICT_COMPLETED);
}

void request_fail(Request *request, Verdict verdict, const gchar *text, gssize text_bytes)
{
    g_assert(verdicts[verdict].exception != WIRE_EXCEPTION_NONE);
    if (!wants_reply(request)) {
        finish(request, verdict);
        return;
    }
    const gsize length = text_bytes < 0 ? strlen(text) : (gsize)text_bytes;
    /* A worker may still write to it: only the copy is looked at. */
    g_autofree gchar *copy = g_strndup(text, MIN(length, TEXT_MAX_BYTES));
    g_autofree gchar *valid = g_utf8_make_valid(copy, -1);
    g_autofree gchar *message = g_strdup_printf("%s: %s", verdicts[verdict].token, valid);
    const WireAddress to = address_of(request);
    const WireException what = { (WireExceptionType)verdicts[verdict].exception, message,
                                 strlen(message) };
    const gsize bytes = wire_exception_bytes(&to, &what);
    set_reply(request, g_malloc(bytes), bytes);
    wire_exception_write(request->reply, &to, &what);
    finish(request, verdict);
}

void request_finish_silently(Request *request, Verdict verdict) { finish(request, verdict); }
