/* fault.h - named places where a test may ask for a bug.
 *
 * One bug at a time, chosen by setting factory_fault.  Without -DWITH_FAULTS the macro is the
 * constant false and costs nothing. */
#pragma once
#include <glib.h>

typedef enum {
    FAULT_NONE,
#define FAULT_POINT(name, invariant) FAULT_##name,
#include "actor/factory/fault.def"
    FACTORY_FAULTS
} FactoryFault;

#ifdef WITH_FAULTS
extern FactoryFault factory_fault;
#define FAULT(name) (factory_fault == FAULT_##name)
#else
#define FAULT(name) FALSE
#endif
