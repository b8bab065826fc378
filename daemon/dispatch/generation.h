/* generation.h - one generation of a service's workers, as its driver sees it.
 *
 *   driver --hand, recall, spawn...--> generation --> pool: worker processes
 *   driver <------ driver_step() ------ generation <---+
 *
 * A service has one generation, and a second one beside it while a reload is under way: each has
 * a place, 0 or 1, and the factory's worker numbers of that parity.
 *
 * Thread: the loop's.
 * Owns:   its pool, and a reference to the configuration that it was made from.              */
#pragma once
#include "actor/factory/factory.h"
#include "config/config.h"
#include "daemon/dispatch/request.h"
#include "daemon/hosts/pool.h"

typedef struct Generation Generation;
typedef struct Driver Driver;

/* `config` and `service`, which is of it, are held by reference. */
Generation *generation_new(Driver *driver, guint place, const HostSpec *spec, ServiceStats *stats);
void generation_free(
    Generation *generation); /* NULL is fine; not from within an event of its own */

void generation_start(Generation *generation, ActorSystem *actors, ActorId parent);
void generation_stop(Generation *generation); /* its processes end; driver_generation_over() */

void generation_hand(Generation *generation, Request *request, guint32 worker);
/* Either way the factory hears of it at once: RETURNED, or who has it. */
void generation_recall(Generation *generation, Request *request);
void generation_act_on_worker(Generation *generation, const FactoryAction *action);

guint generation_number(const Generation *generation);
Pool *generation_pool(const Generation *generation);
/* Why the worker whose end is being told ended; NULL: none is. */
const gchar *generation_obituary(const Generation *generation);
