/* test_front.c - listeners and limits in a reload: all or nothing, and nobody is turned away. */
#include "daemon/front/front.h"
#include "tests/unit/runner.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct {
    gchar *directory;
    Loop *loop;
    DaemonStats stats;
    Config *config;
    Front *front;
    guint passes_left;
} Fixture;

/* `listen`: names of unix sockets in the fixture's directory, separated by spaces. */
static Config *config_of(const Fixture *fixture, const gchar *listen, const gchar *more)
{
    g_auto(GStrv) names = g_strsplit(listen, " ", -1);
    g_autoptr(GString) text = g_string_new("[daemon]\nlisten = ");
    for (guint i = 0; names[i] != NULL; i++)
        g_string_append_printf(text, "%sunix:%s/%s", i > 0 ? "; " : "", fixture->directory,
                               names[i]);
    g_string_append_printf(text, "\n%s[service shop]\nplugin = shop.so\n", more);
    g_autoptr(GError) error = NULL;
    Config *config = config_parse(text->str, "x.conf", &error);
    ck_assert_msg(config != NULL, "%s", error != NULL ? error->message : "");
    return config;
}

static void fixture_open(Fixture *fixture, const gchar *listen)
{
    g_autoptr(GError) error = NULL;
    *fixture =
        (Fixture){ .directory = g_dir_make_tmp("sluice-front-XXXXXX", NULL), .loop = loop_new() };
    fixture->config = config_of(fixture, listen, "");
    fixture->front = front_new(fixture->loop, fixture->config, NULL, &fixture->stats, &error);
    ck_assert_msg(fixture->front != NULL, "%s", error != NULL ? error->message : "");
}

static gboolean do_not_sleep(gpointer user)
{
    (void)user;
    return TRUE;
}

static void nothing(gpointer user) { (void)user; }

static void count_pass(gpointer user)
{
    Fixture *fixture = user;
    if (fixture->passes_left-- == 0)
        loop_stop(fixture->loop);
}

/* Enough passes for whatever is there to be seen to. */
static void run(Fixture *fixture)
{
    LoopWatcher watcher = { count_pass, do_not_sleep, nothing, fixture, NULL };
    fixture->passes_left = 4;
    loop_add_watcher(fixture->loop, &watcher);
    loop_run(fixture->loop);
    loop_remove_watcher(fixture->loop, &watcher);
}

static void fixture_close(Fixture *fixture)
{
    front_stop_accepting(fixture->front);
    front_close_all(fixture->front);
    for (guint i = 0; i < 100 && !front_is_empty(fixture->front); i++)
        run(fixture);
    front_free(fixture->front);
    loop_free(fixture->loop);
    config_unref(fixture->config);
    ck_assert_int_eq(g_rmdir(fixture->directory), 0); /* no socket file is left */
    g_free(fixture->directory);
}

/* -1: refused. */
static int connect_to(const Fixture *fixture, const gchar *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    g_snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", fixture->directory, name);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static gboolean is_open(int fd)
{
    guint8 byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static void change_to(Fixture *fixture, const gchar *listen, const gchar *more)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) next = config_of(fixture, listen, more);
    FrontChange *change = front_prepare(fixture->front, next, &error);
    ck_assert_msg(change != NULL, "%s", error != NULL ? error->message : "");
    front_commit(fixture->front, change, next);
}

START_TEST(listeners_come_and_go_and_connections_stay)
{
    Fixture fixture;
    fixture_open(&fixture, "a b");
    const int there = connect_to(&fixture, "a");
    run(&fixture);
    change_to(&fixture, "b c", "");
    ck_assert_int_eq(connect_to(&fixture, "a"), -1);
    const int kept = connect_to(&fixture, "b"), fresh = connect_to(&fixture, "c");
    ck_assert_int_ge(kept, 0);
    ck_assert_int_ge(fresh, 0);
    run(&fixture);
    ck_assert_int_eq(fixture.stats.daemon[CTR_CONN_OPEN], 3);
    ck_assert(is_open(there));
    ck_assert_uint_eq(front_n_listeners(fixture.front), 2);
    fixture_close(&fixture);
}
END_TEST

