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
    ServiceCounter counter;
    guint exception;
    gint code;
} verdicts[REASONS] = {
#define VERDICT(reason_, counter_, exception_, code_) \
    [REASON_##reason_] = { CTR_##counter_, WIRE_EXCEPTION_##exception_, code_ },
#include "daemon/dispatch/verdict.def"
};

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
    request->load = -1;
    return request;
}

void request_set_carrier(Request *request, const RequestCarrier *carrier, GByteArray *headers)
{
    request->carrier = *carrier;
    request->headers = headers;
    request->held_bytes += headers != NULL ? headers->len : 0;
}

void request_set_reply_headers(Request *request, const guint8 *block, gsize bytes)
{
    if (request->carrier.kind == CARRIER_NONE || bytes == 0)
        return;
    request->reply_headers = g_byte_array_sized_new((guint)bytes);
    g_byte_array_append(request->reply_headers, block, (guint)bytes);
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
    g_clear_pointer(&request->headers, g_byte_array_unref);
    g_clear_pointer(&request->reply_headers, g_byte_array_unref);
    *request->client.memory->held_bytes -= (gint64)request->reply_bytes;
    g_free(request->reply);
    OBJ_FINI(request, REQUEST_MAGIC);
    g_free(request);
}

static void set_state(Request *request, RequestState next)
{
    OBJ_CHECK(request, REQUEST_MAGIC);
    if (!(request_states[next].from & (1u << request->state)))
        g_error("request %s: no arrow from %s to %s", request->method,
                request_states[request->state].text, request_states[next].text);
    request->state = next;
}

void request_admit(Request *request, guint64 job)
{
    set_state(request, REQUEST_ADMITTED);
    request->job = job;
}

/* The only end of a call. */
static void finish(Request *request, FactoryReason reason)
{
    set_state(request, REQUEST_FINISHED);
    request->reason = reason;
    g_clear_pointer(&request->buffer, g_free); /* a reply may wait long for its turn */
    request->stats->service[verdicts[reason].counter]++;
    if (request->client.finished != NULL)
        request->client.finished(request, request->client.user);
}

static gboolean wants_reply(const Request *request)
{
    return !request->oneway && request->client.finished != NULL;
}

static WireAddress address_of(const Request *request)
{
    return (WireAddress){ request->client.transport, request->protocol, request->seqid,
                          (const guint8 *)request->method, request->method_bytes };
}

static void set_reply(Request *request, guint8 *frame, gsize bytes)
{
    request->reply = frame;
    request->reply_bytes = bytes;
    *request->client.memory->held_bytes += (gint64)bytes;
}

static FactoryReason fail(Request *request, FactoryReason reason, const gchar *text)
{
    request_fail(request, reason, text, -1);
    return reason;
}

static FactoryReason complete(Request *request, guint8 *frame, gsize bytes)
{
    set_reply(request, frame, bytes);
    finish(request, REASON_COMPLETED);
    return REASON_COMPLETED;
}

static FactoryReason answer_in_json(Request *request, const guint8 *body, gsize body_bytes)
{
    const WireAddress to = address_of(request);
    g_autofree guint8 *copy = g_memdup2(body, body_bytes);
    const WireVerdict well_formed = wire_walk_whole_struct(WIRE_BINARY, copy, body_bytes);
    if (well_formed != WIRE_OK)
        return fail(request, REASON_BAD_REPLY, wire_verdict_text(well_formed));
    const gsize bytes = wire_json_reply_bytes(&to, copy, body_bytes);
    if (bytes == 0)
        return fail(request, REASON_BAD_REPLY,
                    "it has what JSON cannot say: a string that is not UTF-8, or a map whose keys "
                    "are structs or containers");
    if (bytes - wire_prefix_bytes(to.transport) > request->max_reply_bytes)
        return fail(request, REASON_REPLY_TOO_LARGE, "it is over max-frame-bytes");
    guint8 *frame = g_malloc(bytes);
    wire_json_reply_write(frame, &to, copy, body_bytes);
    return complete(request, frame, bytes);
}

FactoryReason request_answer(Request *request, const guint8 *body, gsize body_bytes)
{
    const WireAddress to = address_of(request);
    if (!wants_reply(request)) {
        finish(request, REASON_COMPLETED);
        return REASON_COMPLETED;
    }
    if (buffer_memory_is_full(request->client.memory))
        return fail(request, REASON_NO_MEMORY, "buffer-memory is full of unsent replies");
    if (request->protocol == WIRE_JSON)
        return answer_in_json(request, body, body_bytes);
    const gsize head_bytes = wire_reply_head_bytes(&to);
    if (head_bytes - wire_prefix_bytes(to.transport) + body_bytes > request->max_reply_bytes)
        return fail(request, REASON_REPLY_TOO_LARGE, "it is over max-frame-bytes");

    g_autofree guint8 *frame = g_malloc(head_bytes + body_bytes);
    wire_reply_head_write(frame, &to, body_bytes);
    if (body_bytes > 0)
        memcpy(frame + head_bytes, body, body_bytes);
    const WireVerdict well_formed =
        wire_walk_whole_struct(request->protocol, frame + head_bytes, body_bytes);
    if (well_formed != WIRE_OK)
        return fail(request, REASON_BAD_REPLY, wire_verdict_text(well_formed));

    return complete(request, g_steal_pointer(&frame), head_bytes + body_bytes);
}

void request_fail(Request *request, FactoryReason reason, const gchar *text, gssize text_bytes)
{
    g_assert(verdicts[reason].exception != WIRE_EXCEPTION_NONE);
    if (!wants_reply(request)) {
        finish(request, reason);
        return;
    }
    const gsize length = text_bytes < 0 ? strlen(text) : (gsize)text_bytes;
    /* A worker may still write to it: only the copy is looked at. */
    g_autofree gchar *copy = g_strndup(text, MIN(length, TEXT_MAX_BYTES));
    g_autofree gchar *valid = g_utf8_make_valid(copy, -1);
    g_autofree gchar *message = g_strdup_printf("%s: %s", factory_reason_token(reason), valid);
    const WireAddress to = address_of(request);
    const WireException what = { (WireExceptionType)verdicts[reason].exception, message,
                                 strlen(message) };
    const gsize bytes = wire_exception_bytes(&to, &what);
    guint8 *frame = g_malloc(bytes);
    wire_exception_write(frame, &to, &what);
    set_reply(request, frame, bytes);
    finish(request, reason);
}

void request_finish_silently(Request *request) { finish(request, REASON_COMPLETED); }

void request_carry_reply(Request *request, guint8 *frame, gsize bytes)
{
    g_assert(request->state == REQUEST_FINISHED);
    *request->client.memory->held_bytes -= (gint64)request->reply_bytes;
    g_free(request->reply);
    set_reply(request, frame, bytes);
}

gint request_error_code(const Request *request) { return verdicts[request->reason].code; }

Request *request_of_words(guint8 *words, gsize bytes, GRefString *peer, const RequestClient *client)
{
    Request *request = g_new0(Request, 1);
    OBJ_INIT(request, REQUEST_MAGIC);
    request->holders = 1;
    request->client = *client;
    request->peer = g_ref_string_acquire(peer);
    request->state = REQUEST_FINISHED;
    set_reply(request, words, bytes);
    return request;
}
