/* test_host_fixture.h - a processor, and calls to it as a worker makes them.
 *
 * Arguments are encoded, and replies decoded, with the host's own protocol classes, whose
 * bytes tests/unit/test_protocol_*.c hold against fixed ones.                               */
#pragma once
#include "handlers/host/call.h"
#include "handlers/host/frame_protocol.h"
#include "handlers/host/plugin.h"
#include "handlers/host/settings.h"
#include <check.h>
#include <fcntl.h>
#include <unistd.h>

#define CALLER_BYTES 65536

typedef struct {
    SluiceSettings *settings; /* NULL, as is plugin, when the processor is the test's own */
    Plugin *plugin;
    CallRunner *runner;
    RingProtocol kind;
    ThriftProtocol *codec;
    guint8 args[CALLER_BYTES];
    guint8 area[CALLER_BYTES];
    RingCall call;
    RingReply reply;
} Caller;

/* Takes `processor`. */
static inline Caller *caller_new(ThriftProcessor *processor, RingProtocol kind)
{
    Caller *caller = g_new0(Caller, 1);
    g_autoptr(GError) error = NULL;
    caller->runner = call_runner_new(processor, &error);
    g_object_unref(processor);
    ck_assert_msg(caller->runner != NULL, "%s", error != NULL ? error->message : "");
    caller->kind = kind;
    caller->codec = frame_protocol_new(kind);
    return caller;
}

static inline void caller_free(Caller *caller)
{
    g_object_unref(caller->codec);
    call_runner_free(caller->runner);
    if (caller->plugin != NULL) {
        plugin_stop_worker(caller->plugin);
        plugin_unload(caller->plugin);
        settings_free(caller->settings);
    }
    g_free(caller);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Caller, caller_free)

/* Begins the next call's arguments; write fields to what it returns. */
static inline ThriftProtocol *caller_args(Caller *caller)
{
    frame_protocol_begin(caller->codec, caller->area, 0, caller->args, sizeof caller->args);
    thrift_protocol_write_struct_begin(caller->codec, "args", NULL);
    return caller->codec;
}

static inline gsize caller_end_args(Caller *caller)
{
    FrameOutput output;
    thrift_protocol_write_field_stop(caller->codec, NULL);
    thrift_protocol_write_struct_end(caller->codec, NULL);
    frame_protocol_output(caller->codec, &output);
    ck_assert(!output.overflow);
    return output.body_bytes;
}

/* Runs `method` with the first `args_bytes` bytes of caller->args. */
static inline RingOutcome caller_run(Caller *caller, const gchar *method, gsize args_bytes,
                                     gboolean oneway)
{
    caller->call = (RingCall){ .protocol = caller->kind,
                               .oneway = oneway,
                               .seqid = 7,
                               .deadline_usec = G_MAXINT64,
                               .method = method,
                               .peer = "unix:test",
                               .args = caller->args,
                               .args_bytes = (guint32)args_bytes };
    call_runner_run(caller->runner, &caller->call, caller->area, sizeof caller->area,
                    &caller->reply);
    return caller->reply.outcome;
}

static inline void args_i32(ThriftProtocol *args, gint16 id, gint32 value)
{
    thrift_protocol_write_field_begin(args, "", T_I32, id, NULL);
    thrift_protocol_write_i32(args, value, NULL);
    thrift_protocol_write_field_end(args, NULL);
}

static inline void args_string(ThriftProtocol *args, gint16 id, const gchar *text)
{
    thrift_protocol_write_field_begin(args, "", T_STRING, id, NULL);
    thrift_protocol_write_string(args, text, NULL);
    thrift_protocol_write_field_end(args, NULL);
}

/* Begins to read the reply's body; returns the first field's id, or -1 when it has none. */
static inline gint caller_reply_field(Caller *caller)
{
    gchar *name = NULL;
    ThriftType type;
    gint16 id;
    frame_protocol_begin(caller->codec, caller->reply.body, caller->reply.body_bytes, caller->args,
                         sizeof caller->args);
    thrift_protocol_read_struct_begin(caller->codec, &name, NULL);
    thrift_protocol_read_field_begin(caller->codec, &name, &type, &id, NULL);
    ck_assert_ptr_null(frame_protocol_input_error(caller->codec));
    return type == T_STOP ? -1 : id;
}

static inline gchar *caller_reply_text(const Caller *caller)
{
    return g_strndup((const gchar *)caller->reply.body, caller->reply.body_bytes);
}

/* The plugin at `path` under the build directory. */
static inline Plugin *fixture_load(const gchar *path, const SluiceSettings *settings,
                                   GError **error)
{
    const gchar *build = g_getenv("SLUICE_BUILD");
    ck_assert_msg(build != NULL, "SLUICE_BUILD is not set");
    g_autofree gchar *file = g_build_filename(build, path, NULL);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ck_assert_msg(fd >= 0, "cannot open %s", file);
    g_autofree gchar *name = g_path_get_basename(file);
    Plugin *plugin = plugin_load(fd, name, settings, error);
    close(fd);
    return plugin;
}

/* A worker of the plugin at `path`. */
static inline Caller *caller_of_plugin(const gchar *path, RingProtocol kind)
{
    g_autoptr(GError) error = NULL;
    SluiceSettings *settings = settings_new("", NULL);
    Plugin *plugin = fixture_load(path, settings, &error);
    ck_assert_msg(plugin != NULL, "%s", error != NULL ? error->message : "");
    ThriftProcessor *processor = plugin_start_worker(plugin, &error);
    ck_assert_msg(processor != NULL, "%s", error != NULL ? error->message : "");
    Caller *caller = caller_new(processor, kind);
    caller->settings = settings;
    caller->plugin = plugin;
    return caller;
}
