/* missing_function.c - calls a function that nobody defines: seen at load, not at the call. */
#include <sluice/handler.h>

ThriftProcessor *nobody_defines_this(void);

static ThriftProcessor *worker_start(gpointer shared, gpointer *state, GError **error)
{
    (void)shared, (void)state, (void)error;
    return nobody_defines_this();
}

SLUICE_PLUGIN(.name = "missing_function", .worker_start = worker_start);
