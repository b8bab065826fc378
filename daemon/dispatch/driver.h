/* driver.h - drives a service's factory: tells it what happens, does what it wants done.
 *
 *   service --submit, cancel, drain--> driver --events--> factory
 *      ^                                 |  ^                |
 *      +-------- ended(request) ---------+  +----actions-----+
 *                                        v  |
 *                                        pool: worker processes
 *
 * The factory decides, the pool does, and this knows what either calls the other's things.
 *
 * Thread: the loop's.
 * Owns:   the factory and the pool.   Borrows: config, service and stats, for its own life.  */
#pragma once
#include "actor/factory/factory.h"
#include "actor/factory/stats.h"
#include "config/config.h"
#include "daemon/dispatch/request.h"
#include "daemon/hosts/pool.h"

typedef struct Driver Driver;

typedef struct {
    /* The call has come to this and is to be answered; `text` says more or is NULL; `value`
     * as in the factory's END. */
    void (*ended)(Request *request, FactoryReason reason, const gchar *text, gint64 value,
                  gpointer user);
    /* A worker's reply: answer with it, and say what that came to.  DEADLINE: it was not run,
     * and `ended` will follow. */
    FactoryReason (*replied)(Request *request, const RingReply *reply, gpointer user);
    void (*drained)(guint64 cut_off, gpointer user); /* the drain has ended; so many ran still */
    void (*stopped)(gpointer user); /* the host's actor has ended: no process is left */
} DriverEvents;

Driver *driver_new(Loop *loop, const Config *config, const ServiceConfig *service,
                   const FactorySettings *settings, ServiceStats *stats, const DriverEvents *events,
                   gpointer user);
void driver_free(Driver *driver); /* NULL is fine */

/* The host becomes a child of that actor: stopping it ends all processes. */
void driver_start(Driver *driver, ActorSystem *actors, ActorId parent);
void driver_submit(Driver *driver, Request *request, const FactoryJob *job);
/* The factory's driver refuses it itself: counted there, and answered by the caller. */
void driver_refused(Driver *driver, FactoryReason reason);
void driver_client_gone(Driver *driver, const Request *request);
void driver_apply(Driver *driver, const FactorySettings *settings);

/* No new calls from now on; those that are in end by then, or are answered then. */
void driver_drain(Driver *driver, gint64 deadline_usec);

gboolean driver_is_ready(const Driver *driver); /* the pool was complete once, and can run a call */
const Factory *driver_factory(const Driver *driver);
const Pool *driver_pool(const Driver *driver);
