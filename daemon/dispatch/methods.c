#include "daemon/dispatch/methods.h"
#include "actor/factory/settings.h"

G_STATIC_ASSERT(CONFIG_MAX_METHODS < FACTORY_MAX_METHODS);

struct Methods {
    const ServiceConfig *service;
    GHashTable *numbers; /* name (borrowed from names) -> number */
    GPtrArray *names;    /* by number */
};

static void add(Methods *methods, const gchar *name)
{
    gchar *copy = g_strdup(name);
    g_hash_table_insert(methods->numbers, copy, GUINT_TO_POINTER(methods->names->len));
    g_ptr_array_add(methods->names, copy);
}

Methods *methods_new(const ServiceConfig *service)
{
    Methods *methods = g_new0(Methods, 1);
    methods->service = service;
    methods->numbers = g_hash_table_new(g_str_hash, g_str_equal);
    methods->names = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(methods->names, g_strdup(""));
    for (guint i = 0; i < service->n_methods; i++)
        add(methods, service->methods[i]->name);
    return methods;
}

void methods_free(Methods *methods)
{
    if (methods == NULL)
        return;
    g_hash_table_unref(methods->numbers);
    g_ptr_array_unref(methods->names);
    g_free(methods);
}

const MethodConfig *methods_config(const Methods *methods, const gchar *name, guint *number)
{
    *number = GPOINTER_TO_UINT(g_hash_table_lookup(methods->numbers, name));
    return *number > 0 && *number <= methods->service->n_methods
               ? methods->service->methods[*number - 1]
               : NULL;
}

gboolean methods_learn(Methods *methods, const gchar *name)
{
    if (methods->names->len == FACTORY_MAX_METHODS || g_hash_table_contains(methods->numbers, name))
        return FALSE;
    add(methods, name);
    return TRUE;
}

guint methods_count(const Methods *methods) { return methods->names->len; }
const gchar *methods_name(const Methods *methods, guint number)
{
    return methods->names->pdata[number];
}
