/* restart.c - what a reload cannot change (config.h). */
#include "config/config.h"
#include "config/options.h"

gboolean config_may_reload(const Config *from, const Config *to, GError **error)
{
    g_autoptr(GString) problems = g_string_new(NULL);
    for (guint i = 0; i < daemon_options.n_options; i++) {
        const Option *option = &daemon_options.options[i];
        if (option->when == OPTION_RESTART && !option_equal(option, from, to))
            g_string_append_printf(problems, "%s[daemon] %s: changing it needs a restart",
                                   problems->len > 0 ? "\n" : "", option->key);
    }
    if (problems->len == 0)
        return TRUE;
    g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, problems->str);
    return FALSE;
}
