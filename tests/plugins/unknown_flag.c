/* unknown_flag.c - asks for something that this host does not know. */
#include <sluice/handler.h>

static ThriftProcessor *worker_start(gpointer shared, gpointer *state, GError **error)
{
    (void)shared, (void)state, (void)error;
    return NULL;
}

SLUICE_PLUGIN(.name = "unknown_flag", .flags = 1u << 31, .worker_start = worker_start);
