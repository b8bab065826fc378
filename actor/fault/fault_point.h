/* fault_point.h - named places, each before a system call, where a test may ask for a failure.
 *
 *   SLUICE_FAULTS="host.spawn=F__F;accept=_F*"      SLUICE_FAULTS_VISITS=/tmp/x/visits
 *
 * A schedule is read left to right, one letter per visit: F fails, _ passes; a * at its end
 * repeats the letter before it for ever, else every visit past the end passes.  A point that
 * fails leaves in errno what its call would have left: fault_point.def has all of them.
 *
 * The processes of a daemon count visits together, so that "F" is one failure and not one in
 * every process that is started again.  They count in the file of SLUICE_FAULTS_VISITS, one
 * guint32 a point, which is also how a test sees that its point was reached.
 *
 * Without -DWITH_FAULTS the macro is the constant FALSE, and no name of this is in a program.
 * Why not in daemon/base: the ring and the host have system calls too, and include nothing of
 * the daemon's.                                                                             */
#pragma once
#include <glib.h>

typedef enum {
#define POINT(name, text, error, call, promise) FAULT_AT_##name,
#include "actor/fault/fault_point.def"
    FAULT_POINTS
} FaultPoint;

#ifdef WITH_FAULTS
#define FAULT_AT(name) fault_point_hit(FAULT_AT_##name)
gboolean fault_point_hit(FaultPoint point);
#else
#define FAULT_AT(name) (FAULT_AT_##name == FAULT_POINTS) /* never, and checks the name */
#endif
