/* plan.h - a service's configuration as a factory has it.
 *
 * Thread: no state; any thread.                                                              */
#pragma once
#include "actor/factory/settings.h"
#include "config/config.h"

/* Fills all of `settings`.  Methods with settings of their own are numbers 1 and up, in the
 * order of the configuration; `n_methods` counts them, number 0 and those learned since. */
void plan_settings(const ServiceConfig *service, guint n_methods, FactorySettings *settings);
