/* silent_worker.c - worker_start() fails without saying why. */
#include <sluice/handler.h>

static ThriftProcessor *worker_start(gpointer shared, gpointer *state, GError **error)
{
    (void)shared, (void)state, (void)error;
    return NULL;
}

SLUICE_PLUGIN(.name = "silent_worker", .worker_start = worker_start);
