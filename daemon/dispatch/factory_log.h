/* factory_log.h - what the log says of a factory's decisions.
 *
 * Thread: the loop's.                                                                        */
#pragma once
#include "actor/factory/factory.h"

/* A line for what an operator wants to know of; nothing for the actions of every call. */
void factory_log(const gchar *service, const Factory *factory, const FactoryAction *action);
