/* dispatch.h - finds the service that a call is for, and takes all services from one
 * configuration to the next.
 *
 * A multiplexed call names its service; any other goes to the default one.
 *
 *   SETTLED --reload--> PREPARING --all ready--> PREPARED --share--> SHARING --all passed--+
 *      ^                    |                        |                  |                  |
 *      |                    +------- failed ---------+------------------+   PREPARED <-----+
 *      |                                |   abort                             |
 *      +------ old or unwanted gone --- LEAVING <-----------------------------+ commit
 *
 * Thread: the loop's.
 * Owns:   the services.  They hold the configurations that they use by reference.            */
#pragma once
#include "daemon/dispatch/service.h"

typedef struct Dispatch Dispatch;

typedef struct {
    void (*drained)(guint64 cut_off, gpointer user); /* dispatch_drain() has come to its end */
    void (*stopped)(gpointer user);                  /* no process is left */
    /* Of a reload; the receiver does nothing about it from within the event. */
    void (*prepared)(gpointer user); /* every service may change over, or has passed its trial */
    void (*failed)(const gchar *service, const gchar *why, gpointer user); /* abort it: once */
    void (*settled)(gpointer user); /* what was replaced, or not wanted, has ended */
} DispatchEvents;

Dispatch *dispatch_new(Loop *loop, Config *config, const DispatchEvents *events, gpointer user);
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
void dispatch_stop(Dispatch *dispatch, gint64 deadline_usec);

/* --- reload: changeover.c ---------------------------------------------------------------- */

/* Starts the next generation of every service, and the new services, which are not reached
 * yet.  Only when it is settled.  `prepared` or `failed` follows. */
void dispatch_reload(Dispatch *dispatch, Config *next);
/* After `prepared`: services whose next configuration says so get a share of their calls in the
 * new generation; `prepared` or `failed` follows.  FALSE: none says so. */
gboolean dispatch_share(Dispatch *dispatch);
/* From now on everything is as the next configuration says; what the old generations still run
 * at the deadline is cut off. */
void dispatch_commit(Dispatch *dispatch, gint64 deadline_usec);
void dispatch_abort(Dispatch *dispatch);
/* What became of all calls, a line for each service. */
void dispatch_log_totals(const Dispatch *dispatch);
guint dispatch_generation(const Dispatch *dispatch); /* that serves */

guint dispatch_n_services(const Dispatch *dispatch);
Service *dispatch_service(const Dispatch *dispatch, guint index);
/* The numbers of calls for services that are not served. */
const ServiceStats *dispatch_unknown_stats(const Dispatch *dispatch);
