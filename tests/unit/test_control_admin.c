/* test_control_admin.c - the admin address as those see it who send it bytes. */
#include "tests/unit/test_control_fakes.h"
#include "tests/unit/runner.h"
#include "daemon/control/admin.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- a client on the admin's own loop ------------------------------------------------------- */

typedef struct {
    Loop *loop;
    GPtrArray *configs;
    Admin *admin;
    int socket;
    GString *answer;
    guint passes;
} Fixture;

static Admin *admin_at(Fixture *fixture, const gchar *address, GError **error)
{
    g_autofree gchar *text = g_strdup_printf("[daemon]\nadmin = %s\n"
                                             "[service shop]\nplugin = calculator.so\n",
                                             address);
    Config *config = config_parse(text, "test", NULL);
    ck_assert_ptr_nonnull(config);
    g_ptr_array_add(fixture->configs, config);
    const AdminContext context = fake_context(fixture->loop, config);
    return admin_new(&context, error);
}

static Fixture *fixture_new(void)
{
    Fixture *fixture = g_new0(Fixture, 1);
    fixture->loop = loop_new();
    fixture->configs = g_ptr_array_new_with_free_func((GDestroyNotify)config_unref);
    fixture->answer = g_string_new(NULL);
    fake_add_service((gchar *)"shop");
    fixture->admin = admin_at(fixture, "http://127.0.0.1:0", NULL);
    ck_assert_ptr_nonnull(fixture->admin);
    return fixture;
}

static void fixture_free(Fixture *fixture)
{
    admin_free(fixture->admin);
    loop_free(fixture->loop);
    g_ptr_array_unref(fixture->configs);
    g_string_free(fixture->answer, TRUE);
    g_free(fixture);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)

