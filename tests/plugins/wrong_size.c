/* wrong_size.c - its descriptor is shorter than the host's. */
#include <sluice/handler.h>

extern const SluicePlugin sluice_plugin;
const SluicePlugin sluice_plugin = { .magic = SLUICE_PLUGIN_MAGIC,
                                     .abi = SLUICE_PLUGIN_ABI,
                                     .struct_size = 16 };
