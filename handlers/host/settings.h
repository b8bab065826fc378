/* settings.h - what a plugin finds in its group of the configuration.
 *
 * Thread: immutable once made.                                                              */
#pragma once
#include "handlers/sdk/sluice/handler.h"

/* From the text of a key file with the one group [settings], or with none: no settings. */
SluiceSettings *settings_new(const gchar *text, GError **error);
void settings_free(SluiceSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SluiceSettings, settings_free)
