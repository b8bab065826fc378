/* test_config.c - a configuration file becomes a snapshot, or all its errors are told. */
#include "tests/unit/runner.h"
#include "config/config.h"
#include "config/options.h"
#include <string.h>

#define SHOP "[service shop]\nplugin = shop.so\n"

static Config *parse(const gchar *text)
{
    g_autoptr(GError) error = NULL;
    Config *config = config_parse(text, "s.conf", &error);
    ck_assert_msg(config != NULL, "%s", error != NULL ? error->message : "no error");
    return config;
}

static void assert_refused(const gchar *text, const gchar *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_parse(text, "s.conf", &error);
    ck_assert_msg(config == NULL, "accepted: %s", text);
    ck_assert(g_error_matches(error, CONFIG_ERROR, CONFIG_ERROR_INVALID));
    ck_assert_str_eq(error->message, message);
}

/* Where the installed files are is decided when config/ is compiled. */
static const gchar *built_in(const gchar *key)
{
    return options_find(&daemon_options, key)->default_text;
}

START_TEST(a_file_with_only_a_plugin_has_the_documented_defaults)
{
    g_autoptr(Config) config = parse(SHOP);
    ck_assert_uint_eq(config->listeners->len, 1);
    const Address *listener = config->listeners->pdata[0];
    ck_assert_str_eq(listener->text, "tcp://127.0.0.1:9090");
    ck_assert_str_eq(config->admin->text, "http://127.0.0.1:9091");
    ck_assert_str_eq(config->handler_dir, built_in("handler-dir"));
    ck_assert_str_eq(config->host_program, built_in("host-program"));
    ck_assert_uint_eq(config->max_connections, 10000);
    ck_assert_uint_eq(config->max_pipelined, 256);
    ck_assert_uint_eq(config->max_frame_bytes, 16384000);
    ck_assert_uint_eq(config->write_buffer_bytes, 1048576);
    ck_assert_uint_eq(config->buffer_memory_bytes, 512 * 1024 * 1024);
    ck_assert_int_eq(config->idle_timeout_usec, 600000000);
    ck_assert_int_eq(config->frame_timeout_usec, 30000000);
    ck_assert_int_eq(config->write_timeout_usec, 60000000);
    ck_assert_int_eq(config->drain_timeout_usec, 30000000);
    ck_assert_int_eq(config->log_level, G_LOG_LEVEL_INFO);
    ck_assert_int_eq(config->log_repeat_interval_usec, 10000000);

    ck_assert_uint_eq(config->n_services, 1);
    const ServiceConfig *shop = config->services[0];
    ck_assert_str_eq(shop->name, "shop");
    ck_assert_str_eq(shop->plugin, "shop.so");
    ck_assert_str_eq(shop->settings_text, "[settings]\n");
    ck_assert(!shop->is_default);
    ck_assert_uint_eq(shop->workers.min, 4);
    ck_assert_uint_eq(shop->workers.max, 4);
    ck_assert_uint_eq(shop->queue_limit, 1024);
    ck_assert_uint_eq(shop->queue_bytes, 67108864);
    ck_assert_int_eq(shop->deadline_usec, 30000000);
    ck_assert_int_eq(shop->stuck_after_usec, 60000000);
    ck_assert_int_eq(shop->start_timeout_usec, 30000000);
    ck_assert_int_eq(shop->restart_backoff_min_usec, 10000);
    ck_assert_int_eq(shop->restart_backoff_max_usec, 10000000);
}
END_TEST

START_TEST(every_daemon_setting_reaches_its_field)
{
    g_autoptr(Config) config =
        parse(SHOP "[daemon]\nlisten = unix:/run/s.sock; tcp://[::1]:0\nadmin =\nhandler-dir = /h\n"
                   "host-program = /bin/host\nmax-connections = 7\nmax-pipelined = 8\n"
                   "max-frame-bytes = 2K\nwrite-buffer = 3K\nbuffer-memory = 5M\nidle-timeout = "
                   "0\nframe-timeout = 1s\n"
                   "write-timeout = 2s\ndrain-timeout = 3s\nlog-level = error\n"
                   "log-repeat-interval = 4s\n");
    ck_assert_uint_eq(config->listeners->len, 2);
    ck_assert_str_eq(((Address *)config->listeners->pdata[0])->path, "/run/s.sock");
    ck_assert_str_eq(((Address *)config->listeners->pdata[1])->host, "::1");
    ck_assert_ptr_null(config->admin);
    ck_assert_str_eq(config->handler_dir, "/h");
    ck_assert_str_eq(config->host_program, "/bin/host");
    ck_assert_uint_eq(config->max_connections, 7);
    ck_assert_uint_eq(config->max_pipelined, 8);
    ck_assert_uint_eq(config->max_frame_bytes, 2048);
    ck_assert_uint_eq(config->write_buffer_bytes, 3072);
    ck_assert_uint_eq(config->buffer_memory_bytes, 5 * 1024 * 1024);
    ck_assert_int_eq(config->idle_timeout_usec, 0);
    ck_assert_int_eq(config->frame_timeout_usec, 1000000);
    ck_assert_int_eq(config->write_timeout_usec, 2000000);
    ck_assert_int_eq(config->drain_timeout_usec, 3000000);
    ck_assert_int_eq(config->log_level, G_LOG_LEVEL_CRITICAL);
    ck_assert_int_eq(config->log_repeat_interval_usec, 4000000);
}
END_TEST

