#include "handlers/host/worker.h"
#include "actor/ring/ring_worker.h"
#include "handlers/host/call.h"
#include "handlers/host/report.h"
#include "handlers/host/request_context.h"
#include <stdio.h>
#include <unistd.h>

/* Generated readers that give up halfway leak what they hold (a missing required field in a
 * map's value, say), and a client can repeat that.  A worker that may have lost so much
 * asks for a fresh one in its place. */
#define LEAK_BUDGET_BYTES ((gsize)16 << 20)
/* With so much it ends, whether or not somebody comes for it. */
#define LEAK_LIMIT_BYTES (2 * LEAK_BUDGET_BYTES)

/* Nothing depends on it: a wake-up cannot be lost.  Every wait has a limit all the same. */
#define SLEEP_USEC ((gint64)30 * G_USEC_PER_SEC)

typedef struct {
    RingWorker *ring;
    CallRunner *runner;
    RequestContext *context;
    gboolean is_worn; /* and said so */
} Worker;

static void run_call(Worker *worker, const RingCall *call)
{
    RingSignals *signals = ring_worker_signals(worker->ring);
    gsize capacity;
    guint8 *area = ring_worker_reply_area(worker->ring, &capacity);
    RingReply reply = { .outcome = RING_NOT_STARTED };
    if (call->claimed_usec < call->deadline_usec && atomic_load(&signals->cancelled) == 0) {
        request_context_begin(worker->context, call, signals);
        call_runner_run(worker->runner, call, area, capacity, &reply);
        request_context_end(worker->context, &reply);
    }
    ring_worker_finish(worker->ring, &reply);
}

/* Once: it serves on until it is told to stop. */
static void ask_for_successor(Worker *worker)
{
    if (worker->is_worn || call_runner_leaked_bytes(worker->runner) < LEAK_BUDGET_BYTES)
        return;
    worker->is_worn = report_send(LINK_WORN, "malformed calls have made it leak");
}

static void run_calls(Worker *worker)
{
    while (call_runner_leaked_bytes(worker->runner) < LEAK_LIMIT_BYTES) {
        RingCall call;
        ask_for_successor(worker);
        switch (ring_worker_take(worker->ring, &call, SLEEP_USEC)) {
        case RING_TAKEN:
            run_call(worker, &call);
            break;
        case RING_STOP:
            return;
        case RING_NOTHING:
            break;
        }
    }
    g_message("worker ends to give back what malformed calls made it leak");
}

static gboolean start(Worker *worker, Plugin *plugin, const RingGeometry *geometry, guint32 index,
                      guint16 incarnation, GError **error)
{
    ThriftProcessor *processor = plugin_start_worker(plugin, error);
    if (processor == NULL)
        return FALSE;
    worker->runner = call_runner_new(processor, error);
    g_object_unref(processor);
    if (worker->runner == NULL)
        return FALSE;
    worker->context = request_context_new();
    worker->ring =
        ring_worker_new(LINK_FD_SEGMENT, LINK_FD_EVENT, geometry, index, incarnation, error);
    return worker->ring != NULL;
}

/* _exit: what the plugin has registered for the end of a process is the host's, once. */
G_NORETURN static void leave(int status)
{
    fflush(NULL);
    _exit(status);
}

void worker_run(Plugin *plugin, const RingGeometry *geometry, guint32 index, guint16 incarnation)
{
    Worker worker = { 0 };
    g_autoptr(GError) error = NULL;
    report_start(index, incarnation);
    if (!start(&worker, plugin, geometry, index, incarnation, &error)) {
        report_send(LINK_FAILED, error->message);
        leave(1);
    }
    if (!report_send(LINK_READY, NULL))
        leave(1);
    run_calls(&worker);
    ring_worker_free(worker.ring);
    call_runner_free(worker.runner);
    request_context_free(worker.context);
    plugin_stop_worker(plugin);
    leave(0);
}
