/* good.c - does nothing wrong, and writes down what was called in which order.
 *
 * Its load() also starts threads and ends them, which is allowed.                           */
#include <sluice/handler.h>
#include <thrift/c_glib/processor/thrift_multiplexed_processor.h>

static GString *calls; /* the test's */

static gpointer nothing(gpointer unused) { return unused; }

static gboolean load(const SluiceSettings *settings, gpointer *shared, GError **error)
{
    (void)error;
    for (guint i = 0; i < 100; i++)
        g_thread_join(g_thread_new("passing", nothing, NULL));
    calls = GSIZE_TO_POINTER(g_ascii_strtoull(sluice_settings_get(settings, "calls"), NULL, 10));
    g_string_append(calls, "load");
    *shared = g_strdup(sluice_settings_get(settings, "word"));
    return TRUE;
}

static ThriftProcessor *worker_start(gpointer shared, gpointer *state, GError **error)
{
    (void)error;
    *state = g_strdup_printf("state of %s", (const gchar *)shared);
    g_string_append_printf(calls, " start(%s)", (const gchar *)shared);
    return g_object_new(THRIFT_TYPE_MULTIPLEXED_PROCESSOR, NULL);
}

static void worker_stop(gpointer shared, gpointer state)
{
    g_string_append_printf(calls, " stop(%s, %s)", (const gchar *)shared, (const gchar *)state);
    g_free(state);
}

static void unload(gpointer shared)
{
    g_string_append_printf(calls, " unload(%s)", (const gchar *)shared);
    g_free(shared);
}

SLUICE_PLUGIN(.name = "good", .version = "1.2", .flags = SLUICE_PLUGIN_THREAD_SAFE, .load = load,
              .worker_start = worker_start, .worker_stop = worker_stop, .unload = unload);
