/* service.h - the calls of one service: what they are to the factory, and what their clients
 * are told in the end.
 *
 * Thread: the loop's.
 * Owns:   the service's driver, its table of methods and its numbers.                        */
#pragma once
#include "config/config.h"
#include "daemon/dispatch/driver.h"
#include "daemon/dispatch/methods.h"
#include "daemon/dispatch/request.h"

typedef struct Service Service;

typedef struct {
    void (*drained)(guint64 cut_off, gpointer user); /* no call is left; so many were cut off */
    void (*stopped)(gpointer user);                  /* no process is left */
} ServiceEvents;

Service *service_new(Loop *loop, const Config *config, const ServiceConfig *service,
                     const ServiceEvents *events, gpointer user);
void service_free(Service *service); /* NULL is fine */

/* Spawns its actor, below which its processes are. */
ActorId service_start(Service *service, ActorSystem *actors, ActorId parent);
void service_submit(Service *service, Request *request); /* finishes it now or later */
void service_client_gone(Service *service, Request *request);

/* From now on refuses; what was admitted goes on until the deadline. */
void service_drain(Service *service, gint64 deadline_usec);
gboolean service_is_ready(const Service *service); /* a call can run */

const ServiceConfig *service_config(const Service *service);
const ServiceStats *service_stats(Service *service); /* as of now */
const Factory *service_factory(const Service *service);
const Methods *service_methods(const Service *service);
const Pool *service_pool(const Service *service);