START_TEST(every_service_setting_reaches_its_field)
{
    g_autoptr(Config) config = parse(
        "[service shop]\nplugin = /opt/shop.so\ndefault = true\nworkers = 2..9\nqueue-limit = 0\n"
        "queue-bytes = 1M\ndeadline = 5ms\nstuck-after = 6s\nstart-timeout = 7s\n"
        "restart-backoff-min = 8ms\nrestart-backoff-max = 9ms\n");
    const ServiceConfig *shop = config->services[0];
    ck_assert_str_eq(shop->plugin, "/opt/shop.so");
    ck_assert(shop->is_default);
    ck_assert_uint_eq(shop->workers.min, 2);
    ck_assert_uint_eq(shop->workers.max, 9);
    ck_assert_uint_eq(shop->queue_limit, 0);
    ck_assert_uint_eq(shop->queue_bytes, 1048576);
    ck_assert_int_eq(shop->deadline_usec, 5000);
    ck_assert_int_eq(shop->stuck_after_usec, 6000000);
    ck_assert_int_eq(shop->start_timeout_usec, 7000000);
    ck_assert_int_eq(shop->restart_backoff_min_usec, 8000);
    ck_assert_int_eq(shop->restart_backoff_max_usec, 9000);
}
END_TEST

START_TEST(every_setting_of_the_factory_reaches_its_field)
{
    g_autoptr(Config) config = parse(
        SHOP "workers = 2..9\ncapacity = utilisation\ncapacity-target = 70\n"
             "capacity-hysteresis = 6\ncapacity-step = 2\ncapacity-cooldown = 3s\n"
             "capacity-dry-run = true\nrouting = sticky\nlookahead = 3\nqueue = weighted\n"
             "queue-ageing = 4s\ndiscard = oldest\nqueue-target = 5ms\nrate-limit = 6/s\n"
             "rate-limit-per-client = 7/m burst 8\nrate-limit-mode = shape\nstuck-action = detect\n"
             "stuck-warn = 9ms\nretry = 1\nretry-budget = 20\nrestart-intensity = none\n");
    const ServiceConfig *shop = config->services[0];
    const struct {
        guint64 value, expected;
    } fields[] = {
        { shop->capacity, 1 },
        { shop->capacity_target, 70 },
        { shop->capacity_hysteresis, 6 },
        { shop->capacity_step, 2 },
        { (guint64)shop->capacity_cooldown_usec, 3000000 },
        { (guint64)shop->capacity_dry_run, TRUE },
        { shop->routing, 2 },
        { shop->lookahead, 3 },
        { shop->queue, 2 },
        { (guint64)shop->queue_ageing_usec, 4000000 },
        { shop->discard, 2 },
        { (guint64)shop->queue_target_usec, 5000 },
        { shop->rate_limit.count, 6 },
        { shop->rate_limit.burst, 6 },
        { (guint64)shop->client_rate_limit.per_usec, 60000000 },
        { shop->client_rate_limit.burst, 8 },
        { shop->rate_mode, 1 },
        { shop->stuck_action, 1 },
        { (guint64)shop->stuck_warn_usec, 9000 },
        { shop->retries, 1 },
        { shop->retry_budget, 20 },
        { shop->restart_intensity.count, 0 },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
        ck_assert_msg(fields[i].value == fields[i].expected, "field %zu", i);
}
END_TEST

START_TEST(services_stand_in_the_order_of_the_file)
{
    g_autoptr(Config) config = parse("[service b]\nplugin=b.so\n[service a]\nplugin=a.so\n"
                                     "[daemon]\n[service C_1.x-y]\nplugin=c.so\n");
    static const gchar *const names[] = { "b", "a", "C_1.x-y" };
    ck_assert_uint_eq(config->n_services, G_N_ELEMENTS(names));
    for (guint i = 0; i < config->n_services; i++)
        ck_assert_str_eq(config->services[i]->name, names[i]);
}
END_TEST

START_TEST(the_settings_of_a_service_reach_its_plugin_as_written)
{
    g_autoptr(Config) config =
        parse("[settings shop]\n z = 1 ; two\nGreeting=\\sh\\\\\xc3\xa9\n" SHOP
              "[service bar]\nplugin=bar.so\n[settings bar]\nk=\n");
    ck_assert_str_eq(config->services[0]->settings_text,
                     "[settings]\nz=1 ; two\nGreeting=\\sh\\\\\xc3\xa9\n");
    ck_assert_str_eq(config->services[1]->settings_text, "[settings]\nk=\n");

    g_autoptr(GKeyFile) seen = g_key_file_new();
    ck_assert(g_key_file_load_from_data(seen, config->services[0]->settings_text, (gsize)-1,
                                        G_KEY_FILE_NONE, NULL));
    g_autofree gchar *greeting = g_key_file_get_string(seen, "settings", "Greeting", NULL);
    ck_assert_str_eq(greeting, " h\\\xc3\xa9");
}
END_TEST

static gchar *file_with_settings_of(gsize n_bytes)
{
    gsize n_around = strlen("[settings]\nk=\n");
    g_autofree gchar *value = g_strnfill(n_bytes - n_around, 'v');
    return g_strconcat(SHOP "[settings shop]\nk=", value, "\n", NULL);
}

START_TEST(settings_that_do_not_fit_into_one_message_are_refused)
{
    g_autofree gchar *largest = file_with_settings_of(CONFIG_MAX_SETTINGS_BYTES);
    g_autoptr(Config) config = parse(largest);
    ck_assert_uint_eq(strlen(config->services[0]->settings_text), CONFIG_MAX_SETTINGS_BYTES);

    g_autofree gchar *too_large = file_with_settings_of(CONFIG_MAX_SETTINGS_BYTES + 1);
    assert_refused(too_large,
                   "s.conf:3: [settings shop]: 61441 bytes; allowed: 61440 bytes in all");
}
END_TEST

#define LINE_FORM   "; allowed: [group], key = value, # comment"
#define METHOD_FORM "; allowed: [method SERVICE.METHOD], METHOD of letters, digits and '_'"
#define RANGE_FORM  "; allowed: 1 to 1024, or two such numbers as in 2..16"
#define GROUP_FORM  "; allowed: [daemon], [service NAME], [method NAME.METHOD], [settings NAME]"
#define PLUGIN_FORM "; allowed: a file name or an absolute path"
#define NAME_FORM   "; allowed: 1 to 64 letters, digits, '_', '.' and '-'"
#define NAME_OF_65  "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff12345"

static const struct {
    const gchar *text;
    const gchar *message; /* without the name of the file */
} refusals[] = {
    /* lines */
    { SHOP "workers\n", "3: workers: not understood" LINE_FORM },
    { SHOP "; no\n", "3: ; no: not understood" LINE_FORM },
    { SHOP "= 4\n", "3: = 4: not understood" LINE_FORM },
    { SHOP "workers[de] = 4\n", "3: workers[de] = 4: not understood" LINE_FORM },
    { SHOP "[daemon\nlisten = 1\n", "3: [daemon: not a group" GROUP_FORM },
    { SHOP "[] x\n", "3: [] x: not a group" GROUP_FORM },
    { "workers = 4\n" SHOP, "1: workers = 4: before any group" },
    { SHOP "work\xff = 4\n", "3: not plain text in UTF-8" },
    { SHOP "workers = 4\x1b[31m\n", "3: not plain text in UTF-8" },
    { SHOP "[settings shop]\nk = a\\q\n",
      "4: [settings shop] k = a\\q: unknown escape; allowed: \\s, \\t, \\n, \\r, \\\\" },
    { SHOP "[settings shop]\nk = \\;\\\n",
      "4: [settings shop] k = \\;\\: unknown escape; allowed: \\s, \\t, \\n, \\r, \\\\" },
    { SHOP "[settings shop]\nk = \\\\\\\n",
      "4: [settings shop] k = \\\\\\: unknown escape; allowed: \\s, \\t, \\n, \\r, \\\\" },
    /* duplicates */
    { SHOP "workers = 1\nworkers = 2\n", "4: [service shop] workers = 2: already in line 3" },
    { SHOP "[service shop]\n", "3: [service shop]: already in line 1" },
    { SHOP "[service shop]\nplugin = x.so\n",
      "3: [service shop]: already in line 1\n"
      "s.conf:4: [service shop] plugin = x.so: already in line 2" },
    /* groups */
    { SHOP "[deamon]\nlisten = 1\n", "3: [deamon]: unknown group" GROUP_FORM },
    { SHOP "[service]\n", "3: [service]: unknown group" GROUP_FORM },
    { SHOP "[ daemon]\n", "3: [ daemon]: unknown group" GROUP_FORM },
    { SHOP "[settings bar]\n", "3: [settings bar]: no service of this name" },
    { "[daemon]\n\n", "2: no service; allowed: one [service NAME] or more" },
    { "", "1: no service; allowed: one [service NAME] or more" },
    { "[service a:b]\nplugin = x.so\n", "1: [service a:b]: bad service name" NAME_FORM },
    { "[service ]\nplugin = x.so\n", "1: [service ]: bad service name" NAME_FORM },
    { "[service " NAME_OF_65 "]\nplugin = x.so\n",
      "1: [service aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffff...]: "
      "bad service name" NAME_FORM },
    /* keys and values */
    { SHOP "worker = 4\n",
      "3: [service shop] worker = 4: unknown key; allowed: plugin, default, workers, capacity, "
      "capacity-target, capacity-hysteresis, capacity-step, capacity-cooldown, capacity-dry-run, "
      "routing, lookahead, queue, queue-ageing, discard, queue-target, queue-limit, queue-bytes, "
      "rate-limit, rate-limit-per-client, rate-limit-mode, deadline, stuck-after, stuck-action, "
      "stuck-warn, retry, retry-budget, restart-intensity, poison-after, "
      "poison-window, poison-time, worker-memory, worker-user, sandbox, "
      "worker-max-requests, worker-max-age, worker-max-memory, reload-canary, start-timeout, "
      "restart-backoff-min, restart-backoff-max" },
    { SHOP "[daemon]\nworkers = 4\n",
      "4: [daemon] workers = 4: unknown key; allowed: listen, admin, handler-dir, host-program, "
      "tls-certificate, tls-key, tls-mixed, tls-min-version, tls-client-certificate, "
      "tls-client-ca, cors-origins, proxy-from, max-connections, max-connections-per-host, "
      "max-pipelined, max-frame-bytes, "
      "write-buffer, "
      "buffer-memory, "
      "idle-timeout, connection-max-age, "
      "frame-timeout, write-timeout, drain-grace, drain-timeout, log-level, log-repeat-interval" },
    { SHOP "workers = 0\n", "3: [service shop] workers = 0: out of range" RANGE_FORM },
    { SHOP "workers = 4 # four\n",
      "3: [service shop] workers = 4 # four: not a number" RANGE_FORM },
    { SHOP "workers = 9..2\n", "3: [service shop] workers = 9..2: the wrong way round" RANGE_FORM },
    { SHOP "routing = random\n",
      "3: [service shop] routing = random: unknown word; allowed: queuer, key-persistent, sticky, "
      "round-robin, least-loaded or consistent-hash" },
    /* settings that do not go together */
    { SHOP "capacity = aimd\n",
      "3: [service shop] capacity = aimd: there is nothing to move: workers is not a range" },
    { SHOP "discard = dynamic-oldest\nqueue-limit = 0\n",
      "3: [service shop] discard = dynamic-oldest: a queue-limit of 0 leaves a dynamic one no "
      "room" },
    { SHOP "stuck-after = 1s\nstuck-warn = 126ms\n",
      "4: [service shop] stuck-warn = 126ms: 8 times stuck-warn is above stuck-after" },
    { SHOP "routing = queuer\n[method shop.buy]\nkey = peer\n",
      "5: [method shop.buy] key = peer: has no effect: the service's routing is queuer" },
    /* methods */
    { SHOP "[method shop]\n", "3: [method shop]: bad method name" METHOD_FORM },
    { SHOP "[method shop.]\n", "3: [method shop.]: bad method name" METHOD_FORM },
    { SHOP "[method shop.a b]\n", "3: [method shop.a b]: bad method name" METHOD_FORM },
    { SHOP "[method bar.buy]\n", "3: [method bar.buy]: no service of this name" },
    { SHOP "[method shop.buy]\nworkers = 4\n",
      "4: [method shop.buy] workers = 4: unknown key; allowed: priority, deadline, rate-limit, "
      "idempotent, discardable, key" },
    { SHOP "deadline = 30\n",
      "3: [service shop] deadline = 30: no unit; allowed: 1ms to 24h, with us, ms, s, m or h" },
    { "[service shop]\n", "1: [service shop]: no plugin" PLUGIN_FORM },
    { "[service shop]\nplugin =\n", "2: [service shop] plugin = : empty" PLUGIN_FORM },
    { "[service shop]\nplugin = ../x.so\n",
      "2: [service shop] plugin = ../x.so: a relative path" PLUGIN_FORM },
    { SHOP "[daemon]\nlisten = tcp://a:1;tcp://A:1\n",
      "4: [daemon] listen = tcp://a:1;tcp://A:1: address 2: the same as one before it; "
      "allowed: tcp://HOST:PORT, tls://HOST:PORT or unix:/PATH, several separated by ';'" },
    /* rules over several settings */
    { SHOP "restart-backoff-min = 11s\n", "3: [service shop] restart-backoff-min = 11s: "
                                          "restart-backoff-min is above restart-backoff-max" },
    { SHOP "restart-backoff-max = 9ms\n", "3: [service shop] restart-backoff-max = 9ms: "
                                          "restart-backoff-min is above restart-backoff-max" },
    { SHOP "default = true\n[service b]\nplugin = b.so\ndefault = true\n",
      "6: [service b] default = true: [service shop] is the default already" },
};

START_TEST(every_kind_of_error_names_its_line_its_text_and_what_is_allowed)
{
    g_autofree gchar *message = g_strconcat("s.conf:", refusals[_i].message, NULL);
    assert_refused(refusals[_i].text, message);
}
END_TEST

START_TEST(all_errors_of_a_file_are_told_in_its_order)
{
    assert_refused(
        "[settings nobody]\n[daemon]\nadmin = ftp://x\nbroken\nlog-level = loud\n"
        "[service shop]\nworkers = many\n[service bar]\nplugin = bar.so\n"
        "workers = 99999999999999999999\n",
        "s.conf:1: [settings nobody]: no service of this name\n"
        "s.conf:3: [daemon] admin = ftp://x: does not start with http://; "
        "allowed: http://HOST:PORT, or nothing to turn it off\n"
        "s.conf:4: broken: not understood" LINE_FORM "\n"
        "s.conf:5: [daemon] log-level = loud: unknown word; "
        "allowed: error, warning, notice, info or debug\n"
        "s.conf:6: [service shop]: no plugin" PLUGIN_FORM "\n"
        "s.conf:7: [service shop] workers = many: not a number" RANGE_FORM "\n"
        "s.conf:10: [service bar] workers = 99999999999999999999: out of range" RANGE_FORM);
}
END_TEST

START_TEST(a_snapshot_lives_until_its_last_reference_goes)
{
    Config *config = parse(SHOP);
    Config *second = config_ref(config);
    ck_assert_ptr_eq(second, config);
    config_unref(config);
    ck_assert(g_atomic_ref_count_compare(&second->refs, 1));
    ck_assert_str_eq(second->services[0]->name, "shop");
    config_unref(second);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_says_so)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(config_load("/nonexistent/sluice.conf", &error));
    ck_assert(g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT));
    ck_assert_ptr_nonnull(strstr(error->message, "/nonexistent/sluice.conf"));
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("config");
    TCase *files = tcase_create("files");
    tcase_add_test(files, a_file_with_only_a_plugin_has_the_documented_defaults);
    tcase_add_test(files, every_daemon_setting_reaches_its_field);
    tcase_add_test(files, every_service_setting_reaches_its_field);
    tcase_add_test(files, every_setting_of_the_factory_reaches_its_field);
    tcase_add_test(files, services_stand_in_the_order_of_the_file);
    tcase_add_test(files, the_settings_of_a_service_reach_its_plugin_as_written);
    tcase_add_test(files, settings_that_do_not_fit_into_one_message_are_refused);
    tcase_add_test(files, a_snapshot_lives_until_its_last_reference_goes);
    tcase_add_test(files, a_file_that_cannot_be_read_says_so);
    suite_add_tcase(suite, files);

    TCase *errors = tcase_create("errors");
    tcase_add_loop_test(errors, every_kind_of_error_names_its_line_its_text_and_what_is_allowed, 0,
                        G_N_ELEMENTS(refusals));
    tcase_add_test(errors, all_errors_of_a_file_are_told_in_its_order);
    suite_add_tcase(suite, errors);
    return suite;
}
