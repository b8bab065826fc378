/* service_checks.h - settings of a service that are good one by one and not together.
 *
 * Thread: one thread.   Each problem is told at the line that an operator would change.      */
#pragma once
#include "config/config.h"
#include "config/problems.h"
#include "config/scan.h"

void service_check(const ServiceConfig *service, const ScanGroup *group, Problems *problems);
void method_check(const MethodConfig *method, const ServiceConfig *service, const ScanGroup *group,
                  Problems *problems);
