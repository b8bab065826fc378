/* load_fails.c - load() says why it cannot. */
#include <sluice/handler.h>

static gboolean load(const SluiceSettings *settings, gpointer *shared, GError **error)
{
    (void)settings, (void)shared;
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "the dictionary is missing");
    return FALSE;
}

static ThriftProcessor *worker_start(gpointer shared, gpointer *state, GError **error)
{
    (void)shared, (void)state, (void)error;
    return NULL;
}

SLUICE_PLUGIN(.name = "load_fails", .load = load, .worker_start = worker_start);
