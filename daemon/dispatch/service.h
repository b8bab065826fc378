/* service.h - the calls of one service: what they are to the factory, and what their clients
 * are told in the end.
 *
 * Thread: the loop's.
 * Owns:   the service's driver, its table of methods and its numbers; the configuration that is
 *         in force, and while a reload is under way the next one, by reference.             */
#pragma once
#include "config/config.h"
#include "daemon/dispatch/driver.h"
#include "daemon/dispatch/methods.h"
#include "daemon/dispatch/poison.h"
#include "daemon/dispatch/request.h"

typedef struct Service Service;

typedef struct {
    void (*drained)(Service *service, guint64 cut_off, gpointer user); /* no call is left */
    /* Of the next generation, or of the first of a service on trial. */
    void (*trial)(Service *service, TrialResult result, const gchar *why, gpointer user);
    void (*settled)(Service *service, gpointer user); /* only the present generation is left */
    void (*stopped)(Service *service, gpointer user); /* no process is left */
} ServiceEvents;

/* One generation of a service to be; `service` of host is of its config. */
Service *service_new(Loop *loop, const HostSpec *first, const ServiceEvents *events, gpointer user);
void service_free(Service *service); /* NULL is fine */

/* Spawns its actor, below which its processes are. */
void service_start(Service *service, ActorSystem *actors, ActorId parent, gboolean on_trial);
void service_submit(Service *service, Request *request); /* finishes it now or later */
void service_client_gone(Service *service, Request *request);

/* --- reload: of all services together, see changeover.h ---------------------------------- */

void service_reload(Service *service, const HostSpec *next); /* only when it is settled */
/* FALSE: the next configuration wants no share for it. */
gboolean service_share(Service *service);
/* The next configuration is in force from now on; of a new service, that it stays. */
void service_commit(Service *service, gint64 deadline_usec);
void service_abort(Service *service); /* fine when there is nothing to abort */
gboolean service_is_settled(const Service *service);

/* From now on refuses; what was admitted goes on until the deadline. */
void service_drain(Service *service, gint64 deadline_usec);
/* Its processes end; what lives at the deadline is killed. */
void service_stop(Service *service, gint64 deadline_usec);
gboolean service_is_ready(const Service *service); /* a call can run */

const gchar *service_name(const Service *service);
const ServiceConfig *service_config(const Service *service);
const ServiceStats *service_stats(Service *service); /* as of now */
const Factory *service_factory(const Service *service);
const Methods *service_methods(const Service *service);
Poison *service_poison(const Service *service);
void service_clear_poison(Service *service);
const Pool *service_pool(const Service *service);
const Pool *service_other_pool(const Service *service); /* of a generation that comes or goes */
