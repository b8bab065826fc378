/* method_table.c - see method_table.h. */
#include "handlers/host/method_table.h"

G_DEFINE_QUARK(sluice - method - table - error, method_table_error)

struct MethodTable {
    GHashTable *functions; /* const gchar * -> MethodEntry *, both the plugin's */
};

/* What each level of generated processors adds to its parent's struct: */
typedef struct {
    GObject *handler;
    GHashTable *process_map; /* method's name -> MethodEntry */
} ProcessorLevel;

/* and what it puts into its map. */
typedef struct {
    const gchar *name;
    MethodFunction function;
} MethodEntry;

static gboolean refuse(GError **error, GType type, const gchar *what)
{
    g_set_error(error, METHOD_TABLE_ERROR, METHOD_TABLE_ERROR_LAYOUT,
                "processor %s is not one that thrift 0.17 c_glib makes: %s", g_type_name(type),
                what);
    return FALSE;
}

static gboolean add_entries(MethodTable *table, GType type, GHashTable *map, GError **error)
{
    GHashTableIter iter;
    gpointer name, entry;
    g_hash_table_iter_init(&iter, map);
    while (g_hash_table_iter_next(&iter, &name, &entry)) {
        if (((const MethodEntry *)entry)->name != name)
            return refuse(error, type, "an entry of its process map does not begin with its name");
        if (!g_hash_table_contains(table->functions, name)) /* the derived service's comes first */
            g_hash_table_insert(table->functions, name, entry);
    }
    return TRUE;
}

static gboolean add_level(MethodTable *table, ThriftProcessor *processor, GType type,
                          const GObject *handler, GError **error)
{
    GTypeQuery own, parent;
    g_type_query(type, &own);
    g_type_query(g_type_parent(type), &parent);
    if (own.instance_size != parent.instance_size + sizeof(ProcessorLevel))
        return refuse(error, type, "its struct does not add exactly two pointers to its parent's");

    const ProcessorLevel *level = G_STRUCT_MEMBER_P(processor, parent.instance_size);
    if (level->handler != handler)
        return refuse(error, type, "the first of its two pointers is not the handler");
    if (level->process_map == NULL)
        return refuse(error, type, "it has no process map");
    return add_entries(table, type, level->process_map, error);
}

MethodTable *method_table_new(ThriftProcessor *processor, GError **error)
{
    const GType type = G_OBJECT_TYPE(processor);
    if (!THRIFT_IS_DISPATCH_PROCESSOR(processor) || type == THRIFT_TYPE_DISPATCH_PROCESSOR) {
        refuse(error, type, "it does not derive from ThriftDispatchProcessor");
        return NULL;
    }
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(processor), "handler") == NULL) {
        refuse(error, type, "it has no property \"handler\"");
        return NULL;
    }
    g_autoptr(GObject) handler = NULL;
    g_object_get(processor, "handler", &handler, NULL);
    if (handler == NULL) {
        refuse(error, type, "its property \"handler\" is not set");
        return NULL;
    }

    g_autoptr(MethodTable) table = g_new0(MethodTable, 1);
    table->functions = g_hash_table_new(g_str_hash, g_str_equal);
    for (GType level = type; level != THRIFT_TYPE_DISPATCH_PROCESSOR; level = g_type_parent(level))
        if (!add_level(table, processor, level, handler, error))
            return NULL;
    return g_steal_pointer(&table);
}

void method_table_free(MethodTable *table)
{
    if (table == NULL)
        return;
    g_hash_table_unref(table->functions);
    g_free(table);
}

MethodFunction method_table_find(const MethodTable *table, const gchar *method)
{
    const MethodEntry *entry = g_hash_table_lookup(table->functions, method);
    return entry != NULL ? entry->function : NULL;
}
