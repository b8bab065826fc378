/* plugin.c - see plugin.h. */
#include "handlers/host/plugin.h"
#include "handlers/host/threads.h"
#include <gmodule.h>

G_DEFINE_QUARK(sluice - plugin - error, plugin_error)

struct Plugin {
    const SluicePlugin *descriptor; /* in the plugin's own memory */
    gchar *file_name;
    gpointer shared;
    gpointer state; /* of this process's worker */
};

static void plugin_free(Plugin *plugin)
{
    g_free(plugin->file_name);
    g_free(plugin);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plugin, plugin_free)

G_GNUC_PRINTF(4, 5)
static gboolean refuse(GError **error, PluginError code, const gchar *file_name,
                       const gchar *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree gchar *why = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, PLUGIN_ERROR, code, "%s: %s", file_name, why);
    return FALSE;
}

static const gchar *reason(const GError *error)
{
    return error != NULL ? error->message : "failed without saying why";
}

static gboolean check_build(const SluicePlugin *plugin, const gchar *file_name, GError **error)
{
    const PluginError code = PLUGIN_ERROR_DESCRIPTOR;
    if (plugin->magic != SLUICE_PLUGIN_MAGIC)
        return refuse(error, code, file_name,
                      "its symbol sluice_plugin is not one made by SLUICE_PLUGIN()");
    if (plugin->abi != SLUICE_PLUGIN_ABI)
        return refuse(error, code, file_name,
                      "it was built for plugin ABI %u, this sluice-host has ABI %u", plugin->abi,
                      SLUICE_PLUGIN_ABI);
    if (plugin->struct_size != sizeof *plugin)
        return refuse(error, code, file_name,
                      "its descriptor has %u bytes instead of %" G_GSIZE_FORMAT,
                      plugin->struct_size, sizeof *plugin);
    return TRUE;
}

static gboolean check_content(const SluicePlugin *plugin, const gchar *file_name, GError **error)
{
    const PluginError code = PLUGIN_ERROR_DESCRIPTOR;
    const guint32 unknown = plugin->flags & ~(guint32)SLUICE_PLUGIN_THREAD_SAFE;
    if (unknown != 0)
        return refuse(error, code, file_name, "it has the unknown flags 0x%x", unknown);
    if (plugin->name == NULL)
        return refuse(error, code, file_name, "it has no name");
    if (plugin->worker_start == NULL)
        return refuse(error, code, file_name, "it has no worker_start()");
    return TRUE;
}

/* By the descriptor's own path, because that has the image's bytes whatever has happened to
 * the file since.  LOCAL: two plugins' symbols would bind to each other's. */
static const SluicePlugin *open_image(int image_fd, const gchar *file_name, GError **error)
{
    g_autofree gchar *path = g_strdup_printf("/proc/self/fd/%d", image_fd);
    g_autoptr(GError) cause = NULL;
    GModule *module = g_module_open_full(path, G_MODULE_BIND_LOCAL, &cause);
    if (module == NULL) {
        refuse(error, PLUGIN_ERROR_FILE, file_name, "%s", cause->message);
        return NULL;
    }
    g_module_make_resident(module);
    gpointer symbol;
    if (!g_module_symbol(module, "sluice_plugin", &symbol)) {
        refuse(error, PLUGIN_ERROR_DESCRIPTOR, file_name,
               "it has no symbol sluice_plugin; see SLUICE_PLUGIN() in <sluice/handler.h>");
        return NULL;
    }
    return symbol;
}

static gboolean run_load(Plugin *plugin, const SluiceSettings *settings, GError **error)
{
    if (plugin->descriptor->load == NULL)
        return TRUE;
    g_autoptr(GError) cause = NULL;
    if (!plugin->descriptor->load(settings, &plugin->shared, &cause))
        return refuse(error, PLUGIN_ERROR_LOAD, plugin->file_name, "load(): %s", reason(cause));
    return TRUE;
}

Plugin *plugin_load(int image_fd, const gchar *file_name, const SluiceSettings *settings,
                    GError **error)
{
    const SluicePlugin *descriptor = open_image(image_fd, file_name, error);
    if (descriptor == NULL || !check_build(descriptor, file_name, error) ||
        !check_content(descriptor, file_name, error))
        return NULL;

    g_autoptr(Plugin) plugin = g_new0(Plugin, 1);
    plugin->descriptor = descriptor;
    plugin->file_name = g_strdup(file_name);
    if (!run_load(plugin, settings, error))
        return NULL;
    g_autofree gchar *threads = threads_besides_this();
    if (threads != NULL) {
        refuse(error, PLUGIN_ERROR_THREADS, file_name,
               "load() left threads running, which its workers would not have: %s", threads);
        return NULL;
    }
    return g_steal_pointer(&plugin);
}

const gchar *plugin_name(const Plugin *plugin) { return plugin->descriptor->name; }

const gchar *plugin_version(const Plugin *plugin)
{
    return plugin->descriptor->version != NULL ? plugin->descriptor->version : "";
}

SluicePluginFlags plugin_flags(const Plugin *plugin) { return plugin->descriptor->flags; }

ThriftProcessor *plugin_start_worker(Plugin *plugin, GError **error)
{
    g_autoptr(GError) cause = NULL;
    ThriftProcessor *processor =
        plugin->descriptor->worker_start(plugin->shared, &plugin->state, &cause);
    if (processor == NULL)
        refuse(error, PLUGIN_ERROR_WORKER, plugin->file_name, "worker_start(): %s", reason(cause));
    return processor;
}

void plugin_stop_worker(Plugin *plugin)
{
    if (plugin->descriptor->worker_stop != NULL)
        plugin->descriptor->worker_stop(plugin->shared, plugin->state);
}

void plugin_unload(Plugin *plugin)
{
    if (plugin->descriptor->unload != NULL)
        plugin->descriptor->unload(plugin->shared);
    plugin_free(plugin);
}
