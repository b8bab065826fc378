/* options.h - options.def as tables: of the daemon's settings, a service's and a method's.
 *
 * Thread: constant tables; any thread may read them.
 * Owns:   nothing; what it fills belongs to the struct whose fields it fills.                 */
#pragma once
#include "config/value.h"
#include <glib.h>

typedef enum { OPTION_LIVE, OPTION_GENERATION, OPTION_RESTART } OptionWhen;

typedef struct {
    const gchar *key;
    ValueRule rule;
    const gchar *default_text; /* NULL: the key is required */
    OptionWhen when;
    const gchar *help;
    gsize offset; /* of the field in its struct */
} Option;

typedef struct {
    const Option *options; /* in the order of options.def */
    guint n_options;
} OptionTable;

extern const OptionTable daemon_options;  /* fields of a Config */
extern const OptionTable service_options; /* fields of a ServiceConfig */
extern const OptionTable method_options;  /* fields of a MethodConfig */

const Option *options_find(const OptionTable *table, const gchar *key); /* NULL: no such key */
gchar *options_keys(const OptionTable *table);                          /* "listen, admin, ..." */
void options_set_defaults(const OptionTable *table, gpointer fields);
void options_clear(const OptionTable *table, gpointer fields);

gboolean option_equal(const Option *option, gconstpointer fields, gconstpointer others);
gboolean option_parse(const Option *option, const gchar *text, gpointer fields, GError **error);
