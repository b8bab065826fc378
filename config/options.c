/* options.c - see options.h. */
#include "config/options.h"
#include "config/config.h"
#include <stddef.h>

#define OPTION(struct_, field_, key_, type_, default_, min_, max_, when_, help_) \
    { .key = key_,                                                               \
      .rule = { .type = VALUE_##type_, .min = min_, .max = max_ },               \
      .default_text = default_,                                                  \
      .when = OPTION_##when_,                                                    \
      .help = help_,                                                             \
      .offset = offsetof(struct_, field_) },

static const Option daemon_rows[] = {
#define DAEMON_OPTION(field, key, type, default, min, max, when, help) \
    OPTION(Config, field, key, type, default, min, max, when, help)
#include "config/options.def"
};

static const Option service_rows[] = {
#define SERVICE_OPTION(field, key, type, default, min, max, when, help) \
    OPTION(ServiceConfig, field, key, type, default, min, max, when, help)
#include "config/options.def"
};

static const Option method_rows[] = {
#define METHOD_OPTION(field, key, type, default, min, max, when, help) \
    OPTION(MethodConfig, field, key, type, default, min, max, when, help)
#include "config/options.def"
};

const OptionTable daemon_options = { daemon_rows, G_N_ELEMENTS(daemon_rows) };
const OptionTable service_options = { service_rows, G_N_ELEMENTS(service_rows) };
const OptionTable method_options = { method_rows, G_N_ELEMENTS(method_rows) };

const Option *options_find(const OptionTable *table, const gchar *key)
{
    for (guint i = 0; i < table->n_options; i++)
        if (g_str_equal(table->options[i].key, key))
            return &table->options[i];
    return NULL;
}

gchar *options_keys(const OptionTable *table)
{
    GString *keys = g_string_new(NULL);
    for (guint i = 0; i < table->n_options; i++)
        g_string_append_printf(keys, "%s%s", i == 0 ? "" : ", ", table->options[i].key);
    return g_string_free(keys, FALSE);
}

static gpointer field_of(const Option *option, gpointer fields)
{
    return (gchar *)fields + option->offset;
}

void options_set_defaults(const OptionTable *table, gpointer fields)
{
    for (guint i = 0; i < table->n_options; i++) {
        const Option *option = &table->options[i];
        if (option->default_text == NULL)
            continue;
        g_autoptr(GError) error = NULL;
        if (!option_parse(option, option->default_text, fields, &error))
            g_error("options.def: %s = %s: %s", option->key, option->default_text, error->message);
    }
}

void options_clear(const OptionTable *table, gpointer fields)
{
    for (guint i = 0; i < table->n_options; i++)
        value_clear(table->options[i].rule.type, field_of(&table->options[i], fields));
}

gboolean option_parse(const Option *option, const gchar *text, gpointer fields, GError **error)
{
    return value_parse(&option->rule, text, field_of(option, fields), error);
}

gboolean option_equal(const Option *option, gconstpointer fields, gconstpointer others)
{
    return value_equal(option->rule.type, (const gchar *)fields + option->offset,
                       (const gchar *)others + option->offset);
}
