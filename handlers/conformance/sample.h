/* sample.h - the value that all clients are held against, and what another one lacks.
 *
 * Thread: any; no state.                                                                     */
#pragma once
#include "cnf_conformance.h"

cnfEverything *sample_new(void); /* transfer full */

/* The name of the first field in which they differ, or "". */
const gchar *sample_difference(const cnfEverything *sample, const cnfEverything *other);
