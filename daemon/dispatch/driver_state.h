/* driver_state.h - what a driver is made of.  Private: of driver.c, which has the factory, and
 * generation.c, which has the pools. */
#pragma once
#include "daemon/base/load.h"
#include "daemon/base/obj.h"
#include "daemon/dispatch/driver.h"
#include "daemon/dispatch/generation.h"

#define DRIVER_MAGIC 0x44525652u

struct Driver {
    ObjTag tag;
    Loop *loop;
    gchar *service;
    ServiceStats *stats;
    Factory *factory;
    FactoryActions actions;
    gboolean acting; /* the actions are being done: more come at their end */
    Generation *generations[2];
    guint present;         /* which of them serves */
    gboolean on_trial;     /* the newest one has not shown yet that it can serve */
    gboolean trial_failed; /* and that was told */
    ActorSystem *actors;
    ActorId parent;
    gboolean present_over, other_over; /* no process of it is left */
    LoopDeferred bury;                 /* sees to that, at the end of the pass */
    struct event *timer;
    gint64 timer_usec; /* armed for then; G_MAXINT64: not */
    Load load;
    gint64 next_load_usec;
    DriverEvents events;
    gpointer user;
    gboolean was_ready;
};

/* driver.c, for generation.c */
void driver_step(Driver *driver, const FactoryEvent *event);
/* A host has come to something that a generation on trial must not come to. */
void driver_generation_failed(Driver *driver, const Generation *generation, const gchar *why);
void driver_generation_over(Driver *driver, Generation *generation); /* no process is left */
