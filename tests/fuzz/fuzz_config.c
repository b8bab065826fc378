/* fuzz_config.c - a configuration file: a snapshot or an error with words, never both or none. */
#include "config/config.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    g_autofree gchar *text = g_strndup((const gchar *)data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_parse(text, "sluice.conf", &error);
    if ((config == NULL) != (error != NULL) || (error != NULL && error->message[0] == '\0'))
        abort();
    return 0;
}
