#include "daemon/front/hosts.h"

struct Hosts {
    GHashTable *counts; /* name -> guint in a pointer */
};

Hosts *hosts_new(void)
{
    Hosts *hosts = g_new0(Hosts, 1);
    hosts->counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return hosts;
}

void hosts_free(Hosts *hosts)
{
    if (hosts == NULL)
        return;
    g_hash_table_unref(hosts->counts);
    g_free(hosts);
}

static guint count_of(Hosts *hosts, const gchar *host)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(hosts->counts, host));
}

static void set_count(Hosts *hosts, const gchar *host, guint count)
{
    if (count == 0)
        g_hash_table_remove(hosts->counts, host);
    else
        g_hash_table_insert(hosts->counts, g_strdup(host), GUINT_TO_POINTER(count));
}

gboolean hosts_enter(Hosts *hosts, const gchar *host, guint most)
{
    const guint count = count_of(hosts, host);
    if (most > 0 && count >= most)
        return FALSE;
    set_count(hosts, host, count + 1);
    return TRUE;
}

void hosts_leave(Hosts *hosts, const gchar *host)
{
    const guint count = count_of(hosts, host);
    g_assert(count > 0);
    set_count(hosts, host, count - 1);
}
