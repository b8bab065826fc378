/* driver.h - drives a service's factory: tells it what happens, does what it wants done.
 *
 *   service --submit, cancel, drain--> driver --events--> factory
 *      ^                                 |  ^                |
 *      +-------- ended(request) ---------+  +----actions-----+
 *                                        v  |
 *                           generation, and the next one: worker processes
 *
 * The factory decides, pools do, and this knows what either calls the other's things.
 *
 * Thread: the loop's.
 * Owns:   the factory and the generations.   Borrows: stats, for its own life.               */
#pragma once
#include "actor/factory/factory.h"
#include "actor/factory/stats.h"
#include "config/config.h"
#include "daemon/dispatch/request.h"
#include "daemon/hosts/pool.h"

typedef struct Driver Driver;

/* What has come of a generation on trial: the next one, or the first of a new service. */
typedef enum {
    TRIAL_READY,  /* all its workers are up: it may take over, or get a share */
    TRIAL_PASSED, /* it was good enough with its share */
    TRIAL_FAILED, /* it is not wanted: driver_abort() */
} TrialResult;

typedef struct {
    /* The call has come to this and is to be answered; `text` says more or is NULL; `value`
     * as in the factory's END. */
    void (*ended)(Request *request, FactoryReason reason, const gchar *text, gint64 value,
                  gpointer user);
    /* A worker's reply: answer with it if nobody has, and say what that came to.  DEADLINE: it
     * was not run, and `ended` will follow. */
    FactoryReason (*replied)(Request *request, const RingReply *reply, gpointer user);
    /* Its worker has died, by its fault as far as can be told; what it comes to follows. */
    void (*lost)(Request *request, gboolean by_its_fault, gpointer user);
    void (*drained)(guint64 cut_off, gpointer user); /* the drain has ended; so many ran still */
    void (*trial)(TrialResult result, const gchar *why, gpointer user);
    void (*settled)(gpointer user); /* no generation but the present one is left */
    void (*stopped)(gpointer user); /* no process is left */
} DriverEvents;

Driver *driver_new(Loop *loop, const HostSpec *first, const FactorySettings *settings,
                   ServiceStats *stats, const DriverEvents *events, gpointer user);
void driver_free(Driver *driver); /* NULL is fine */

/* Hosts become children of that actor: stopping it ends all processes.  On trial, the first
 * generation is reported by events.trial, and is not started again when it fails. */
void driver_start(Driver *driver, ActorSystem *actors, ActorId parent, gboolean on_trial);
void driver_submit(Driver *driver, Request *request, const FactoryJob *job);
/* The factory's driver refuses it itself: counted there, and answered by the caller. */
void driver_refused(Driver *driver, FactoryReason reason);
/* Neither it nor another attempt of it shall start; one that runs may end. */
void driver_bar(Driver *driver, const Request *request);
void driver_client_gone(Driver *driver, const Request *request);
void driver_apply(Driver *driver, const FactorySettings *settings);

/* No new calls from now on; those that are in end by then, or are answered then. */
void driver_drain(Driver *driver, gint64 deadline_usec);

/* --- the next generation ----------------------------------------------------------------- */

/* Starts it beside the present one; only when settled.  events.trial says what comes of it. */
void driver_reload(Driver *driver, const HostSpec *next, const FactorySettings *settings);
void driver_share(Driver *driver, const Canary *canary); /* after READY; PASSED or FAILED follow */
/* After READY or PASSED: it takes over, with these settings.  What the old one still runs at
 * the deadline is cut off. */
void driver_swap(Driver *driver, const FactorySettings *settings, gint64 deadline_usec);
void driver_abort(Driver *driver);     /* fine when there is none; settled follows */
void driver_end_trial(Driver *driver); /* of the first generation: it stays */
gboolean driver_is_settled(const Driver *driver);

gboolean driver_is_ready(const Driver *driver); /* the pool was complete once, and can run a call */
const Factory *driver_factory(const Driver *driver);
const Pool *driver_pool(const Driver *driver);       /* of the present generation */
const Pool *driver_other_pool(const Driver *driver); /* one that comes or goes; NULL: none */
const gchar *driver_service(const Driver *driver);