/* The answer ends where the server closes the connection. */
static void read_answer(gpointer user)
{
    Fixture *fixture = user;
    gchar bytes[4096];
    gssize got;
    fixture->passes++;
    while ((got = recv(fixture->socket, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        g_string_append_len(fixture->answer, bytes, got);
    if (got == 0 || errno != EAGAIN)
        loop_stop(fixture->loop);
}

static gboolean nothing_to_do(gpointer user)
{
    (void)user;
    return FALSE;
}
static void no_disarm(gpointer user) { (void)user; }

static void send_request(Fixture *fixture, const gchar *request)
{
    const gchar *port_text = strrchr(admin_address(fixture->admin), ':') + 1;
    guint64 port;
    ck_assert(g_ascii_string_to_unsigned(port_text, 10, 1, G_MAXUINT16, &port, NULL));
    const struct sockaddr_in address = { .sin_family = AF_INET,
                                         .sin_port = htons((guint16)port),
                                         .sin_addr = { htonl(INADDR_LOOPBACK) } };
    fixture->socket = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fixture->socket, (const struct sockaddr *)&address, sizeof address),
                     0);
    ck_assert_int_eq(send(fixture->socket, request, strlen(request), 0), strlen(request));
}

/* What the server says until it closes; valid until the next call. */
static const gchar *wait_for_answer(Fixture *fixture)
{
    LoopWatcher watcher = { read_answer, nothing_to_do, no_disarm, fixture, NULL };
    g_string_truncate(fixture->answer, 0);
    loop_add_watcher(fixture->loop, &watcher);
    loop_run(fixture->loop);
    loop_remove_watcher(fixture->loop, &watcher);
    close(fixture->socket);
    return fixture->answer->str;
}

static const gchar *ask(Fixture *fixture, const gchar *request)
{
    send_request(fixture, request);
    return wait_for_answer(fixture);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static void assert_has(const gchar *answer, const gchar *part)
{
    ck_assert_msg(strstr(answer, part) != NULL, "no '%s' in:\n%s", part, answer);
}

static const gchar *body_of(const gchar *answer)
{
    const gchar *end = strstr(answer, "\r\n\r\n");
    ck_assert_msg(end != NULL, "no end of headers in:\n%s", answer);
    return end + 4;
}

/* --- pages --------------------------------------------------------------------------------------
 */

START_TEST(every_page_of_the_list_answers_with_its_type)
{
    static const struct {
        const gchar *request, *type, *part;
    } cases[] = {
        { GET("/metrics"), "text/plain; version=0.0.4", "\nsluice_build_info{" },
        { GET("/livez"), "text/plain", "ok\n" },
        { GET("/readyz"), "text/plain", "ready\n" },
        { GET("/status"), "application/json", "\"services\"" },
        { GET("/livez?verbose=1"), "text/plain", "ok\n" },
        { "GET /livez HTTP/1.0\r\n\r\n", "text/plain", "ok\n" },
    };
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree gchar *list = g_strdup(ask(fixture, GET("/")));
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const gchar *answer = ask(fixture, cases[i].request);
        g_autofree gchar *type = g_strdup_printf("\r\nContent-Type: %s", cases[i].type);
        g_auto(GStrv) words = g_strsplit_set(cases[i].request, " ?", 3);
        assert_has(answer, " 200 OK\r\n");
        assert_has(answer, type);
        assert_has(body_of(answer), cases[i].part);
        assert_has(body_of(list), words[1]);
    }
}
END_TEST

START_TEST(status_names_the_address_it_was_asked_at)
{
    g_autoptr(Fixture) fixture = fixture_new();
    assert_has(ask(fixture, GET("/status")), admin_address(fixture->admin));
}
END_TEST

START_TEST(not_ready_is_503_while_alive_is_200)
{
    g_autoptr(Fixture) fixture = fixture_new();
    fake.draining = TRUE;
    const gchar *answer = ask(fixture, GET("/readyz"));
    assert_has(answer, "HTTP/1.1 503 ");
    ck_assert_str_eq(body_of(answer), "draining\n");
    assert_has(ask(fixture, GET("/livez")), "HTTP/1.1 200 ");
}
END_TEST

/* --- HTTP ----------------------------------------------------------------------------------------
 */

START_TEST(head_is_get_without_the_body)
{
    g_autoptr(Fixture) fixture = fixture_new();
    const gchar *answer = ask(fixture, "HEAD /livez HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_has(answer, "HTTP/1.1 200 OK\r\n");
    assert_has(answer, "\r\nContent-Length: 3\r\n");
    ck_assert_str_eq(body_of(answer), "");
}
END_TEST

START_TEST(what_is_not_a_page_is_404)
{
    static const gchar *const requests[] = {
        GET("/metric"),    GET("/metrics/"),   GET("//"),
        GET("/%6Detrics"), GET("/../metrics"), GET("http://a")
    };
    g_autoptr(Fixture) fixture = fixture_new();
    for (gsize i = 0; i < G_N_ELEMENTS(requests); i++)
        assert_has(ask(fixture, requests[i]), "HTTP/1.1 404 ");
}
END_TEST

START_TEST(nothing_but_get_and_head_is_allowed)
{
    static const gchar *const methods[] = { "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW" };
    g_autoptr(Fixture) fixture = fixture_new();
    for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
        g_autofree gchar *request = g_strdup_printf(
            "%s /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", methods[i]);
        const gchar *answer = ask(fixture, request);
        assert_has(answer, "HTTP/1.1 405 ");
        assert_has(answer, "\r\nAllow: GET, HEAD\r\n");
    }
}
END_TEST

START_TEST(more_than_a_request_may_be_is_refused)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree gchar *padding = g_strnfill(8192, 'x');
    g_autofree gchar *request =
        g_strdup_printf("GET /livez HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n", padding);
    assert_has(ask(fixture, request), "HTTP/1.1 400 ");
    assert_has(ask(fixture, "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"), "HTTP/1.1 413 ");
    assert_has(ask(fixture, "\x16\x03\x01 not HTTP\r\n\r\n"), "HTTP/1.1 400 ");
}
END_TEST

/* --- the listener
 * ---------------------------------------------------------------------------------- */

