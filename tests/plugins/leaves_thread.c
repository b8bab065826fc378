/* leaves_thread.c - load() starts a thread and does not end it. */
#include <sluice/handler.h>

static gpointer wait_for_ever(gpointer running)
{
    g_async_queue_push(running, running);
    g_autoptr(GAsyncQueue) never = g_async_queue_new();
    return g_async_queue_pop(never);
}

static gboolean load(const SluiceSettings *settings, gpointer *shared, GError **error)
{
    (void)settings, (void)shared, (void)error;
    GAsyncQueue *running = g_async_queue_new();
    g_thread_unref(g_thread_new("straggler", wait_for_ever, running));
    g_async_queue_pop(running);
    return TRUE;
}

static ThriftProcessor *worker_start(gpointer shared, gpointer *state, GError **error)
{
    (void)shared, (void)state, (void)error;
    return NULL;
}

SLUICE_PLUGIN(.name = "leaves_thread", .load = load, .worker_start = worker_start);
