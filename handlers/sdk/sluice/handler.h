/* sluice/handler.h - everything a Sluice handler plugin may use.
 *
 * A plugin is a shared object that implements one Thrift service with the code made by
 * `thrift --gen c_glib` and exports one descriptor with SLUICE_PLUGIN().  It is loaded by
 * sluice-host, a process of its own; calls run in worker processes forked from that one.
 *
 *   sluice-host:   load() --> fork, fork, ...                                --> unload()
 *   each worker:               worker_start() --> call, call, ... --> worker_stop()
 *
 * Thread: every function of this header that concerns a call works on the thread that runs
 *         the handler, and only while it runs; elsewhere it answers as if there were no call.
 * Errors: a handler that returns FALSE with its declared exception set sends that exception.
 *         FALSE with a GError, or with nothing, reaches the client as a TApplicationException
 *         of type INTERNAL_ERROR with the GError's message; its code and domain stay here.
 *         TRUE with a GError set is a success: the error is logged and dropped.  A oneway
 *         method never sends anything back, whatever it returns.
 * Crash:  a handler that crashes, exits or never returns costs its own call: the client gets
 *         a TApplicationException that says so, and the worker is replaced.
 * Log:    use g_message() and friends, or g_log_structured(): lines arrive in sluiced's log
 *         with service, worker and generation.                                             */
#pragma once
#include <glib.h>
#include <thrift/c_glib/processor/thrift_processor.h>

G_BEGIN_DECLS

#define SLUICE_PLUGIN_MAGIC 0x534c5543u /* "SLUC" */
#define SLUICE_PLUGIN_ABI   1u

typedef enum {
    SLUICE_PLUGIN_DEFAULT = 0,
    /* The handler may be called by several threads at once.  Shown by the admin address;
     * a worker of this version runs one call at a time whatever the flag says. */
    SLUICE_PLUGIN_THREAD_SAFE = 1u << 0,
} SluicePluginFlags;

/* The keys of the configuration's [settings NAME] group.  Valid while the plugin is loaded. */
typedef struct SluiceSettings SluiceSettings;

/* The value of `key`, or NULL when the group does not have it.  The string belongs to the
 * settings.  Any thread. */
const gchar *sluice_settings_get(const SluiceSettings *settings, const gchar *key);

/* All keys, in the file's order; free with g_strfreev().  Any thread. */
gchar **sluice_settings_keys(const SluiceSettings *settings);

typedef struct {
    guint32 magic;       /* SLUICE_PLUGIN_MAGIC */
    guint32 abi;         /* SLUICE_PLUGIN_ABI of the header the plugin was built with */
    guint32 struct_size; /* sizeof(SluicePlugin) then */
    guint32 flags;       /* SluicePluginFlags; an unknown bit refuses the plugin */
    const gchar *name;   /* for logs and the admin address; not NULL */
    const gchar *version;

    /* Once per generation, in sluice-host, before any worker exists: read settings, build
     * what all workers share read-only and return it in *shared.  Must end every thread it
     * started, because a fork would not take them along.  FALSE with `error` set: the
     * daemon says why and does not serve the plugin.  May be NULL. */
    gboolean (*load)(const SluiceSettings *settings, gpointer *shared, GError **error);

    /* Once per worker process: the processor that runs its calls (transfer full) and, in
     * *state, what else this worker owns.  NULL with `error` set: the worker did not start.
     * Must not be NULL. */
    ThriftProcessor *(*worker_start)(gpointer shared, gpointer *state, GError **error);

    /* When the worker ends between two calls; not when it crashes or is killed.  The
     * processor has been let go of already.  May be NULL. */
    void (*worker_stop)(gpointer shared, gpointer state);

    /* In sluice-host, after the last worker has ended.  May be NULL. */
    void (*unload)(gpointer shared);
} SluicePlugin;

/* Exports the descriptor:  SLUICE_PLUGIN(.name = "shop", .version = "1.0",
 *                                        .worker_start = shop_worker_start)               */
#define SLUICE_PLUGIN(...)                                                    \
    extern const SluicePlugin sluice_plugin;                                  \
    __attribute__((visibility("default")))                                    \
    const SluicePlugin sluice_plugin = { .magic = SLUICE_PLUGIN_MAGIC,        \
                                         .abi = SLUICE_PLUGIN_ABI,            \
                                         .struct_size = sizeof(SluicePlugin), \
                                         __VA_ARGS__ }

/* --- the call that is running ------------------------------------------------------------ */

/* Time until the caller stops waiting, in microseconds; 0 when it has passed, G_MAXINT64
 * outside a call. */
gint64 sluice_request_time_left_usec(void);

/* TRUE once nobody waits for the answer any more (the client has gone, or the deadline has
 * passed): whatever the handler still does for this call is wasted.  A load from memory. */
gboolean sluice_request_is_cancelled(void);

/* A call that runs for longer than the configuration's stuck-after counts as stuck, and its
 * worker is killed.  progress() says that it gets on: the clock begins again.  protect() says
 * that it may be silent for so long from now (an hour at most): a query that is known to take
 * minutes.  Both cost a store to memory; the caller's deadline stays what it is. */
void sluice_request_progress(void);
void sluice_request_protect(gint64 usec);

/* The client's address as text, "tcp://192.0.2.7:53124" or "unix:pid=4711,uid=1000".
 * Valid until the handler returns; NULL outside a call. */
const gchar *sluice_request_peer(void);

/* The method's name without the service's.  Valid until the handler returns; NULL outside. */
const gchar *sluice_request_method(void);

/* The value of a header that came with the call, by its name in any case; NULL when there
 * is none, as always with transports that carry no headers (framed).  Valid until the
 * handler returns. */
const gchar *sluice_request_header(const gchar *name);

/* Sets a header of the reply (the last value of a name counts); both strings are copied.
 * FALSE when the reply's headers are full (16 KiB in all) or outside a call.  Transports
 * that carry no headers (framed) drop them. */
gboolean sluice_request_set_reply_header(const gchar *name, const gchar *value);

G_END_DECLS
