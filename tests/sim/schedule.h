/* schedule.h - what happens in one simulated run, as a list of operations that can be written
 * down, read, played again and made shorter.
 *
 * Every operation has small numbers for parameters; what they mean depends on how the run
 * stands when it is played ("the third worker that has a job"), so that any part of a schedule
 * is a schedule too, which is what shrinking needs.
 *
 * Thread: one.   Owns: its operations.                                                       */
#pragma once
#include <glib.h>

typedef enum {
#define OP(name, text, weight) OP_##name,
#include "tests/sim/ops.def"
    OPS
} OpKind;

#define OP_PARAMETERS 4

typedef struct {
    OpKind kind;
    guint32 p[OP_PARAMETERS];
} Op;

typedef struct {
    GArray *ops; /* of Op */
} Schedule;

#define SCHEDULE_MOST_OPS 96u

void schedule_init(Schedule *schedule);
void schedule_clear(Schedule *schedule);
/* Replaces what it holds by what this seed gives; always the same. */
void schedule_generate(Schedule *schedule, guint64 seed);

/* A line for each operation: its word and its numbers. */
gchar *schedule_text(const Schedule *schedule);
/* Lines that begin with '#' are comments.  FALSE: says which line is none of its. */
gboolean schedule_read(Schedule *schedule, const gchar *text, GError **error);

/* Makes a schedule that fails shorter, as long as `fails` says that it still does. */
typedef gboolean (*ScheduleFails)(const Schedule *schedule, gpointer user);
void schedule_shrink(Schedule *schedule, ScheduleFails fails, gpointer user);

guint64 sim_random(guint64 *state); /* SplitMix64 */
