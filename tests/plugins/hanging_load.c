/* hanging_load.c - its load() does not end. */
#include <sluice/handler.h>
#include <unistd.h>

static gboolean load(const SluiceSettings *settings, gpointer *shared, GError **error)
{
    (void)settings, (void)shared, (void)error;
    while (pause() == -1) {
    }
    return TRUE;
}

static ThriftProcessor *worker_start(gpointer shared, gpointer *state, GError **error)
{
    (void)shared, (void)state, (void)error;
    return NULL;
}

SLUICE_PLUGIN(.name = "hanging_load", .version = "1", .load = load, .worker_start = worker_start);
