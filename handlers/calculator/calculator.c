/* calculator.c - the example handler: implements idl/calculator.thrift.
 *
 * Copy it to begin your own.  From top to bottom: the methods, the class that holds them,
 * what happens once when the plugin is loaded, what happens in each worker, the descriptor. */
#include "calc_calculator.h"
#include <sluice/handler.h>

#define FACT_MAX 20 /* 21! does not fit an i64 */

typedef struct {
    calcCalculatorHandler parent;
} Calculator;
typedef struct {
    calcCalculatorHandlerClass parent;
} CalculatorClass;

GType calculator_get_type(void);
G_DEFINE_TYPE(Calculator, calculator, calc_calculator_handler_get_type())

static gboolean calculator_ping(calcCalculatorIf *self, GError **error)
{
    (void)self, (void)error;
    return TRUE;
}

static gboolean calculator_add(calcCalculatorIf *self, gint32 *result, gint32 a, gint32 b,
                               GError **error)
{
    (void)self, (void)error;
    *result = (gint32)((guint32)a + (guint32)b);
    return TRUE;
}

/* FALSE with the declared exception set is how a method throws it. */
static gboolean calculator_fact(calcCalculatorIf *self, gint64 *result, gint32 n,
                                calcOutOfRange **out_of_range, GError **error)
{
    (void)self, (void)error;
    if (n < 0 || n > FACT_MAX) {
        g_autofree gchar *message = g_strdup_printf("%d is not in 0..%d", n, FACT_MAX);
        *out_of_range = g_object_new(CALC_TYPE_OUT_OF_RANGE, "message", message, NULL);
        return FALSE;
    }
    *result = 1;
    for (gint32 factor = 2; factor <= n; factor++)
        *result *= factor;
    return TRUE;
}

/* An argument that the client left out is NULL. */
static gboolean calculator_echo(calcCalculatorIf *self, GByteArray **result, const GByteArray *data,
                                GError **error)
{
    (void)self, (void)error;
    *result = data != NULL ? g_byte_array_ref((GByteArray *)data) : g_byte_array_new();
    return TRUE;
}

static gboolean calculator_sleep(calcCalculatorIf *self, gint32 msec, GError **error)
{
    (void)self, (void)error;
    if (msec > 0)
        g_usleep((gulong)msec * 1000);
    return TRUE;
}

static gboolean calculator_note(calcCalculatorIf *self, const gchar *text, GError **error)
{
    (void)self, (void)error;
    g_message("note from %s: %s", sluice_request_peer(), text != NULL ? text : "");
    return TRUE;
}

static void calculator_class_init(CalculatorClass *class)
{
    calcCalculatorHandlerClass *methods = &class->parent;
    methods->ping = calculator_ping;
    methods->add = calculator_add;
    methods->fact = calculator_fact;
    methods->echo = calculator_echo;
    methods->sleep = calculator_sleep;
    methods->note = calculator_note;
}

static void calculator_init(Calculator *self) { (void)self; }

static gboolean load(const SluiceSettings *settings, gpointer *shared, GError **error)
{
    (void)shared, (void)error;
    const gchar *greeting = sluice_settings_get(settings, "greeting");
    if (greeting != NULL)
        g_message("greeting: %s", greeting);
    return TRUE;
}

static ThriftProcessor *worker_start(gpointer shared, gpointer *state, GError **error)
{
    (void)shared, (void)state, (void)error;
    g_autoptr(GObject) handler = g_object_new(calculator_get_type(), NULL);
    return g_object_new(CALC_TYPE_CALCULATOR_PROCESSOR, "handler", handler, NULL);
}

SLUICE_PLUGIN(.name = "calculator", .version = "1.0", .load = load, .worker_start = worker_start);
