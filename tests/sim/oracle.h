/* oracle.h - what must hold in a simulated run, judged from outside: by what the factory was
 * told, what it did, and what the world knows.
 *
 * Thread: one.   Owns: its verdict.                                                          */
#pragma once
#include "tests/sim/world.h"

typedef struct Oracle {
    GString *broken;                  /* what did not hold; empty while all does */
    gint64 admitted_usec[WORLD_JOBS]; /* since the settings last changed */
    guint n_admitted;
} Oracle;

void oracle_init(Oracle *oracle);
void oracle_clear(Oracle *oracle);
void oracle_reset(Oracle *oracle);

/* In the order of a step: what is done, then what it is like when all is done. */
void oracle_on_action(Oracle *oracle, const World *world, const FactoryAction *action);
void oracle_after_submit(Oracle *oracle, const World *world, const SimJob *job);
void oracle_after_step(Oracle *oracle, const World *world);
void oracle_after_stale(Oracle *oracle, const FactoryStats *before, const World *world);
void oracle_at_end(Oracle *oracle, const World *world);
