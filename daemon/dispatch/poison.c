#include "daemon/dispatch/poison.h"
#include "daemon/base/random.h"
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#define DOUBLINGS_MOST 6u /* of poison-time */

typedef struct {
    PoisonPrint print;
    gchar *method;
    guint deaths, recent; /* recent: since first_usec */
    guint doublings;
    guint64 refused;
    gint64 first_usec, last_usec;
    gint64 until_usec; /* refused until then; 0: it is only suspected */
    gboolean on_trial;
} Entry;

struct Poison {
    GPtrArray *entries; /* of Entry, who died longest ago first */
};

static void entry_free(gpointer data)
{
    Entry *entry = data;
    g_free(entry->method);
    g_free(entry);
}

Poison *poison_new(void)
{
    Poison *poison = g_new(Poison, 1);
    poison->entries = g_ptr_array_new_with_free_func(entry_free);
    return poison;
}

void poison_free(Poison *poison)
{
    if (poison == NULL)
        return;
    g_ptr_array_unref(poison->entries);
    g_free(poison);
}

/* --- knowing a call again ---------------------------------------------------------------- */

/* Clients choose arguments: without the secret they could find some that hit another's. */
PoisonPrint poison_print(const gchar *method, guint protocol, const guint8 *args, gsize bytes)
{
    static guint64 secret;
    if (secret == 0)
        secret = random_secret();
    const guint64 seed = XXH3_64bits_withSeed(method, strlen(method), secret + protocol);
    const XXH128_hash_t hash = XXH3_128bits_withSeed(args, bytes, seed);
    return (PoisonPrint){ hash.high64, hash.low64 | 1 };
}

gboolean poison_print_is_none(PoisonPrint print) { return print.high == 0 && print.low == 0; }

static Entry *find(const Poison *poison, PoisonPrint print)
{
    for (guint i = 0; i < poison->entries->len; i++) {
        Entry *entry = g_ptr_array_index(poison->entries, i);
        if (entry->print.high == print.high && entry->print.low == print.low)
            return entry;
    }
    return NULL;
}

gboolean poison_is_empty(const Poison *poison) { return poison->entries->len == 0; }

/* --- verdicts ---------------------------------------------------------------------------- */

PoisonVerdict poison_check(Poison *poison, PoisonPrint print, gint64 now_usec, gint64 *wait_usec,
                           guint *deaths)
{
    Entry *entry = find(poison, print);
    if (entry == NULL || entry->until_usec == 0)
        return POISON_PASS;
    if (now_usec >= entry->until_usec && !entry->on_trial) {
        entry->on_trial = TRUE;
        return POISON_TRIAL;
    }
    entry->refused++;
    *wait_usec = MAX(entry->until_usec - now_usec, 0);
    *deaths = entry->deaths;
    return POISON_REFUSE;
}

static Entry *remember(Poison *poison, PoisonPrint print, const gchar *method, gint64 now_usec)
{
    Entry *entry = find(poison, print);
    if (entry != NULL) { /* to the end: it died last */
        g_ptr_array_set_free_func(poison->entries, NULL);
        g_ptr_array_remove(poison->entries, entry);
        g_ptr_array_set_free_func(poison->entries, entry_free);
    } else {
        entry = g_new0(Entry, 1);
        entry->print = print;
        entry->method = g_strdup(method);
        entry->first_usec = now_usec;
    }
    g_ptr_array_add(poison->entries, entry);
    if (poison->entries->len > POISON_ENTRIES_MAX)
        g_ptr_array_remove_index(poison->entries, 0);
    return entry;
}

gboolean poison_killed(Poison *poison, const PoisonRules *rules, PoisonPrint print,
                       const gchar *method, gint64 now_usec)
{
    if (rules->after == 0)
        return FALSE;
    Entry *entry = remember(poison, print, method, now_usec);
    if (now_usec - entry->first_usec > rules->window_usec && entry->until_usec == 0) {
        entry->first_usec = now_usec;
        entry->recent = 0;
    }
    entry->deaths++;
    entry->recent++;
    entry->last_usec = now_usec;
    if (entry->until_usec == 0 && entry->recent < rules->after)
        return FALSE;
    /* A call that ran in another worker all the while makes it no worse. */
    if (entry->on_trial)
        entry->doublings = MIN(entry->doublings + 1, DOUBLINGS_MOST);
    entry->on_trial = FALSE;
    entry->until_usec = now_usec + (rules->time_usec << entry->doublings);
    return TRUE;
}

void poison_ended(Poison *poison, PoisonPrint print, gboolean well)
{
    Entry *entry = find(poison, print);
    if (entry == NULL || !entry->on_trial)
        return;
    if (well)
        g_ptr_array_remove(poison->entries, entry);
    else
        entry->on_trial = FALSE;
}

guint poison_clear(Poison *poison)
{
    const guint n = poison->entries->len;
    g_ptr_array_set_size(poison->entries, 0);
    return n;
}

/* --- for the admin address --------------------------------------------------------------- */

guint poison_count(const Poison *poison) { return poison->entries->len; }

PoisonView poison_view(const Poison *poison, guint index)
{
    const Entry *entry = g_ptr_array_index(poison->entries, index);
    return (PoisonView){ entry->method, entry->deaths, entry->refused, entry->last_usec,
                         entry->until_usec };
}
