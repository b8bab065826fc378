/* dispatch_state.h - what a dispatch is made of.  Private: of dispatch.c, which has the calls,
 * and changeover.c, which has the reloads. */
#pragma once
#include "daemon/base/obj.h"
#include "daemon/dispatch/dispatch.h"

#define DISPATCH_MAGIC 0x44495350u

typedef enum {
#define STATE(name, text, from) CHANGEOVER_##name,
#include "daemon/dispatch/changeover_state.def"
    CHANGEOVER_STATES
} ChangeoverState;

/* All services on their way from one configuration to the next. */
typedef struct {
    ChangeoverState state;
    Config *next;     /* while one is under way, else NULL */
    GPtrArray *fresh; /* of Service: that only the next configuration has */
    guint n_pending;  /* services whose trial has not come to a result */
} Changeover;

struct Dispatch {
    ObjTag tag;
    Loop *loop;
    Config *config;
    guint generation;      /* of the configuration in force */
    guint last_generation; /* that was tried */
    guint32 frame_bytes;   /* the largest max-frame-bytes so far: calls of old may be waiting */
    GPtrArray *services;   /* of Service, in the order of the configuration */
    GPtrArray *leaving;    /* of Service: not reached any more */
    GPtrArray *gone;       /* of Service: to be freed at the end of the pass */
    GHashTable *by_name;   /* the service's own name -> Service */
    Service *default_service;
    ServiceStats unknown;
    ActorSystem *actors;
    ActorId parent;
    guint n_draining;
    guint64 cut_off;
    gboolean stopping;
    Changeover changeover;
    LoopDeferred bury;
    DispatchEvents events;
    gpointer user;
};

/* dispatch.c */
Service *dispatch_find(const Dispatch *dispatch, const gchar *name); /* NULL: there is none */
Service *dispatch_new_service(Dispatch *dispatch, Config *config, const ServiceConfig *service,
                              guint generation);
void dispatch_index(Dispatch *dispatch); /* the services have changed */

/* changeover.c: events of services */
void changeover_on_trial(Service *service, TrialResult result, const gchar *why, gpointer user);
void changeover_on_settled(Service *service, gpointer user);
void changeover_settle(Dispatch *dispatch); /* something has gone: perhaps the last */
