/* crash.c - the handler that misbehaves on request: implements idl/crash.thrift.  The methods
 * that end the worker are in ends.c.                                                        */
#include "crash_crash.h"
#include "handlers/crash/ends.h"
#include <sluice/handler.h>
#include <string.h>
#include <unistd.h>

#define CANCEL_POLL_USEC 1000

typedef struct {
    crashCrashHandler parent;
} Crash;
typedef struct {
    crashCrashHandlerClass parent;
} CrashClass;

GType crash_get_type(void);
G_DEFINE_TYPE(Crash, crash, crash_crash_handler_get_type())

static const SluiceSettings *the_settings;

static gboolean crash_ping(crashCrashIf *self, GError **error)
{
    (void)self, (void)error;
    return TRUE;
}

static gboolean crash_pid(crashCrashIf *self, gint32 *result, GError **error)
{
    (void)self, (void)error;
    *result = getpid();
    return TRUE;
}

/* --- outcomes of a call ------------------------------------------------------------------ */

static gboolean crash_garbage(crashCrashIf *self, GByteArray **result, const GByteArray *reply,
                              GError **error)
{
    (void)self, (void)error;
    *result = reply != NULL ? g_byte_array_ref((GByteArray *)reply) : g_byte_array_new();
    return TRUE;
}

/* Stands in for the write function of garbage's result struct.  A byte field's value is the
 * same one byte in every protocol that a handler meets. */
static gint32 write_garbage(ThriftStruct *result, ThriftProtocol *protocol, GError **error)
{
    const GByteArray *bytes = CRASH_CRASH_GARBAGE_RESULT(result)->success;
    for (guint i = 0; i < bytes->len; i++)
        if (thrift_protocol_write_byte(protocol, (gint8)bytes->data[i], error) < 0)
            return -1;
    return (gint32)bytes->len;
}

static crashDeclared *declared_new(gint32 code, const gchar *text)
{
    return g_object_new(CRASH_TYPE_DECLARED, "code", code, "text", text, NULL);
}

static gboolean crash_declared(crashCrashIf *self, gint32 code, const gchar *text,
                               crashDeclared **declared, GError **error)
{
    (void)self, (void)error;
    *declared = declared_new(code, text);
    return FALSE;
}

static gboolean crash_plain_error(crashCrashIf *self, gint32 code, const gchar *text,
                                  GError **error)
{
    (void)self;
    g_set_error_literal(error, g_quark_from_static_string("crash"), code, text != NULL ? text : "");
    return FALSE;
}

static gboolean crash_no_error(crashCrashIf *self, GError **error)
{
    (void)self, (void)error;
    return FALSE;
}

static gboolean crash_error_and_success(crashCrashIf *self, gchar **result, const gchar *text,
                                        GError **error)
{
    *result = g_strdup(text);
    crash_plain_error(self, 0, text, error);
    return TRUE;
}

static gboolean crash_exception_and_success(crashCrashIf *self, crashDeclared **declared,
                                            GError **error)
{
    (void)self, (void)error;
    *declared = declared_new(0, "dropped");
    return TRUE;
}

static gboolean crash_null_struct(crashCrashIf *self, crashDeclared **result, GError **error)
{
    (void)self, (void)error;
    *result = NULL;
    return TRUE;
}

static gboolean crash_null_string(crashCrashIf *self, gchar **result, GError **error)
{
    (void)self, (void)error;
    *result = NULL;
    return TRUE;
}

static gboolean crash_large(crashCrashIf *self, GByteArray **result, gint32 bytes, GError **error)
{
    (void)self, (void)error;
    *result = g_byte_array_new();
    g_byte_array_set_size(*result, (guint)MAX(bytes, 0));
    memset((*result)->data, 'x', (*result)->len);
    return TRUE;
}

static gboolean crash_fail_oneway(crashCrashIf *self, const gchar *text, GError **error)
{
    return crash_plain_error(self, 0, text, error);
}

/* --- what the handler can ask of the SDK ------------------------------------------------- */

static gboolean crash_time_left_usec(crashCrashIf *self, gint64 *result, GError **error)
{
    (void)self, (void)error;
    *result = sluice_request_time_left_usec();
    return TRUE;
}

static gboolean crash_method(crashCrashIf *self, gchar **result, GError **error)
{
    (void)self, (void)error;
    *result = g_strdup(sluice_request_method());
    return TRUE;
}

