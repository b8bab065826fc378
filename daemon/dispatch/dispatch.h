/* dispatch.h - finds the service that a call is for.
 *
 * A multiplexed call names its service; any other goes to the default one.
 * Thread: the loop's.  Owns: the services.                                                   */
#pragma once
#include "daemon/dispatch/service.h"

typedef struct Dispatch Dispatch;

typedef struct {
    void (*drained)(guint64 cut_off, gpointer user); /* dispatch_drain() has come to its end */
    void (*stopped)(gpointer user);                  /* no process is left */
} DispatchEvents;

Dispatch *dispatch_new(Loop *loop, const Config *config, const DispatchEvents *events,
                       gpointer user);
void dispatch_free(Dispatch *dispatch);

/* The services become children of that actor. */
void dispatch_start(Dispatch *dispatch, ActorSystem *actors, ActorId parent);
void dispatch_submit(Dispatch *dispatch, Request *request); /* finishes it now or later */

/* The client side lets go of a request that it no longer waits for. */
void dispatch_client_gone(Dispatch *dispatch, Request *request);

/* No new calls; those that are in end by then, or are answered then. */
void dispatch_drain(Dispatch *dispatch, gint64 deadline_usec);
gboolean dispatch_is_ready(const Dispatch *dispatch); /* every service can run a call */
/* Answers what is left and stops the services; what lives at the deadline is killed. */
void dispatch_stop(Dispatch *dispatch, ActorSystem *actors, gint64 deadline_usec);

guint dispatch_n_services(const Dispatch *dispatch);
Service *dispatch_service(const Dispatch *dispatch, guint index);
/* The numbers of calls for services that are not served. */
const ServiceStats *dispatch_unknown_stats(const Dispatch *dispatch);
