/* plugin.h - a handler plugin from its file to its end.
 *
 * A plugin is never unmapped: what it registered with GLib (types, quarks, destructors of
 * thread-local data) points into it for good.  Its host process ends soon after it anyway.
 *
 * Thread: load, unload on the host's only thread; start_worker, stop_worker on the worker's.
 * Borrows: the settings, which must outlive the plugin.
 * Errors: each names the file and what is wrong with it.                                    */
#pragma once
#include "handlers/sdk/sluice/handler.h"

typedef struct Plugin Plugin;

typedef enum {
    PLUGIN_ERROR_FILE,       /* not a shared object, or one with symbols missing */
    PLUGIN_ERROR_DESCRIPTOR, /* its sluice_plugin is absent, or not for this host */
    PLUGIN_ERROR_LOAD,       /* its load() failed */
    PLUGIN_ERROR_THREADS,    /* its load() left threads running, which no worker would have */
    PLUGIN_ERROR_WORKER      /* its worker_start() failed */
} PluginError;
#define PLUGIN_ERROR plugin_error_quark()
GQuark plugin_error_quark(void);

/* Maps `image_fd` (borrowed; must stay open as long as the process may load others) and runs
 * the plugin's load().  `file_name` is for messages. */
Plugin *plugin_load(int image_fd, const gchar *file_name, const SluiceSettings *settings,
                    GError **error);

const gchar *plugin_name(const Plugin *plugin);
const gchar *plugin_version(const Plugin *plugin);
SluicePluginFlags plugin_flags(const Plugin *plugin);

/* At most once per process; transfer full. */
ThriftProcessor *plugin_start_worker(Plugin *plugin, GError **error);

/* The processor must have been let go of. */
void plugin_stop_worker(Plugin *plugin);

/* Runs the plugin's unload(), and frees `plugin`. */
void plugin_unload(Plugin *plugin);
