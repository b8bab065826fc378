/* load_fails_silently.c - load() does not say why it cannot. */
#include <sluice/handler.h>

static gboolean load(const SluiceSettings *settings, gpointer *shared, GError **error)
{
    (void)settings, (void)shared, (void)error;
    return FALSE;
}

static ThriftProcessor *worker_start(gpointer shared, gpointer *state, GError **error)
{
    (void)shared, (void)state, (void)error;
    return NULL;
}

SLUICE_PLUGIN(.name = "load_fails_silently", .load = load, .worker_start = worker_start);
