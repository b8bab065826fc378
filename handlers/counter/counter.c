/* counter.c - counters with names: a handler whose calls have a key.  See README.md. */
#include "counter_counter.h"
#include "handlers/counter/table.h"
#include <sluice/handler.h>

#define KEYS_BY_DEFAULT 1024u

typedef struct {
    counterCounterHandler parent;
    Table *table; /* of the host's making, shared by all workers */
} Counter;
typedef struct {
    counterCounterHandlerClass parent;
} CounterClass;

GType counter_get_type(void);
G_DEFINE_TYPE(Counter, counter, counter_counter_handler_get_type())

static Table *table_of(counterCounterIf *self) { return ((Counter *)self)->table; }

/* A name that the client left out is NULL. */
static gint64 *value_of(counterCounterIf *self, const gchar *name, counterFull **full)
{
    gint64 *value = table_value(table_of(self), name != NULL ? name : "");
    if (value == NULL)
        *full = g_object_new(COUNTER_TYPE_FULL, "message",
                             "the name is too long, or there is no room for another", NULL);
    return value;
}

static gboolean counter_slow_add(counterCounterIf *self, gint64 *result, const gchar *name,
                                 gint64 amount, gint32 msec, counterFull **full, GError **error)
{
    (void)error;
    gint64 *value = value_of(self, name, full);
    if (value == NULL)
        return FALSE;
    const gint64 before = *value;
    if (msec > 0)
        g_usleep((gulong)msec * 1000);
    *value = *result = (gint64)((guint64)before + (guint64)amount);
    return TRUE;
}

static gboolean counter_add(counterCounterIf *self, gint64 *result, const gchar *name,
                            gint64 amount, counterFull **full, GError **error)
{
    return counter_slow_add(self, result, name, amount, 0, full, error);
}

static gboolean counter_value(counterCounterIf *self, gint64 *result, const gchar *name,
                              GError **error)
{
    (void)error;
    const gint64 *value = table_find(table_of(self), name != NULL ? name : "");
    *result = value != NULL ? *value : 0;
    return TRUE;
}

static void counter_class_init(CounterClass *class)
{
    counterCounterHandlerClass *methods = &class->parent;
    methods->add = counter_add;
    methods->value = counter_value;
    methods->slow_add = counter_slow_add;
}

static void counter_init(Counter *self) { (void)self; }

static gboolean load(const SluiceSettings *settings, gpointer *shared, GError **error)
{
    const gchar *text = sluice_settings_get(settings, "keys");
    guint64 keys = KEYS_BY_DEFAULT;
    if (text != NULL && !g_ascii_string_to_unsigned(text, 10, 1, TABLE_KEYS_MOST, &keys, error)) {
        g_prefix_error(error, "keys = %s: ", text);
        return FALSE;
    }
    *shared = table_new((guint)keys, error);
    return *shared != NULL;
}

static ThriftProcessor *worker_start(gpointer shared, gpointer *state, GError **error)
{
    (void)state, (void)error;
    g_autoptr(GObject) handler = g_object_new(counter_get_type(), NULL);
    ((Counter *)handler)->table = shared;
    return g_object_new(COUNTER_TYPE_COUNTER_PROCESSOR, "handler", handler, NULL);
}

static void unload(gpointer shared) { table_free(shared); }

SLUICE_PLUGIN(.name = "counter", .version = "1.0", .load = load, .worker_start = worker_start,
              .unload = unload);
