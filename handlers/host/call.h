/* call.h - runs one call of a plugin's processor and says what became of it.
 *
 * Whatever the arguments' bytes and the handler do, short of ending the process, there is
 * exactly one outcome; see RingOutcome.  A oneway method that ran has no body, whether the
 * client sent it as T_ONEWAY or, as Go's does, as T_CALL; one that could not run has the
 * reason, which is for the log and the counters only.
 *
 * Thread: one thread at a time per object.
 * Owns:   a reference to the processor, and protocol objects that serve all its calls.      */
#pragma once
#include "actor/ring/ring.h"
#include <thrift/c_glib/processor/thrift_processor.h>

typedef struct CallRunner CallRunner;

/* NULL with `error` when the processor is not as generated code makes it.  Takes a reference. */
CallRunner *call_runner_new(ThriftProcessor *processor, GError **error);
void call_runner_free(CallRunner *runner); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CallRunner, call_runner_free)

/* Fills in outcome and body; the body, if there is one, begins at `reply_area`.  A text that
 * does not fit is cut.  The headers are set to none. */
void call_runner_run(CallRunner *runner, const RingCall *call, guint8 *reply_area,
                     gsize reply_capacity, RingReply *reply);

/* What the calls so far may have leaked at most, beyond what this code could prevent:
 * generated readers that give up halfway drop what they hold. */
gsize call_runner_leaked_bytes(const CallRunner *runner);
