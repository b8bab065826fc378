/* explain.c - options.def as a configuration file for people.
 *
 * What is printed is sluice.conf.example, so the example cannot lag behind the code. */
#include "config/config.h"
#include "config/options.h"

#define EXAMPLE_SERVICE "calculator"

static const gchar head[] =
    "# Configuration of Sluice, with every setting at its default.\n"
    "#\n"
    "# A line is a [group], a key = value, or a comment that starts with #.  Spaces at both ends\n"
    "# do not count; \\s is a space that does, \\t, \\n, \\r and \\\\ are what they are in C.\n"
    "# K, M and G are powers of 1024.  A time needs a unit: us, ms, s, m or h.\n"
    "# One error anywhere, and the whole file is refused with all its errors told.\n";

static const gchar tail[] = "\n"
                            "# Whatever the plugin understands: any keys, 60 KiB in all.\n"
                            "# Reload: in new host processes.\n"
                            "[settings " EXAMPLE_SERVICE "]\n";

static const gchar method_head[] =
    "\n# Settings of one method, in a group like this for each; every setting has a default.\n"
    "[method " EXAMPLE_SERVICE ".add]\n";

static const gchar *const when_texts[] = {
    [OPTION_LIVE] = "at once",
    [OPTION_GENERATION] = "in new host processes",
    [OPTION_RESTART] = "needs a restart",
};

static void explain_option(GString *out, const Option *option)
{
    g_autofree gchar *allowed = value_allowed(&option->rule);
    g_string_append_printf(out, "\n# %s\n# Allowed: %s.  Reload: %s.\n", option->help, allowed,
                           when_texts[option->when]);
    if (option->default_text != NULL)
        g_string_append_printf(out, "#%s =%s%s\n", option->key,
                               option->default_text[0] != '\0' ? " " : "", option->default_text);
    else /* the one thing nobody can guess is the plugin's file */
        g_string_append_printf(out, "%s = " EXAMPLE_SERVICE ".so\n", option->key);
}

static void explain_table(GString *out, const OptionTable *table)
{
    for (guint i = 0; i < table->n_options; i++)
        explain_option(out, &table->options[i]);
}

void config_explain(GString *out)
{
    g_string_append(out, head);
    g_string_append(out, "\n[daemon]\n");
    explain_table(out, &daemon_options);
    g_string_append(out, "\n[service " EXAMPLE_SERVICE "]\n");
    explain_table(out, &service_options);
    g_string_append(out, method_head);
    explain_table(out, &method_options);
    g_string_append(out, tail);
}
