/* fault.c - which bug a test asked for. */
#include "actor/factory/fault.h"

#ifdef WITH_FAULTS
FactoryFault factory_fault = FAULT_NONE;
#endif