START_TEST(whoever_has_connected_to_an_address_that_goes_is_not_turned_away)
{
    Fixture fixture;
    fixture_open(&fixture, "a b");
    int waiting[10];
    for (guint i = 0; i < G_N_ELEMENTS(waiting); i++)
        waiting[i] = connect_to(&fixture, "a"); /* and the loop has not seen it */
    change_to(&fixture, "b", "");
    run(&fixture);
    ck_assert_int_eq(fixture.stats.daemon[CTR_CONN_OPEN], 10);
    for (guint i = 0; i < G_N_ELEMENTS(waiting); i++)
        ck_assert(is_open(waiting[i]));
    fixture_close(&fixture);
}
END_TEST

START_TEST(an_address_that_cannot_be_opened_leaves_everything_as_it_was)
{
    Fixture fixture;
    g_autoptr(GError) error = NULL;
    fixture_open(&fixture, "a");
    g_autoptr(Config) next = config_of(&fixture, "b none/c", "");
    ck_assert_ptr_null(front_prepare(fixture.front, next, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "none/c"));
    ck_assert_int_eq(connect_to(&fixture, "b"), -1);
    ck_assert_int_ge(connect_to(&fixture, "a"), 0);
    fixture_close(&fixture);
}
END_TEST

START_TEST(before_the_commit_nobody_is_accepted_and_an_abandoned_change_leaves_nothing)
{
    Fixture fixture;
    fixture_open(&fixture, "a");
    g_autoptr(Config) next = config_of(&fixture, "a b", "");
    FrontChange *change = front_prepare(fixture.front, next, NULL);
    const int early = connect_to(&fixture, "b");
    ck_assert_int_ge(early, 0);
    run(&fixture);
    ck_assert_int_eq(fixture.stats.daemon[CTR_CONN_ACCEPTED], 0);
    front_abandon(change);
    ck_assert_int_eq(connect_to(&fixture, "b"), -1);
    ck_assert_uint_eq(front_n_listeners(fixture.front), 1);
    fixture_close(&fixture);
}
END_TEST

START_TEST(a_drain_closes_who_is_idle_and_hears_out_who_has_begun_to_speak)
{
    Fixture fixture;
    fixture_open(&fixture, "a");
    const int idle = connect_to(&fixture, "a"), speaking = connect_to(&fixture, "a");
    run(&fixture);
    ck_assert_int_eq(send(speaking, "", 1, 0), 1); /* and the loop has not seen it */
    front_drain(fixture.front);
    run(&fixture);
    ck_assert(!is_open(idle));
    ck_assert(is_open(speaking));
    ck_assert_int_eq(connect_to(&fixture, "a"), -1);
    fixture_close(&fixture);
}
END_TEST

START_TEST(limits_are_new_at_once)
{
    Fixture fixture;
    fixture_open(&fixture, "a");
    (void)connect_to(&fixture, "a");
    run(&fixture);
    change_to(&fixture, "a", "max-connections = 1\n");
    (void)connect_to(&fixture, "a");
    run(&fixture);
    ck_assert_int_eq(fixture.stats.daemon[CTR_CONN_REFUSED], 1);
    change_to(&fixture, "a", "max-connections = 2\n");
    (void)connect_to(&fixture, "a");
    run(&fixture);
    ck_assert_int_eq(fixture.stats.daemon[CTR_CONN_OPEN], 2);
    fixture_close(&fixture);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("front");
    TCase *tcase = tcase_create("reload");
    tcase_add_test(tcase, listeners_come_and_go_and_connections_stay);
    tcase_add_test(tcase, whoever_has_connected_to_an_address_that_goes_is_not_turned_away);
    tcase_add_test(tcase, an_address_that_cannot_be_opened_leaves_everything_as_it_was);
    tcase_add_test(tcase,
                   before_the_commit_nobody_is_accepted_and_an_abandoned_change_leaves_nothing);
    tcase_add_test(tcase, a_drain_closes_who_is_idle_and_hears_out_who_has_begun_to_speak);
    tcase_add_test(tcase, limits_are_new_at_once);
    suite_add_tcase(suite, tcase);
    return suite;
}
