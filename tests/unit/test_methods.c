/* test_methods.c - the numbers of methods, through calls and reloads. */
#include "actor/factory/settings.h"
#include "daemon/dispatch/methods.h"
#include "daemon/dispatch/plan.h"
#include "tests/unit/runner.h"

static Config *config_with(const gchar *methods)
{
    g_auto(GStrv) names = g_strsplit(methods, " ", -1);
    g_autoptr(GString) text = g_string_new("[service shop]\nplugin = shop.so\n");
    for (guint i = 0; names[i] != NULL && names[i][0] != '\0'; i++)
        g_string_append_printf(text, "[method shop.%s]\nrate-limit = %u/s\n", names[i], i + 1);
    g_autoptr(GError) error = NULL;
    Config *config = config_parse(text->str, "x.conf", &error);
    ck_assert_msg(config != NULL, "%s", error != NULL ? error->message : "");
    return config;
}

static guint number_of(const Methods *methods, const gchar *name)
{
    guint number;
    methods_config(methods, name, &number);
    return number;
}

START_TEST(a_name_keeps_its_number_through_a_reload_and_gets_its_new_settings)
{
    g_autoptr(Config) before = config_with("a b c"), after = config_with("c d a");
    Methods *methods = methods_new(before->services[0]);
    ck_assert(methods_learn(methods, "x"));
    const guint a = number_of(methods, "a"), c = number_of(methods, "c"),
                x = number_of(methods, "x");
    methods_reload(methods, after->services[0]);
    ck_assert_uint_eq(number_of(methods, "a"), a);
    ck_assert_uint_eq(number_of(methods, "c"), c);
    ck_assert_uint_eq(number_of(methods, "x"), x);
    ck_assert_uint_eq(methods_config_of(methods, a)->rate_limit.count, 3);
    ck_assert_ptr_null(methods_config_of(methods, number_of(methods, "b")));
    FactorySettings settings;
    plan_settings(after->services[0], methods, &settings);
    ck_assert_uint_eq(settings.methods[c].rate.count, 1);
    ck_assert_uint_eq(settings.methods[number_of(methods, "b")].rate.count, 0);
    ck_assert_uint_eq(settings.methods[number_of(methods, "d")].rate.count, 2);
    methods_free(methods);
}
END_TEST

START_TEST(when_numbers_run_out_a_configured_method_takes_that_of_another_and_is_told_apart)
{
    g_autoptr(Config) before = config_with("a"), after = config_with("a b");
    Methods *methods = methods_new(before->services[0]);
    for (guint i = 0; i < 2 * FACTORY_MAX_METHODS; i++) {
        g_autofree gchar *name = g_strdup_printf("made_up_%u", i);
        methods_learn(methods, name);
    }
    ck_assert_uint_eq(methods_count(methods), FACTORY_MAX_METHODS);
    guint64 identities[FACTORY_MAX_METHODS];
    for (guint i = 0; i < FACTORY_MAX_METHODS; i++)
        identities[i] = methods_identity(methods, i);
    methods_reload(methods, after->services[0]);
    const guint b = number_of(methods, "b");
    ck_assert_uint_ne(b, 0);
    ck_assert_uint_ne(b, number_of(methods, "a"));
    for (guint i = 0; i < FACTORY_MAX_METHODS; i++)
        ck_assert_int_eq(methods_identity(methods, i) != identities[i], i == b);
    methods_free(methods);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("methods");
    TCase *tcase = tcase_create("methods");
    tcase_add_test(tcase, a_name_keeps_its_number_through_a_reload_and_gets_its_new_settings);
    tcase_add_test(
        tcase, when_numbers_run_out_a_configured_method_takes_that_of_another_and_is_told_apart);
    suite_add_tcase(suite, tcase);
    return suite;
}
