/* test_control_status.c - what runs, as JSON, and the reasons why it is not ready. */
#include "tests/unit/test_control_fakes.h"
#include "tests/unit/runner.h"
#include "daemon/control/status.h"
#include <json-glib/json-glib.h>
#include <sluice/handler.h>
#include <unistd.h>

/* --- /status ------------------------------------------------------------------------------ */

static JsonNode *parsed_status(void)
{
    const AdminContext context = fake_context(NULL, NULL);
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    status_print(out, &context, "http://127.0.0.1:43111");
    JsonNode *root = json_from_string(out->str, &error);
    ck_assert_msg(root != NULL, "%s", error != NULL ? error->message : "");
    return root;
}

/* All but what differs from run to run, which is checked here. */
static gchar *status(void)
{
    g_autoptr(JsonNode) root = parsed_status();
    JsonObject *daemon = json_node_get_object(root);
    ck_assert_int_eq(json_object_get_int_member(daemon, "pid"), getpid());
    ck_assert_int_ge(json_object_get_int_member(daemon, "uptime_sec"), 90);
    json_object_remove_member(daemon, "pid");
    json_object_remove_member(daemon, "uptime_sec");
    return json_to_string(root, FALSE);
}

#define DAEMON(ready, draining, services)                                                   \
    "{\"version\":\"" SLUICE_VERSION "\",\"ready\":" ready ",\"draining\":" draining        \
    ",\"listeners\":[{\"address\":\"tcp://127.0.0.1:41237\"},"                              \
    "{\"address\":\"unix:/run/sluice/sluice.sock\"}],\"admin\":\"http://127.0.0.1:43111\"," \
    "\"connections\":{\"open\":5},\"reload\":{\"generation\":7,\"state\":\"idle\",\"last_"  \
    "result\":\"none\",\"problems\":null},\"services\":[" services "]}"

START_TEST(a_running_service_is_shown_with_its_host_and_workers)
{
    Service *shop = fake_add_service((gchar *)"shop");
    shop->config.is_default = TRUE;
    shop->pool.host.flags = SLUICE_PLUGIN_THREAD_SAFE;
    shop->stats.service[CTR_QUEUED] = 3;
    shop->stats.service[CTR_RUNNING] = 1;
    fake.daemon.daemon[CTR_CONN_OPEN] = 5;
    g_autofree gchar *json = status();
    ck_assert_str_eq(
        json,
        DAEMON("true", "false",
               "{\"name\":\"shop\",\"default\":true,\"plugin\":\"calculator.so\","
               "\"plugin_name\":\"calculator\",\"plugin_version\":\"1.2\",\"thread_safe\":true,"
               "\"state\":\"ready\",\"host_pid\":4242,\"error\":null,\"generation\":7,"
               "\"queued\":3,\"running\":1,\"workers\":[{\"index\":0,\"state\":\"ready\","
               "\"pid\":4343,\"incarnation\":2,\"calls\":99}],\"poison\":[]}"));
}
END_TEST

START_TEST(what_is_not_there_is_null)
{
    Service *shop = fake_add_service((gchar *)"shop");
    shop->pool = (Pool){ .error = "exit status 1",
                         .worker = { 0, "vacant", 0, 0, 0 },
                         .host = { HOST_BACKOFF, "backoff", NULL, NULL, 0, 0 } };
    fake.daemon.daemon[CTR_CONN_OPEN] = 5;
    fake.draining = TRUE;
    g_autofree gchar *json = status();
    ck_assert_str_eq(
        json,
        DAEMON("false", "true",
               "{\"name\":\"shop\",\"default\":false,\"plugin\":\"calculator.so\","
               "\"plugin_name\":null,\"plugin_version\":null,\"thread_safe\":false,"
               "\"state\":\"backoff\",\"host_pid\":null,\"error\":\"exit status 1\","
               "\"generation\":7,\"queued\":0,\"running\":0,\"workers\":[{\"index\":0,"
               "\"state\":\"vacant\",\"pid\":null,\"incarnation\":0,\"calls\":0}],\"poison\":[]}"));
}
END_TEST

