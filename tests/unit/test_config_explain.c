/* test_config_explain.c - options.def, sluiced --explain and sluice.conf.example agree. */
#include "tests/unit/runner.h"
#include "config/config.h"
#include "config/options.h"
#include <string.h>

#define EXAMPLE "config/sluice.conf.example" /* tests run in the root of the tree */

static gchar *example(void)
{
    g_autoptr(GError) error = NULL;
    gchar *text = NULL;
    ck_assert_msg(g_file_get_contents(EXAMPLE, &text, NULL, &error), "%s",
                  error != NULL ? error->message : "");
    return text;
}

/* "#key = value" becomes a setting; prose has a space after its #. */
static gchar *uncommented(const gchar *text)
{
    g_autoptr(GRegex) setting = g_regex_new("^#(?=[a-z])", G_REGEX_MULTILINE, 0, NULL);
    return g_regex_replace_literal(setting, text, -1, 0, "", 0, NULL);
}

static Config *parse(const gchar *text)
{
    g_autoptr(GError) error = NULL;
    Config *config = config_parse(text, EXAMPLE, &error);
    ck_assert_msg(config != NULL, "%s", error != NULL ? error->message : "no error");
    return config;
}

static void assert_equal_fields(const OptionTable *table, gconstpointer a, gconstpointer b)
{
    for (guint i = 0; i < table->n_options; i++)
        ck_assert_msg(option_equal(&table->options[i], a, b), "%s differs", table->options[i].key);
}

/* `text` sets every option once, and only to its default. */
static void assert_all_defaults(const gchar *text)
{
    g_autofree gchar *all = uncommented(text);
    g_autoptr(Config) written = parse(all);
    g_autoptr(Config) defaults = parse("[service calculator]\nplugin = calculator.so\n");
    assert_equal_fields(&daemon_options, written, defaults);
    ck_assert_uint_eq(written->n_services, 1);
    ck_assert_str_eq(written->services[0]->name, "calculator");
    assert_equal_fields(&service_options, written->services[0], defaults->services[0]);
    ck_assert_uint_eq(written->services[0]->n_methods, 1);
    const MethodConfig *method = written->services[0]->methods[0];
    MethodConfig fresh = { 0 };
    ck_assert_str_eq(method->name, "add");
    options_set_defaults(&method_options, &fresh);
    assert_equal_fields(&method_options, method, &fresh);
}

static void replace_default(GString *text, const gchar *key, const gchar *value)
{
    const Option *option = options_find(&daemon_options, key);
    g_autofree gchar *ours = g_strdup_printf("#%s = %s\n", key, option->default_text);
    g_autofree gchar *theirs = g_strdup_printf("#%s = %s\n", key, value);
    ck_assert_uint_eq(g_string_replace(text, ours, theirs, 0), 1);
}

/* The example shows the places of the Debian package, wherever this build has its own. */
static gchar *explained_as_packaged(void)
{
    GString *out = g_string_new(NULL);
    config_explain(out);
    replace_default(out, "handler-dir", "/usr/lib/sluice/handlers");
    replace_default(out, "host-program", "/usr/lib/sluice/sluice-host");
    return g_string_free(out, FALSE);
}

START_TEST(the_example_is_what_explain_prints)
{
    g_autofree gchar *written = example();
    g_autofree gchar *explained = explained_as_packaged();
    ck_assert_str_eq(written, explained);
}
END_TEST

START_TEST(the_example_is_valid_as_it_is)
{
    g_autofree gchar *text = example();
    g_autoptr(Config) config = parse(text);
    ck_assert_str_eq(config->services[0]->plugin, "calculator.so");
}
END_TEST

START_TEST(every_default_that_explain_prints_parses_back_to_itself)
{
    g_autoptr(GString) explained = g_string_new(NULL);
    config_explain(explained);
    assert_all_defaults(explained->str);
}
END_TEST

static void assert_explains(const gchar *text, const OptionTable *table)
{
    for (guint i = 0; i < table->n_options; i++) {
        const Option *option = &table->options[i];
        g_autofree gchar *setting = g_strdup_printf("\n%s =", option->key);
        const gchar *at = strstr(text, setting);
        ck_assert_msg(at != NULL, "%s is missing", option->key);
        ck_assert_msg(strstr(text, option->help) < at, "%s has no help above it", option->key);
        ck_assert_msg(g_str_has_suffix(option->help, "."), "%s: no sentence", option->key);
        text = at; /* the next one comes after it */
    }
}

START_TEST(every_setting_is_in_the_example_in_order_and_explained)
{
    g_autofree gchar *text = example();
    g_autofree gchar *all = uncommented(text);
    assert_explains(all, &daemon_options);
    assert_explains(all, &service_options);
}
END_TEST

START_TEST(only_the_plugin_has_no_default)
{
    for (guint i = 0; i < daemon_options.n_options; i++)
        ck_assert_ptr_nonnull(daemon_options.options[i].default_text);
    for (guint i = 0; i < service_options.n_options; i++) {
        const Option *option = &service_options.options[i];
        ck_assert_int_eq(option->default_text == NULL, g_str_equal(option->key, "plugin"));
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("config_explain");
    TCase *tcase = tcase_create("explain");
    tcase_add_test(tcase, the_example_is_what_explain_prints);
    tcase_add_test(tcase, the_example_is_valid_as_it_is);
    tcase_add_test(tcase, every_default_that_explain_prints_parses_back_to_itself);
    tcase_add_test(tcase, every_setting_is_in_the_example_in_order_and_explained);
    tcase_add_test(tcase, only_the_plugin_has_no_default);
    suite_add_tcase(suite, tcase);
    return suite;
}
