/* dispatch.h - finds the service that a call is for.
 *
 * A multiplexed call names its service; any other goes to the default one.
 * Thread: the loop's.  Owns: the services.                                                   */
#pragma once
#include "daemon/dispatch/service.h"

typedef struct Dispatch Dispatch;

Dispatch *dispatch_new(Loop *loop, const Config *config, void (*stopped)(gpointer user),
                       gpointer user);
void dispatch_free(Dispatch *dispatch);

void dispatch_start(Dispatch *dispatch);
void dispatch_submit(Dispatch *dispatch, Request *request); /* finishes it now or later */

/* The client side lets go of a request that it no longer waits for. */
void dispatch_client_gone(Dispatch *dispatch, Request *request);

void dispatch_drain(Dispatch *dispatch, gint64 deadline_usec);
gboolean dispatch_is_idle(const Dispatch *dispatch);
gboolean dispatch_is_ready(const Dispatch *dispatch); /* every service can run a call */
void dispatch_stop(Dispatch *dispatch);               /* `stopped` when no process is left */
void dispatch_kill(Dispatch *dispatch);

guint dispatch_n_services(const Dispatch *dispatch);
Service *dispatch_service(const Dispatch *dispatch, guint index);
/* The numbers of calls for services that are not served. */
const ServiceStats *dispatch_unknown_stats(const Dispatch *dispatch);
