/* request_context.h - what the sluice_request_ functions of the SDK know of the running call.
 *
 * Thread: a context is the calling thread's between begin and end; other threads see none.
 * Owns:   the reply's headers, until the next begin.                                        */
#pragma once
#include "actor/ring/ring.h"

typedef struct RequestContext RequestContext;

RequestContext *request_context_new(void);
void request_context_free(RequestContext *context); /* not between begin and end */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RequestContext, request_context_free)

/* `call` and `signals` are borrowed until the end. */
void request_context_begin(RequestContext *context, const RingCall *call, RingSignals *signals);

/* Gives the headers that the handler set to `reply`; valid until the next begin. */
void request_context_end(RequestContext *context, RingReply *reply);
