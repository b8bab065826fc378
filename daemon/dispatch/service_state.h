/* service_state.h - what a service is made of.  Private: of service.c, and of service_poison.c,
 * which has the calls that kill workers. */
#pragma once
#include "daemon/base/obj.h"
#include "daemon/dispatch/service.h"

#define SERVICE_MAGIC 0x53455256u

struct Service {
    ObjTag tag;
    Config *all; /* whose part `config` is */
    const ServiceConfig *config;
    Config *next_all; /* while a reload is under way, else NULL */
    const ServiceConfig *next;
    ServiceStats stats;
    Methods *methods;
    Poison *poison;
    Driver *driver;
    ActorSystem *actors;
    ActorId actor;
    ServiceEvents events;
    gpointer user;
};

static inline Service *service_of(gpointer user) { return OBJ_FROM(Service, user, SERVICE_MAGIC); }

/* service_poison.c */

/* FALSE: it has killed too many, and has been answered. */
gboolean service_passes(Service *service, Request *request);
/* It has come to this: before it is answered, while it still has its arguments. */
void service_note_end(const Service *service, Request *request, FactoryReason reason);
/* DriverEvents.lost. */
void service_on_lost(Request *request, gboolean by_its_fault, gpointer user);
