/* settings.c - see settings.h and sluice/handler.h. */
#include "handlers/host/settings.h"

#define GROUP "settings"

struct SluiceSettings {
    gchar **keys; /* in the file's order */
    GHashTable *values;
};

SluiceSettings *settings_new(const gchar *text, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    if (!g_key_file_load_from_data(file, text, (gsize)-1, G_KEY_FILE_NONE, error))
        return NULL;

    g_autoptr(SluiceSettings) settings = g_new0(SluiceSettings, 1);
    settings->values = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    settings->keys = g_key_file_get_keys(file, GROUP, NULL, NULL);
    if (settings->keys == NULL)
        settings->keys = g_new0(gchar *, 1);
    for (gchar **key = settings->keys; *key != NULL; key++) {
        g_autoptr(GError) cause = NULL; /* with some of them there is a value all the same */
        g_autofree gchar *value = g_key_file_get_string(file, GROUP, *key, &cause);
        if (cause != NULL) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return NULL;
        }
        g_hash_table_insert(settings->values, *key, g_steal_pointer(&value));
    }
    return g_steal_pointer(&settings);
}

void settings_free(SluiceSettings *settings)
{
    if (settings == NULL)
        return;
    g_hash_table_unref(settings->values);
    g_strfreev(settings->keys);
    g_free(settings);
}

const gchar *sluice_settings_get(const SluiceSettings *settings, const gchar *key)
{
    return g_hash_table_lookup(settings->values, key);
}

gchar **sluice_settings_keys(const SluiceSettings *settings) { return g_strdupv(settings->keys); }
