/* hanging_worker.c - its worker_start() does not end. */
#include <sluice/handler.h>
#include <unistd.h>

static ThriftProcessor *worker_start(gpointer shared, gpointer *state, GError **error)
{
    (void)shared, (void)state, (void)error;
    while (pause() == -1) {
    }
    return NULL;
}

SLUICE_PLUGIN(.name = "hanging_worker", .version = "1", .worker_start = worker_start);
