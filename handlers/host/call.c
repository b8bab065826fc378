/* call.c - see call.h. */
#include "handlers/host/call.h"
#include "handlers/host/frame_protocol.h"
#include "handlers/host/method_table.h"
#include <string.h>

struct CallRunner {
    ThriftDispatchProcessor *processor;
    MethodTable *methods;
    ThriftProtocol *protocols[RING_PROTOCOLS];
    gsize leaked_bytes;
};

CallRunner *call_runner_new(ThriftProcessor *processor, GError **error)
{
    g_autoptr(MethodTable) methods = method_table_new(processor, error);
    if (methods == NULL)
        return NULL;
    CallRunner *runner = g_new0(CallRunner, 1);
    runner->processor = g_object_ref(THRIFT_DISPATCH_PROCESSOR(processor));
    runner->methods = g_steal_pointer(&methods);
    for (guint i = 0; i < RING_PROTOCOLS; i++)
        runner->protocols[i] = frame_protocol_new((RingProtocol)i);
    return runner;
}

void call_runner_free(CallRunner *runner)
{
    if (runner == NULL)
        return;
    for (guint i = 0; i < RING_PROTOCOLS; i++)
        g_object_unref(runner->protocols[i]);
    method_table_free(runner->methods);
    g_object_unref(runner->processor);
    g_free(runner);
}

gsize call_runner_leaked_bytes(const CallRunner *runner) { return runner->leaked_bytes; }

/* One call while it runs. */
typedef struct {
    CallRunner *runner;
    const RingCall *call;
    ThriftProtocol *protocol;
    guint8 *area;
    gsize area_bytes;
    RingReply *reply;
} Run;

static void reply_text(Run *run, RingOutcome outcome, const gchar *text)
{
    gsize bytes = strlen(text);
    if (bytes > run->area_bytes) {
        bytes = run->area_bytes;
        while (bytes > 0 && (text[bytes] & 0xc0) == 0x80) /* not inside a UTF-8 character */
            bytes--;
    }
    memcpy(run->area, text, bytes);
    *run->reply =
        (RingReply){ .outcome = outcome, .body = run->area, .body_bytes = (guint32)bytes };
}

/* Generated code never got as far as the handler. */
static void reply_bad_arguments(Run *run, const GError *error)
{
    const gchar *why = frame_protocol_input_error(run->protocol);
    if (why == NULL)
        why = error != NULL ? error->message : "a required argument is missing";
    reply_text(run, RING_BAD_ARGUMENTS, why);
}

/* Generated code ends every message of a method that has a result.  So one that it began
 * for an exception and did not end is what a oneway method does when its handler fails. */
static gboolean is_failed_oneway(const FrameOutput *output)
{
    return output->messages == 1 && output->type == T_EXCEPTION && !output->complete;
}

static const gchar *exception_text(const FrameOutput *output)
{
    if (output->exception_text == NULL || *output->exception_text == '\0')
        return "handler failed without saying why";
    return output->exception_text;
}

/* The client hears nothing of it, so the log does. */
static void finish_oneway(Run *run, const FrameOutput *output)
{
    if (output->messages == 1 && output->type == T_EXCEPTION)
        g_warning("handler.oneway_failed method=%s error=\"%s\"", run->call->method,
                  exception_text(output));
    *run->reply = (RingReply){ .outcome = RING_NO_REPLY };
}

static void reply_broken(Run *run, const FrameOutput *output, const GError *error)
{
    g_warning("handler.broken method=%s messages=%u error=\"%s\"", run->call->method,
              output->messages, error != NULL ? error->message : "");
    reply_text(run, RING_BROKEN_HANDLER, "handler left no usable reply");
}

static void finish(Run *run, gboolean success, const GError *error)
{
    FrameOutput output;
    frame_protocol_output(run->protocol, &output);
    const gboolean wrote_nothing = success && output.messages == 0;
    if (run->call->oneway || wrote_nothing || is_failed_oneway(&output)) {
        finish_oneway(run, &output);
        return;
    }
    if (output.messages == 1 && output.type == T_EXCEPTION) {
        reply_text(run, RING_APP_ERROR, exception_text(&output));
        return;
    }
    if (output.overflow) {
        g_autofree gchar *text =
            g_strdup_printf("the reply is larger than %" G_GSIZE_FORMAT " bytes", run->area_bytes);
        reply_text(run, RING_REPLY_TOO_LARGE, text);
        return;
    }
    if (output.messages != 1 || output.type != T_REPLY || !output.complete) {
        reply_broken(run, &output, error);
        return;
    }
    *run->reply = (RingReply){ .outcome = RING_REPLY,
                               .body = run->area,
                               .body_bytes = (guint32)output.body_bytes };
}

void call_runner_run(CallRunner *runner, const RingCall *call, guint8 *reply_area,
                     gsize reply_capacity, RingReply *reply)
{
    Run run = {
        runner, call, runner->protocols[call->protocol], reply_area, reply_capacity, reply
    };
    MethodFunction function = method_table_find(runner->methods, call->method);
    if (function == NULL) {
        g_autofree gchar *text = g_strdup_printf("Invalid method name: '%s'", call->method);
        reply_text(&run, RING_UNKNOWN_METHOD, text);
        return;
    }

    g_autoptr(GError) error = NULL;
    frame_protocol_begin(run.protocol, call->args, call->args_bytes, reply_area, reply_capacity);
    gboolean success = function(runner->processor, call->seqid, run.protocol, run.protocol, &error);

    const gboolean reached_end = frame_protocol_reached_end(run.protocol);
    if (!reached_end)
        runner->leaked_bytes += call->args_bytes;
    if (!reached_end || frame_protocol_input_error(run.protocol) != NULL) {
        reply_bad_arguments(&run, error);
        return;
    }
    finish(&run, success, error);
    if (success && error != NULL)
        g_warning("handler.error_and_success method=%s error=\"%s\"", call->method, error->message);
}