static gboolean crash_peer(crashCrashIf *self, gchar **result, GError **error)
{
    (void)self, (void)error;
    *result = g_strdup(sluice_request_peer());
    return TRUE;
}

static gboolean crash_setting(crashCrashIf *self, gchar **result, const gchar *key, GError **error)
{
    (void)self, (void)error;
    *result = g_strdup(sluice_settings_get(the_settings, key != NULL ? key : ""));
    return TRUE;
}

static gboolean crash_header(crashCrashIf *self, gchar **result, const gchar *name, GError **error)
{
    (void)self, (void)error;
    *result = g_strdup(sluice_request_header(name != NULL ? name : ""));
    return TRUE;
}

static gboolean crash_set_reply_header(crashCrashIf *self, gboolean *result, const gchar *name,
                                       const gchar *value, GError **error)
{
    (void)self, (void)error;
    *result = name != NULL && value != NULL && sluice_request_set_reply_header(name, value);
    return TRUE;
}

static gboolean crash_get_on(crashCrashIf *self, gint32 msec, gint32 step_msec, GError **error)
{
    (void)self, (void)error;
    for (gint32 rested = 0; rested < msec; rested += MAX(step_msec, 1)) {
        g_usleep((gulong)MAX(step_msec, 1) * 1000);
        sluice_request_progress();
    }
    return TRUE;
}

static gboolean crash_rest_protected(crashCrashIf *self, gint32 msec, gint32 protect_msec,
                                     GError **error)
{
    (void)self, (void)error;
    sluice_request_protect((gint64)protect_msec * 1000);
    g_usleep((gulong)MAX(msec, 0) * 1000);
    return TRUE;
}

static gboolean crash_wait_for_cancel(crashCrashIf *self, gint32 msec, GError **error)
{
    (void)self, (void)error;
    const gint64 give_up_usec = g_get_monotonic_time() + (gint64)msec * 1000;
    while (!sluice_request_is_cancelled() && g_get_monotonic_time() < give_up_usec)
        g_usleep(CANCEL_POLL_USEC);
    if (sluice_request_is_cancelled())
        g_message("cancelled");
    return TRUE;
}

static gboolean crash_log_lines(crashCrashIf *self, gint32 count, const gchar *text, GError **error)
{
    (void)self, (void)error;
    for (gint32 line = 0; line < count; line++)
        g_message("%s", text != NULL ? text : "");
    return TRUE;
}

/* --- the plugin -------------------------------------------------------------------------- */

static void crash_class_init(CrashClass *class)
{
    crashCrashHandlerClass *methods = &class->parent;
#define METHOD(name) methods->name = crash_##name
    METHOD(ping);
    METHOD(pid);
    METHOD(segfault);
    METHOD(do_abort);
    METHOD(do_exit);
    METHOD(overflow_stack);
    METHOD(loop_forever);
    METHOD(leak);
    METHOD(garbage);
    METHOD(scribble);
    METHOD(declared);
    METHOD(plain_error);
    METHOD(no_error);
    METHOD(error_and_success);
    METHOD(exception_and_success);
    METHOD(null_struct);
    METHOD(null_string);
    METHOD(large);
    METHOD(fail_oneway);
    METHOD(time_left_usec);
    METHOD(method);
    METHOD(peer);
    METHOD(setting);
    METHOD(header);
    METHOD(set_reply_header);
    METHOD(get_on);
    METHOD(rest_protected);
    METHOD(wait_for_cancel);
    METHOD(log_lines);
#undef METHOD
    methods->segfault_oneway = crash_segfault;

    ThriftStructClass *garbage = g_type_class_ref(CRASH_TYPE_CRASH_GARBAGE_RESULT);
    garbage->write = write_garbage;
}

static void crash_init(Crash *self) { (void)self; }

static gboolean load(const SluiceSettings *settings, gpointer *shared, GError **error)
{
    (void)shared, (void)error;
    the_settings = settings;
    return TRUE;
}

static ThriftProcessor *worker_start(gpointer shared, gpointer *state, GError **error)
{
    (void)shared, (void)state, (void)error;
    g_autoptr(GObject) handler = g_object_new(crash_get_type(), NULL);
    return g_object_new(CRASH_TYPE_CRASH_PROCESSOR, "handler", handler, NULL);
}

SLUICE_PLUGIN(.name = "crash", .version = "1.0", .load = load, .worker_start = worker_start);
