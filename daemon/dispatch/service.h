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

Service *service_new(Loop *loop, const Config *config, const ServiceConfig *service,
                     void (*stopped)(gpointer user), gpointer user);
void service_free(Service *service); /* NULL is fine */

void service_start(Service *service);
void service_submit(Service *service, Request *request); /* finishes it now or later */
void service_client_gone(Service *service, Request *request);

/* From now on refuses; what was admitted goes on until the deadline. */
void service_drain(Service *service, gint64 deadline_usec);
gboolean service_is_idle(const Service *service);  /* no call is queued or running */
gboolean service_is_ready(const Service *service); /* a call can run */
/* Answers everything that is left, then lets the workers end; `stopped` says when. */
void service_stop(Service *service);
void service_kill(Service *service); /* after service_stop(): no more patience */

const ServiceConfig *service_config(const Service *service);
const ServiceStats *service_stats(Service *service); /* as of now */
const Factory *service_factory(const Service *service);
const Methods *service_methods(const Service *service);
const Pool *service_pool(const Service *service);
