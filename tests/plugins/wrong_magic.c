/* wrong_magic.c - its descriptor does not come from SLUICE_PLUGIN(). */
#include <sluice/handler.h>

extern const SluicePlugin sluice_plugin;
const SluicePlugin sluice_plugin = { .magic = 0x12345678, .abi = SLUICE_PLUGIN_ABI };
