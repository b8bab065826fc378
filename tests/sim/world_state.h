/* world_state.h - what the parts of the world use of each other. */
#pragma once
#include "tests/sim/oracle.h"
#include "tests/sim/world.h"

#define MSEC 1000

typedef gboolean (*WorkerIs)(const World *world, guint32 worker);
typedef gboolean (*JobIs)(const SimJob *job);

/* world.c */
void world_step(World *world, const FactoryEvent *event);
FactoryEvent world_of_worker(const World *world, FactoryEventKind kind, guint32 worker);
void world_tell_started(World *world, SimJob *job);
guint32 world_choose(const World *world, WorkerIs is, guint n); /* the nth, NOBODY: none is */
SimJob *world_choose_job(World *world, JobIs is, guint n);      /* NULL: none is */
void world_claim(World *world, guint32 worker, gboolean tell);
void world_finish_job(World *world, guint32 worker, guint how);
void world_worker_ends(World *world, guint32 worker, FactoryEnd end);
void world_host_gone(World *world, guint32 generation);

gboolean sim_is_starting(const World *world, guint32 worker);
gboolean sim_lives(const World *world, guint32 worker);
gboolean sim_has_job(const World *world, guint32 worker);
gboolean sim_may_claim(const World *world, guint32 worker);
gboolean sim_is_ending(const World *world, guint32 worker);
gboolean sim_is_there(const SimJob *job);
gboolean sim_is_over(const SimJob *job);
gboolean sim_is_unclaimed(const SimJob *job);