START_TEST(a_refused_reload_and_a_second_generation_are_shown)
{
    const Pool other = { .worker = { 0, "starting", 4444, 1, 0 },
                         .host = { HOST_STARTING, "starting", "calculator", "1.3", 0, 4440 } };
    fake_add_service((gchar *)"shop")->other = &other;
    fake.problems = "[daemon] admin: changing it needs a restart";
    g_autofree gchar *json = status();
    ck_assert_ptr_nonnull(strstr(json, "\"last_result\":\"refused\",\"problems\":\"[daemon] admin: "
                                       "changing it needs a restart\""));
    ck_assert_ptr_nonnull(strstr(json, "\"other_generation\":{\"generation\":7,"));
    ck_assert_ptr_nonnull(strstr(json, "\"host_pid\":4440"));
}
END_TEST

START_TEST(whatever_an_error_says_the_json_stays_whole)
{
    const gchar *hostile = "\"}]}\\\n\x01\x1f\x7f</script>\xe2\x80\xa8\xf0\x9f\xa6\x86";
    fake_add_service((gchar *)"shop")->pool.error = hostile;
    g_autoptr(JsonNode) root = parsed_status();
    JsonArray *services = json_object_get_array_member(json_node_get_object(root), "services");
    ck_assert_uint_eq(json_array_get_length(services), 1);
    ck_assert_str_eq(
        json_object_get_string_member(json_array_get_object_element(services, 0), "error"),
        hostile);
}
END_TEST

/* --- /readyz ---------------------------------------------------------------------------------- */

static void assert_readiness(gboolean ready, const gchar *text)
{
    const AdminContext context = fake_context(NULL, NULL);
    g_autoptr(GString) out = g_string_new(NULL);
    ck_assert_int_eq(status_print_readiness(out, &context), ready);
    ck_assert_str_eq(out->str, text);
}

START_TEST(ready_is_when_every_service_takes_calls)
{
    fake_add_service((gchar *)"shop");
    fake_add_service((gchar *)"bank");
    assert_readiness(TRUE, "ready\n");
    fake.services[1].pool.ready = FALSE;
    assert_readiness(FALSE, "service bank: no worker is ready\n");
}
END_TEST

START_TEST(a_drain_is_not_ready_though_every_worker_is)
{
    fake_add_service((gchar *)"shop");
    fake.draining = TRUE;
    assert_readiness(FALSE, "draining\n");
}
END_TEST

START_TEST(each_service_that_is_not_ready_says_why_in_one_line)
{
    static const Pool not_ready[] = {
        { .host = { .state = HOST_STARTING, .state_name = "starting" } },
        { .host = { .state = HOST_REFUSED, .state_name = "refused" },
          .error = "shop.so: ABI 2\r\nhave 1" },
        { .host = { .state = HOST_BACKOFF, .state_name = "backoff" }, .error = "signal 11" },
    };
    static const gchar *const names[] = { "calculator", "shop", "bank" };
    for (guint i = 0; i < G_N_ELEMENTS(not_ready); i++)
        fake_add_service((gchar *)names[i])->pool = not_ready[i];
    fake.draining = TRUE;
    assert_readiness(FALSE, "draining\n"
                            "service calculator: starting\n"
                            "service shop: refused: shop.so: ABI 2  have 1\n"
                            "service bank: backoff: signal 11\n");
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("control_status");
    TCase *tcase = tcase_create("status");
    tcase_add_test(tcase, a_running_service_is_shown_with_its_host_and_workers);
    tcase_add_test(tcase, what_is_not_there_is_null);
    tcase_add_test(tcase, a_refused_reload_and_a_second_generation_are_shown);
    tcase_add_test(tcase, whatever_an_error_says_the_json_stays_whole);
    tcase_add_test(tcase, ready_is_when_every_service_takes_calls);
    tcase_add_test(tcase, a_drain_is_not_ready_though_every_worker_is);
    tcase_add_test(tcase, each_service_that_is_not_ready_says_why_in_one_line);
    suite_add_tcase(suite, tcase);
    return suite;
}
