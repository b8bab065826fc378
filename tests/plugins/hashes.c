/* hashes.c - a plugin that tells, as the reason why it does not load, what g_str_hash() is to
 * it.                                                                                       */
#include <sluice/handler.h>

static gboolean load(const SluiceSettings *settings, gpointer *shared, GError **error)
{
    (void)settings, (void)shared;
    g_set_error(error, G_FILE_ERROR, 0, "%u", g_str_hash("a"));
    return FALSE;
}

static ThriftProcessor *worker_start(gpointer shared, gpointer *state, GError **error)
{
    (void)shared, (void)state, (void)error;
    return NULL;
}

SLUICE_PLUGIN(.name = "hashes", .load = load, .worker_start = worker_start);
