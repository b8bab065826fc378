/* wrong_abi.c - built for another ABI. */
#include <sluice/handler.h>

extern const SluicePlugin sluice_plugin;
const SluicePlugin sluice_plugin = { .magic = SLUICE_PLUGIN_MAGIC, .abi = SLUICE_PLUGIN_ABI + 1 };
