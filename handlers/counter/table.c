/* table.c - open addressing with linear probing; a slot is claimed once and for ever. */
#include "handlers/counter/table.h"
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

typedef enum { SLOT_EMPTY, SLOT_CLAIMED, SLOT_NAMED } SlotState;

typedef struct {
    _Atomic guint32 state; /* NAMED: the name is there, and stays */
    gchar name[TABLE_NAME_MOST];
    gint64 value;
} Slot;

struct Table {
    guint n_slots;
    Slot *slots;
};

Table *table_new(guint keys, GError **error)
{
    g_assert(keys > 0 && keys <= TABLE_KEYS_MOST);
    void *slots =
        mmap(NULL, keys * sizeof(Slot), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (slots == MAP_FAILED) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "cannot map room for %u counters: %s", keys, g_strerror(errno));
        return NULL;
    }
    Table *table = g_new0(Table, 1);
    table->n_slots = keys;
    table->slots = slots;
    return table;
}

void table_free(Table *table)
{
    munmap(table->slots, table->n_slots * sizeof(Slot));
    g_free(table);
}

/* Another process may be writing the name of a slot that it has just claimed.  If it dies there,
 * the slot stays without a name: nobody waits for it for long, and its room is lost. */
static SlotState settled_state(Slot *slot)
{
    enum { PATIENCE = 100000 };
    guint32 state = SLOT_CLAIMED;
    for (guint i = 0; i < PATIENCE && state == SLOT_CLAIMED; i++)
        /* acquire, pairs with the release in claim(): a NAMED slot brings its name. */
        state = atomic_load_explicit(&slot->state, memory_order_acquire);
    return (SlotState)state;
}

static gboolean claim(Slot *slot, const gchar *name)
{
    guint32 empty = SLOT_EMPTY;
    if (!atomic_compare_exchange_strong(&slot->state, &empty, SLOT_CLAIMED))
        return FALSE;
    g_strlcpy(slot->name, name, sizeof slot->name);
    atomic_store_explicit(&slot->state, SLOT_NAMED, memory_order_release);
    return TRUE;
}

static Slot *look_up(Table *table, const gchar *name, gboolean may_claim)
{
    if (strlen(name) >= TABLE_NAME_MOST)
        return NULL;
    const guint from = g_str_hash(name);
    for (guint i = 0; i < table->n_slots; i++) {
        Slot *slot = &table->slots[(from + i) % table->n_slots];
        SlotState state = settled_state(slot);
        if (state == SLOT_EMPTY && !may_claim)
            return NULL;
        if (state == SLOT_EMPTY && claim(slot, name))
            return slot;
        state = settled_state(slot); /* it may have been claimed by another just now */
        if (state == SLOT_NAMED && g_str_equal(slot->name, name))
            return slot;
    }
    return NULL;
}

gint64 *table_value(Table *table, const gchar *name)
{
    Slot *slot = look_up(table, name, TRUE);
    return slot != NULL ? &slot->value : NULL;
}

const gint64 *table_find(Table *table, const gchar *name)
{
    Slot *slot = look_up(table, name, FALSE);
    return slot != NULL ? &slot->value : NULL;
}
