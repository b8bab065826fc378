/* test_host_outcomes.h - the handler of tests/idl/outcomes.thrift: gives back what it gets. */
#pragma once
#include "outcomes_outcomes.h"

typedef struct {
    outcomesOutcomesHandler parent;
} Echo;
typedef struct {
    outcomesOutcomesHandlerClass parent;
} EchoClass;

GType echo_get_type(void);
G_DEFINE_TYPE(Echo, echo, outcomes_outcomes_handler_get_type())

static gboolean echo_item(outcomesBaseIf *self, outcomesItem **result, const outcomesItem *item,
                          GError **error)
{
    (void)self, (void)error;
    g_object_unref(*result);
    *result = g_object_ref((outcomesItem *)item);
    return TRUE;
}

static gboolean echo_note(outcomesBaseIf *self, const gchar *text, GError **error)
{
    (void)self, (void)text, (void)error;
    return TRUE;
}

static gboolean echo_map(outcomesOutcomesIf *self, GHashTable **result, const GHashTable *entries,
                         GError **error)
{
    (void)self, (void)error;
    g_hash_table_unref(*result);
    *result = g_hash_table_ref((GHashTable *)entries);
    return TRUE;
}

static void echo_class_init(EchoClass *class)
{
    class->parent.parent.item = echo_item;
    class->parent.parent.note = echo_note;
    class->parent.words = echo_map;
    class->parent.doubles = echo_map;
    class->parent.kinds = echo_map;
}

static void echo_init(Echo *self) { (void)self; }

static inline ThriftProcessor *echo_processor(void)
{
    g_autoptr(GObject) handler = g_object_new(echo_get_type(), NULL);
    return g_object_new(OUTCOMES_TYPE_OUTCOMES_PROCESSOR, "handler", handler, NULL);
}
