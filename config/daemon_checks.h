/* daemon_checks.h - settings of [daemon] that are good one by one and not together.
 *
 * Thread: one thread.   Each problem is told at the line that an operator would change.      */
#pragma once
#include "config/config.h"
#include "config/problems.h"
#include "config/scan.h"

void daemon_check(const Config *config, const ScanGroup *group, Problems *problems);
