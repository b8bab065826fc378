/* no_worker_start.c - has nothing that makes a processor. */
#include <sluice/handler.h>

SLUICE_PLUGIN(.name = "no_worker_start");
