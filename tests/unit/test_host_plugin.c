/* test_host_plugin.c - a plugin is loaded and driven as its header says, or refused with the
 * reason (handlers/host/plugin.h).  The plugins are in tests/plugins.
 * no tsan: its own thread would be one that load() left running. */
#include "tests/unit/runner.h"
#include "tests/unit/test_host_fixture.h"
#include "handlers/host/threads.h"
#include <sched.h>
#include <string.h>

static const struct {
    const gchar *name;
    PluginError code;
    const gchar *message;
} refused[] = {
    { "wrong_magic", PLUGIN_ERROR_DESCRIPTOR,
      "its symbol sluice_plugin is not one made by SLUICE_PLUGIN()" },
    { "wrong_abi", PLUGIN_ERROR_DESCRIPTOR,
      "it was built for plugin ABI 2, this sluice-host has ABI 1" },
    { "wrong_size", PLUGIN_ERROR_DESCRIPTOR, "its descriptor has 16 bytes instead of 64" },
    { "unknown_flag", PLUGIN_ERROR_DESCRIPTOR, "it has the unknown flags 0x80000000" },
    { "no_name", PLUGIN_ERROR_DESCRIPTOR, "it has no name" },
    { "no_worker_start", PLUGIN_ERROR_DESCRIPTOR, "it has no worker_start()" },
    { "no_symbol", PLUGIN_ERROR_DESCRIPTOR,
      "it has no symbol sluice_plugin; see SLUICE_PLUGIN() in <sluice/handler.h>" },
    { "load_fails", PLUGIN_ERROR_LOAD, "load(): the dictionary is missing" },
    { "load_fails_silently", PLUGIN_ERROR_LOAD, "load(): failed without saying why" },
    { "leaves_thread", PLUGIN_ERROR_THREADS,
      "load() left threads running, which its workers would not have: straggler" },
};

START_TEST(a_wrong_plugin_is_refused_with_file_and_reason)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SluiceSettings) settings = settings_new("", NULL);
    g_autofree gchar *path = g_strdup_printf("tests/plugins/%s.so", refused[_i].name);
    g_autofree gchar *message = g_strdup_printf("%s.so: %s", refused[_i].name, refused[_i].message);
    ck_assert_ptr_null(fixture_load(path, settings, &error));
    ck_assert_ptr_nonnull(error);
    ck_assert_str_eq(error->message, message);
    ck_assert(g_error_matches(error, PLUGIN_ERROR, refused[_i].code));
}
END_TEST

static void assert_not_loadable(const gchar *path, const gchar *why)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SluiceSettings) settings = settings_new("", NULL);
    ck_assert_ptr_null(fixture_load(path, settings, &error));
    ck_assert(g_error_matches(error, PLUGIN_ERROR, PLUGIN_ERROR_FILE));
    g_autofree gchar *file = g_path_get_basename(path);
    ck_assert_msg(g_str_has_prefix(error->message, file), "%s", error->message);
    ck_assert_msg(strstr(error->message, why) != NULL, "%s", error->message);
}

START_TEST(a_file_that_is_no_shared_object_is_refused)
{
    assert_not_loadable("gen/calculator/calc_calculator.c", "invalid ELF header");
}
END_TEST

START_TEST(a_plugin_that_lacks_a_function_is_refused_at_load)
{
    assert_not_loadable("tests/plugins/missing_function.so", "nobody_defines_this");
}
END_TEST

/* The plugin appends to `calls`, whose address it finds there. */
static SluiceSettings *settings_for(const GString *calls)
{
    g_autofree gchar *text = g_strdup_printf("[settings]\nword=hey\ncalls=%" G_GUINT64_FORMAT "\n",
                                             (guint64)GPOINTER_TO_SIZE(calls));
    return settings_new(text, NULL);
}

START_TEST(a_plugin_goes_from_load_to_unload)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) calls = g_string_new(NULL);
    g_autoptr(SluiceSettings) settings = settings_for(calls);
    Plugin *plugin = fixture_load("tests/plugins/good.so", settings, &error);
    ck_assert_msg(plugin != NULL, "%s", error != NULL ? error->message : "");
    ck_assert_str_eq(plugin_name(plugin), "good");
    ck_assert_str_eq(plugin_version(plugin), "1.2");
    ck_assert_int_eq(plugin_flags(plugin), SLUICE_PLUGIN_THREAD_SAFE);

    g_object_unref(plugin_start_worker(plugin, NULL));
    plugin_stop_worker(plugin);
    plugin_unload(plugin);
    ck_assert_str_eq(calls->str, "load start(hey) stop(hey, state of hey) unload(hey)");
}
END_TEST

START_TEST(a_worker_that_does_not_start_has_a_reason)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SluiceSettings) settings = settings_new("", NULL);
    Plugin *plugin = fixture_load("tests/plugins/silent_worker.so", settings, NULL);
    ck_assert_ptr_null(plugin_start_worker(plugin, &error));
    ck_assert(g_error_matches(error, PLUGIN_ERROR, PLUGIN_ERROR_WORKER));
    ck_assert_str_eq(error->message, "silent_worker.so: worker_start(): failed without saying why");
    plugin_stop_worker(plugin); /* it has none, which is fine */
    plugin_unload(plugin);
}
END_TEST

/* Leaves the kernel a lot to take apart after the join: a table of open files of its own. */
static gpointer open_many_files(gpointer unused)
{
    ck_assert_int_eq(unshare(CLONE_FILES), 0);
    for (guint i = 0; i < 500; i++)
        ck_assert_int_ge(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
    return unused;
}

START_TEST(threads_that_have_been_joined_do_not_count)
{
    for (guint i = 0; i < 100; i++) {
        g_thread_join(g_thread_new("passing", open_many_files, NULL));
        g_autofree gchar *threads = threads_besides_this();
        ck_assert_ptr_null(threads);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("host plugin");
    TCase *tcase = tcase_create("load");
    tcase_add_loop_test(tcase, a_wrong_plugin_is_refused_with_file_and_reason, 0,
                        G_N_ELEMENTS(refused));
    tcase_add_test(tcase, a_file_that_is_no_shared_object_is_refused);
    tcase_add_test(tcase, a_plugin_that_lacks_a_function_is_refused_at_load);
    tcase_add_test(tcase, a_plugin_goes_from_load_to_unload);
    tcase_add_test(tcase, a_worker_that_does_not_start_has_a_reason);
    tcase_add_test(tcase, threads_that_have_been_joined_do_not_count);
    suite_add_tcase(suite, tcase);
    return suite;
}
