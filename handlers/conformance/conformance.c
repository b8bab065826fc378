/* conformance.c - the methods of idl/conformance.thrift. */
#include "handlers/conformance/sample.h"
#include <sluice/handler.h>

typedef struct {
    cnfConformanceHandler parent;
} Conformance;
typedef struct {
    cnfConformanceHandlerClass parent;
} ConformanceClass;

GType conformance_get_type(void);
G_DEFINE_TYPE(Conformance, conformance, cnf_conformance_handler_get_type())

static gboolean base_ping(cnfBaseIf *self, GError **error)
{
    (void)self, (void)error;
    return TRUE;
}

static gboolean base_name(cnfBaseIf *self, gchar **result, GError **error)
{
    (void)self, (void)error;
    *result = g_strdup("conformance");
    return TRUE;
}

/* What stands in a result is replaced, and let go of. */
static gboolean conformance_sample(cnfConformanceIf *self, cnfEverything **result, GError **error)
{
    (void)self, (void)error;
    g_clear_object(result);
    *result = sample_new();
    return TRUE;
}

static gboolean conformance_difference(cnfConformanceIf *self, gchar **result,
                                       const cnfEverything *value, GError **error)
{
    (void)self, (void)error;
    g_autoptr(GObject) sample = G_OBJECT(sample_new());
    *result = g_strdup(sample_difference((cnfEverything *)sample, value));
    return TRUE;
}

static gboolean conformance_echo(cnfConformanceIf *self, cnfEverything **result,
                                 const cnfEverything *value, GError **error)
{
    (void)self, (void)error;
    g_set_object(result, (cnfEverything *)value);
    return TRUE;
}

static gboolean conformance_echo_leaf(cnfConformanceIf *self, cnfLeaf **result, const cnfLeaf *leaf,
                                      GError **error)
{
    (void)self, (void)error;
    g_set_object(result, (cnfLeaf *)leaf);
    return TRUE;
}

static gboolean conformance_echo_painted(cnfConformanceIf *self, cnfPainted **result,
                                         const cnfPainted *painted, GError **error)
{
    (void)self, (void)error;
    g_set_object(result, (cnfPainted *)painted);
    return TRUE;
}

static gboolean conformance_negated(cnfConformanceIf *self, gdouble *result, const gdouble value,
                                    GError **error)
{
    (void)self, (void)error;
    *result = -value;
    return TRUE;
}

static gboolean conformance_refuse(cnfConformanceIf *self, gint32 code, const gchar *why,
                                   cnfRefused **refused, GError **error)
{
    (void)self, (void)error;
    *refused = g_object_new(CNF_TYPE_REFUSED, "code", code, "why", why, NULL);
    return FALSE;
}

static gboolean conformance_note(cnfConformanceIf *self, const gchar *text, GError **error)
{
    (void)self, (void)error;
    g_message("note: %s", text != NULL ? text : "");
    return TRUE;
}

static void conformance_class_init(ConformanceClass *class)
{
    cnfConformanceHandlerClass *methods = &class->parent;
    methods->parent.ping = base_ping;
    methods->parent.name = base_name;
    methods->sample = conformance_sample;
    methods->difference = conformance_difference;
    methods->echo = conformance_echo;
    methods->echo_leaf = conformance_echo_leaf;
    methods->echo_painted = conformance_echo_painted;
    methods->negated = conformance_negated;
    methods->refuse = conformance_refuse;
    methods->note = conformance_note;
}

static void conformance_init(Conformance *self) { (void)self; }

static ThriftProcessor *worker_start(gpointer shared, gpointer *state, GError **error)
{
    (void)shared, (void)state, (void)error;
    g_autoptr(GObject) handler = g_object_new(conformance_get_type(), NULL);
    return g_object_new(CNF_TYPE_CONFORMANCE_PROCESSOR, "handler", handler, NULL);
}

SLUICE_PLUGIN(.name = "conformance", .version = "1.0", .worker_start = worker_start);
