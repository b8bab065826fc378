/* world.h - the driver's side of a factory in virtual time: workers that claim, finish, crash
 * and hang, clients that cancel, a clock that a schedule moves.
 *
 * It does what the factory's actions say as sluiced does (daemon/dispatch/driver.c), and tells
 * the oracle everything that it sees.
 *
 * Thread: one.   Owns: the factory and all that is simulated.                                */
#pragma once
#include "actor/factory/factory.h"
#include "actor/factory/recorder.h"
#include "actor/factory/stats.h"
#include "tests/sim/schedule.h"

#define WORLD_WORKERS 6u /* of the first generation */
#define WORLD_MOST    8u /* of a later one */
#define WORLD_SEATS   (2 * WORLD_MOST)
#define WORLD_JOBS    160u
#define WORLD_NOBODY  G_MAXUINT32

typedef enum { SIM_JOB_NEW, SIM_JOB_WAITS, SIM_JOB_OUT, SIM_JOB_CLAIMED, SIM_JOB_GONE } SimPlace;

typedef struct {
    guint64 id;
    SimPlace place;     /* where the driver has it; ends are another matter */
    guint ends;         /* outcomes told */
    guint32 worker;     /* OUT: for whom (NOBODY: any).  CLAIMED: who has it */
    guint32 generation; /* OUT, CLAIMED: whose ring it is in */
    guint32 share;      /* in which share (world.share) it was handed over; 0: in none */
    guint key;          /* 0: none */
    guint connection;
    guint8 priority;
    gboolean idempotent, no_discard, cancelled, told_started, abandoned;
    gboolean held; /* the rate limit made it wait for its turn */
    guint tries;   /* times it was retried */
    guint32 bytes;
    gint64 deadline_usec, expires_usec, claimed_usec;
    guint64 handed; /* when, among all hand-overs */
} SimJob;

typedef enum { SIM_NONE, SIM_STARTING, SIM_READY } SimWorkerState;

typedef struct {
    SimWorkerState state;
    guint32 incarnation, generation;
    gboolean stopping, killed;
    guint32 job; /* NOBODY: none */
} SimWorker;

typedef struct World World;
struct World {
    Factory *factory;
    FactorySettings settings;
    FactoryActions actions;
    gboolean acting;
    gint64 now_usec;
    SimJob jobs[WORLD_JOBS];
    guint n_jobs;
    SimWorker workers[WORLD_SEATS];
    guint64 hand_overs;
    gint64 drain_deadline_usec; /* 0: no drain */
    guint32 last_generation;    /* that was tried */
    guint32 share, n_shares;    /* a next generation has a share of the jobs; 0: it has none */
    guint32 next;               /* the generation that could get one; 0: none */
    gint64 cut_off_usec;        /* when what the former generation runs is over; 0: not */
    FactoryEventKind event;     /* that is being told */
    guint64 event_job;
    struct Oracle *oracle;
    guint64 *reached; /* counts of actions, then of reasons; or NULL */
};

void world_init(World *world, struct Oracle *oracle, guint64 *reached);
void world_clear(World *world);
void world_play(World *world, const Op *op);
void world_finish(World *world); /* lets everything come to its end, within its deadlines */

void world_settings(FactorySettings *settings, guint32 number); /* drawn from it */
gboolean world_serves(const World *world, guint32 worker);      /* it should be given jobs */
