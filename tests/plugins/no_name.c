/* no_name.c - has no name. */
#include <sluice/handler.h>

static ThriftProcessor *worker_start(gpointer shared, gpointer *state, GError **error)
{
    (void)shared, (void)state, (void)error;
    return NULL;
}

SLUICE_PLUGIN(.worker_start = worker_start);