START_TEST(port_0_becomes_the_port_that_was_bound)
{
    g_autoptr(Fixture) fixture = fixture_new();
    ck_assert(g_str_has_prefix(admin_address(fixture->admin), "http://127.0.0.1:"));
    ck_assert(!g_str_has_suffix(admin_address(fixture->admin), ":0"));
    assert_has(ask(fixture, GET("/livez")), " 200 "); /* asked at that port */
}
END_TEST

START_TEST(a_name_can_be_bound)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(Admin) admin = admin_at(fixture, "http://localhost:0", NULL);
    ck_assert_ptr_nonnull(admin);
    ck_assert(!g_str_has_suffix(admin_address(admin), ":0"));
}
END_TEST

/* Some machines have no IPv6: they say so, as of any other address. */
START_TEST(an_ipv6_is_bound_and_told_in_brackets)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(Admin) admin = admin_at(fixture, "http://[::1]:0", &error);
    if (admin != NULL)
        ck_assert(g_str_has_prefix(admin_address(admin), "http://[::1]:"));
    else
        assert_has(error->message, "http://[::1]:0: cannot listen: ");
}
END_TEST

START_TEST(an_address_that_cannot_be_bound_is_an_error_that_names_it)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree gchar *taken = g_strdup(admin_address(fixture->admin));
    /* a..b: no name server needs to be asked about an empty label */
    const gchar *const addresses[] = { taken, "http://192.0.2.1:0", "http://a..b:0" };
    for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_ptr_null(admin_at(fixture, addresses[i], &error));
        ck_assert_int_eq(error->domain, G_FILE_ERROR);
        assert_has(error->message, addresses[i]);
    }
}
END_TEST

static void count_line(const gchar *domain, GLogLevelFlags level, const gchar *text, gpointer user)
{
    guint *lines = user;
    (void)domain;
    (void)level;
    assert_has(text, "admin.accept_failed");
    (*lines)++;
}

static void lift_limit(evutil_socket_t fd, short what, void *limit)
{
    (void)fd;
    (void)what;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, limit), 0);
}

START_TEST(without_descriptors_it_waits_instead_of_spinning)
{
    guint lines = 0;
    g_log_set_handler("sluiced", G_LOG_LEVEL_CRITICAL, count_line, &lines);
    g_autoptr(Fixture) fixture = fixture_new();
    send_request(fixture, GET("/livez"));
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit none_free = { (rlim_t)fixture->socket + 1, limit.rlim_max };
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none_free), 0);
    struct event *timer = loop_timer_new(fixture->loop, lift_limit, &limit);
    loop_timer_arm(timer, 100 * 1000);
    assert_has(wait_for_answer(fixture), "HTTP/1.1 200 ");
    event_free(timer);
    ck_assert_uint_eq(lines, 1);
    ck_assert_uint_lt(fixture->passes, 20);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("control_admin");
    TCase *tcase = tcase_create("admin");
    tcase_add_test(tcase, every_page_of_the_list_answers_with_its_type);
    tcase_add_test(tcase, status_names_the_address_it_was_asked_at);
    tcase_add_test(tcase, not_ready_is_503_while_alive_is_200);
    tcase_add_test(tcase, head_is_get_without_the_body);
    tcase_add_test(tcase, what_is_not_a_page_is_404);
    tcase_add_test(tcase, nothing_but_get_and_head_is_allowed);
    tcase_add_test(tcase, more_than_a_request_may_be_is_refused);
    tcase_add_test(tcase, port_0_becomes_the_port_that_was_bound);
    tcase_add_test(tcase, a_name_can_be_bound);
    tcase_add_test(tcase, an_ipv6_is_bound_and_told_in_brackets);
    tcase_add_test(tcase, an_address_that_cannot_be_bound_is_an_error_that_names_it);
    tcase_add_test(tcase, without_descriptors_it_waits_instead_of_spinning);
    suite_add_tcase(suite, tcase);
    return suite;
}
