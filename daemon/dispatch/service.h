/* service.h - admits the calls of one service, queues them, hands them to its workers and
 * makes an answer of whatever becomes of them.
 *
 * Thread: the loop's.
 * Owns:   the service's pool of workers, its queue and its numbers.
 * Keeps:  every admitted call in the list by deadline until it is finished.  All calls of a
 *         service have the same time, so that list is in the order of admission.             */
#pragma once
#include "config/config.h"
#include "daemon/dispatch/request.h"
#include "daemon/hosts/pool.h"

typedef struct Service Service;

Service *service_new(Loop *loop, const Config *config, const ServiceConfig *service,
                     void (*stopped)(gpointer user), gpointer user);
void service_free(Service *service); /* NULL is fine */

void service_start(Service *service);
void service_submit(Service *service, Request *request); /* finishes it now or later */
void service_client_gone(Service *service, Request *request);

/* From now on refuses; what was admitted goes on. */
void service_drain(Service *service);
gboolean service_is_idle(const Service *service); /* no call is queued or running */
/* Answers everything that is left, then lets the workers end; `stopped` says when. */
void service_stop(Service *service);
void service_kill(Service *service); /* after service_stop(): no more patience */

const ServiceConfig *service_config(const Service *service);
const ServiceStats *service_stats(const Service *service);
const Pool *service_pool(const Service *service);
