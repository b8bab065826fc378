#include "config/daemon_checks.h"

/* The words of options.def. */
enum { CLIENT_CERTIFICATE_WORD_NONE = 0 };

static void add(Problems *problems, const ScanGroup *group, const gchar *key, const gchar *what)
{
    const ScanEntry *entry = scan_find_entry(group, key);
    problems_add(problems, entry != NULL ? &entry->place : &group->place, what, NULL);
}

static gboolean has_tls_listener(const Config *config)
{
    for (guint i = 0; i < config->listeners->len; i++)
        if (((const Address *)g_ptr_array_index(config->listeners, i))->is_tls)
            return TRUE;
    return FALSE;
}

void daemon_check(const Config *config, const ScanGroup *group, Problems *problems)
{
    if (has_tls_listener(config) && config->tls_certificate == NULL)
        add(problems, group, "listen", "tls:// needs tls-certificate and tls-key");
    if (config->tls_mixed && config->tls_certificate == NULL)
        add(problems, group, "tls-mixed", "it needs tls-certificate and tls-key");
    if ((config->tls_certificate == NULL) != (config->tls_key == NULL))
        add(problems, group, config->tls_key == NULL ? "tls-certificate" : "tls-key",
            "tls-certificate and tls-key need each other");
    if (config->tls_client_certificate != CLIENT_CERTIFICATE_WORD_NONE &&
        config->tls_client_ca == NULL)
        add(problems, group, "tls-client-certificate", "it needs tls-client-ca");
}
