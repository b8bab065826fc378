/* plan.h - a service's configuration as a factory has it.
 *
 * Thread: no state; any thread.                                                              */
#pragma once
#include "actor/factory/settings.h"
#include "config/config.h"
#include "daemon/dispatch/methods.h"

/* Fills all of `settings`; the numbers of methods are those of `methods`. */
void plan_settings(const ServiceConfig *service, const Methods *methods, FactorySettings *settings);
