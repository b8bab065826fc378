#include "daemon/dispatch/methods.h"
#include "actor/factory/settings.h"

G_STATIC_ASSERT(CONFIG_MAX_METHODS < FACTORY_MAX_METHODS);

typedef struct {
    gchar *name;
    const MethodConfig *config; /* NULL: none of its own */
    guint64 identity;
} Method;

struct Methods {
    GHashTable *numbers; /* name (borrowed from the table) -> number */
    guint n;
    guint64 next_identity;
    Method table[FACTORY_MAX_METHODS]; /* by number */
};

static void set_name(Methods *methods, guint number, const gchar *name)
{
    Method *method = &methods->table[number];
    if (method->name != NULL)
        g_hash_table_remove(methods->numbers, method->name);
    g_free(method->name);
    method->name = g_strdup(name);
    method->identity = methods->next_identity++;
    g_hash_table_insert(methods->numbers, method->name, GUINT_TO_POINTER(number));
}

/* A new number, or that of a name without settings: there are more than can have some. */
static guint number_for(Methods *methods, const gchar *name)
{
    guint number = GPOINTER_TO_UINT(g_hash_table_lookup(methods->numbers, name));
    if (number != 0)
        return number;
    if (methods->n < FACTORY_MAX_METHODS) {
        number = methods->n++;
    } else {
        for (number = 1; methods->table[number].config != NULL; number++) {
        }
    }
    set_name(methods, number, name);
    return number;
}

void methods_reload(Methods *methods, const ServiceConfig *service)
{
    for (guint i = 0; i < methods->n; i++)
        methods->table[i].config = NULL;
    /* Names that stay first, so that none of them loses its number to a new one. */
    for (guint i = 0; i < service->n_methods; i++) {
        const gchar *name = service->methods[i]->name;
        const guint number = GPOINTER_TO_UINT(g_hash_table_lookup(methods->numbers, name));
        if (number != 0)
            methods->table[number].config = service->methods[i];
    }
    for (guint i = 0; i < service->n_methods; i++)
        methods->table[number_for(methods, service->methods[i]->name)].config = service->methods[i];
}

Methods *methods_new(const ServiceConfig *service)
{
    Methods *methods = g_new0(Methods, 1);
    methods->numbers = g_hash_table_new(g_str_hash, g_str_equal);
    methods->n = 1;
    methods->next_identity = 1;
    methods->table[0].name = g_strdup("");
    methods_reload(methods, service);
    return methods;
}

void methods_free(Methods *methods)
{
    if (methods == NULL)
        return;
    g_hash_table_unref(methods->numbers);
    for (guint i = 0; i < methods->n; i++)
        g_free(methods->table[i].name);
    g_free(methods);
}

const MethodConfig *methods_config(const Methods *methods, const gchar *name, guint *number)
{
    *number = GPOINTER_TO_UINT(g_hash_table_lookup(methods->numbers, name));
    return methods->table[*number].config;
}

gboolean methods_learn(Methods *methods, const gchar *name)
{
    if (methods->n == FACTORY_MAX_METHODS || g_hash_table_contains(methods->numbers, name))
        return FALSE;
    set_name(methods, methods->n++, name);
    return TRUE;
}

guint methods_count(const Methods *methods) { return methods->n; }
const gchar *methods_name(const Methods *methods, guint number)
{
    return methods->table[number].name;
}
const MethodConfig *methods_config_of(const Methods *methods, guint number)
{
    return methods->table[number].config;
}
guint64 methods_identity(const Methods *methods, guint number)
{
    return methods->table[number].identity;
}
