/* test_front_reload.c - promises of daemon/front/front.h: listeners and settings change under
 * clients that are there, all or nothing.                                                    */
#include "tests/unit/runner.h"
#include "tests/unit/test_front_fixture.h"

#define ANY_PORT "tcp://127.0.0.1:0"

/* --- refused ----------------------------------------------------------------------------- */

START_TEST(a_change_that_cannot_be_prepared_changes_nothing_and_tells_the_address)
{
    g_autofree gchar *other = unix_address("other");
    g_autofree gchar *settings =
        g_strdup_printf("listen = %s; unix:%s/no/such", other, world.directory);
    g_autoptr(GError) error = NULL;
    world_open("listen = " ANY_PORT);
    g_autoptr(Config) next = config_of(settings);
    ck_assert_ptr_null(front_prepare(world.front, next, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "/no/such"));
    ck_assert(!g_file_test(other + strlen("unix:"), G_FILE_TEST_EXISTS));
    ck_assert_uint_eq(front_n_listeners(world.front), 1);
    call_and_close(connect_to(address_at(0)));
    world_close();
}
END_TEST

START_TEST(what_was_prepared_and_abandoned_is_gone)
{
    g_autofree gchar *other = unix_address("other");
    g_autofree gchar *settings = g_strdup_printf("listen = %s", other);
    g_autoptr(GError) error = NULL;
    int fd;
    world_open("listen = " ANY_PORT);
    g_autoptr(Config) next = config_of(settings);
    FrontChange *change = front_prepare(world.front, next, &error);
    ck_assert_ptr_nonnull(change);
    ck_assert(g_file_test(other + strlen("unix:"), G_FILE_TEST_EXISTS));
    front_abandon(change);
    ck_assert_int_eq(try_connect(other, &fd), ENOENT);
    call_and_close(connect_to(address_at(0)));
    world_close();
}
END_TEST

START_TEST(an_address_that_somebody_else_has_is_refused)
{
    g_autofree gchar *settings = NULL;
    g_autoptr(GError) error = NULL;
    const struct sockaddr_in any = { .sin_family = AF_INET,
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in bound;
    socklen_t length = sizeof bound;
    const int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(taken, (const struct sockaddr *)&any, sizeof any), 0);
    ck_assert_int_eq(listen(taken, 1), 0);
    getsockname(taken, (struct sockaddr *)&bound, &length);
    settings = g_strdup_printf("listen = tcp://127.0.0.1:%u", ntohs(bound.sin_port));
    world_open("listen = " ANY_PORT);
    g_autoptr(Config) next = config_of(settings);
    ck_assert_ptr_null(front_prepare(world.front, next, &error));
    ck_assert_ptr_nonnull(strstr(error->message, settings + strlen("listen = ")));
    call_and_close(connect_to(address_at(0)));
    close(taken);
    world_close();
}
END_TEST

/* --- listeners --------------------------------------------------------------------------- */

START_TEST(listeners_move_and_connections_stay)
{
    g_autofree gchar *first = unix_address("first"), *second = unix_address("second");
    g_autofree gchar *before = g_strdup_printf("listen = " ANY_PORT "; %s", first);
    g_autofree gchar *after = g_strdup_printf("listen = %s; " ANY_PORT, second);
    int fd;
    world_open(before);
    g_autofree gchar *port = g_strdup(address_at(0));
    const int tcp = connect_to(port), file = connect_to(first);
    send_calls(tcp, 1);
    await_replies(tcp, 1);
    send_calls(file, 1);
    await_replies(file, 1);
    change_to(after);
    ck_assert_str_eq(address_at(0), second);
    ck_assert_str_eq(address_at(1), port); /* the port that was chosen stays */
    ck_assert_int_eq(try_connect(first, &fd), ENOENT);
    call_and_close(tcp);
    call_and_close(file);
    call_and_close(connect_to(second));
    call_and_close(connect_to(port));
    world_close();
}
END_TEST

static gboolean is_refused(gpointer user)
{
    const int *fd = user;
    int problem = 0;
    socklen_t length = sizeof problem;
    getsockopt(*fd, SOL_SOCKET, SO_ERROR, &problem, &length);
    return problem == ECONNREFUSED;
}

/* Not connected to be reset, but refused, if only when the client asks again. */
START_TEST(a_port_that_is_no_longer_wanted_is_refused)
{
    g_autofree gchar *file = unix_address("file"), *after = g_strdup_printf("listen = %s", file);
    world_open("listen = " ANY_PORT);
    g_autofree gchar *port = g_strdup(address_at(0));
    change_to(after);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    to.sin_port = htons((guint16)g_ascii_strtoull(strrchr(port, ':') + 1, NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&to, sizeof to), -1);
    ck_assert_int_eq(errno, EINPROGRESS);
    serve_until(is_refused, &fd);
    close(fd);
    world_close();
}
END_TEST

/* Nobody has been accepted yet when the change comes: the loop has not run. */
START_TEST(who_has_connected_before_the_change_is_served_whether_the_address_stays_or_goes)
{
    g_autofree gchar *stays = unix_address("stays"), *goes = unix_address("goes");
    g_autofree gchar *before =
        g_strdup_printf("listen = " ANY_PORT "; tcp://127.0.0.2:0; %s; %s", stays, goes);
    g_autofree gchar *after = g_strdup_printf("listen = " ANY_PORT "; %s", stays);
    int clients[4][8];
    world_open(before);
    for (guint i = 0; i < 4; i++) {
        g_autofree gchar *plain = g_strdup(address_at(i));
        for (guint j = 0; j < 8; j++) {
            clients[i][j] = connect_to(plain);
            send_calls(clients[i][j], 1);
        }
    }
    change_to(after);
    for (guint i = 0; i < 4; i++) {
        for (guint j = 0; j < 8; j++) {
            await_replies(clients[i][j], 1);
            close(clients[i][j]);
        }
    }
    world_close();
}
END_TEST

/* --- settings ---------------------------------------------------------------------------- */

static gint64 closed_idle(void) { return world.stats.daemon[CTR_CLOSED_IDLE]; }

START_TEST(a_shorter_idle_timeout_closes_connections_that_were_idle_before)
{
    static const gchar *const before[] = { "24h", "0" };
    world_open("listen = " ANY_PORT "\nidle-timeout = 24h");
    for (guint i = 0; i < G_N_ELEMENTS(before); i++) {
        g_autofree gchar *settings =
            g_strdup_printf("listen = " ANY_PORT "\nidle-timeout = %s", before[i]);
        change_to(settings);
        const int idle = connect_to(address_at(0));
        send_calls(idle, 1);
        await_replies(idle, 1);
        change_to("listen = " ANY_PORT "\nidle-timeout = 1ms");
        await_end(idle, 0);
        ck_assert_int_eq(closed_idle(), i + 1);
    }
    world_close();
}
END_TEST

START_TEST(a_shorter_frame_timeout_ends_frames_that_had_begun_before)
{
    g_autoptr(GBytes) call = wire_bytes(FRONT_CALL);
    world_open("listen = " ANY_PORT "\nframe-timeout = 24h");
    const int slow = connect_to(address_at(0));
    send_calls(slow, 1);
    await_replies(slow, 1);
    ck_assert_int_eq(send(slow, g_bytes_get_data(call, NULL), 5, 0), 5);
    /* The bytes have been read once a call on another connection has been answered. */
    call_and_close(connect_to(address_at(0)));
    change_to("listen = " ANY_PORT "\nframe-timeout = 1ms");
    await_end(slow, 0);
    ck_assert_int_eq(world.stats.daemon[CTR_CLOSED_FRAME], 1);
    world_close();
}
END_TEST

START_TEST(a_smaller_frame_limit_holds_for_a_frame_that_had_begun_before)
{
    static const guint8 begun[] = { 0, 0, 0x10, 0, 0x80, 1, 0, 1, 0, 0, 0, 1, 'm', 0, 0, 0, 7 };
    world_open("listen = " ANY_PORT "\nmax-frame-bytes = 16K");
    const int fd = connect_to(address_at(0));
    ck_assert_int_eq(send(fd, begun, sizeof begun, 0), sizeof begun);
    call_and_close(connect_to(address_at(0)));
    change_to("listen = " ANY_PORT "\nmax-frame-bytes = 1K");
    ck_assert_int_eq(send(fd, begun, 1, 0), 1);
    await_end(fd, 1); /* it is told which limit */
    ck_assert_int_eq(world.stats.daemon[CTR_PROTOCOL_FRAME_TOO_LARGE], 1);
    world_close();
}
END_TEST

START_TEST(max_connections_changes_and_keeps_who_is_there)
{
    world_open("listen = " ANY_PORT "\nmax-connections = 2");
    const int first = connect_to(address_at(0)), second = connect_to(address_at(0));
    send_calls(first, 1);
    await_replies(first, 1);
    send_calls(second, 1);
    await_replies(second, 1);
    change_to("listen = " ANY_PORT "\nmax-connections = 1");
    await_end(connect_to(address_at(0)), 0);
    ck_assert_int_eq(world.stats.daemon[CTR_CONN_REFUSED], 1);
    send_calls(second, 1);
    await_replies(second, 1);
    change_to("listen = " ANY_PORT "\nmax-connections = 3");
    call_and_close(connect_to(address_at(0)));
    call_and_close(first);
    call_and_close(second);
    world_close();
}
END_TEST

/* --- the end ----------------------------------------------------------------------------- */

static gboolean one_was_accepted(gpointer user)
{
    (void)user;
    return world.stats.daemon[CTR_CONN_ACCEPTED] == 1;
}

/* The loop does not run between the client's sending and the end: nothing of it has been read. */
START_TEST(calls_that_have_reached_the_socket_are_answered_before_the_end)
{
    g_autofree gchar *file = unix_address("file"),
                     *settings = g_strdup_printf("listen = " ANY_PORT "; %s", file);
    world_open(settings);
    for (guint i = 0; i < 2; i++) {
        world.stats.daemon[CTR_CONN_ACCEPTED] = 0;
        const int accepted = connect_to(address_at(i));
        serve_until(one_was_accepted, NULL);
        send_calls(accepted, 5);
        front_finish(world.front);
        await_end(accepted, 5);
    }
    const int waits = connect_to(address_at(0));
    send_calls(waits, 5);
    front_drain(world.front);
    front_finish(world.front);
    await_end(waits, 5);
    world_close();
}
END_TEST

START_TEST(a_frame_that_is_not_whole_at_the_end_is_a_clean_end)
{
    g_autoptr(GBytes) call = wire_bytes(FRONT_CALL);
    world_open("listen = " ANY_PORT);
    const int fd = connect_to(address_at(0));
    serve_until(one_was_accepted, NULL);
    send_calls(fd, 1);
    ck_assert_int_eq(send(fd, g_bytes_get_data(call, NULL), 9, 0), 9);
    front_drain(world.front);
    front_finish(world.front);
    await_end(fd, 1);
    world_close();
}
END_TEST

START_TEST(in_a_drain_a_connection_closes_when_nothing_of_it_is_left_and_not_before)
{
    g_autoptr(GBytes) call = wire_bytes(FRONT_CALL);
    const guint8 *bytes = g_bytes_get_data(call, NULL);
    world_open("listen = " ANY_PORT);
    const int idle = connect_to(address_at(0)), half = connect_to(address_at(0));
    send_calls(half, 1);
    await_replies(half, 1);
    ck_assert_int_eq(send(half, bytes, 9, 0), 9);
    front_drain(world.front);
    await_end(idle, 0);
    ck_assert(!front_is_empty(world.front));
    ck_assert_int_eq(send(half, bytes + 9, g_bytes_get_size(call) - 9, 0),
                     (gssize)g_bytes_get_size(call) - 9);
    await_end(half, 1);
    world_close();
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("front reload");
    TCase *tcase = tcase_create("front reload");
    tcase_set_timeout(tcase, FRONT_TIMEOUT_SEC);
    tcase_add_checked_fixture(tcase, make_directory, remove_directory);
    tcase_add_test(tcase, a_change_that_cannot_be_prepared_changes_nothing_and_tells_the_address);
    tcase_add_test(tcase, what_was_prepared_and_abandoned_is_gone);
    tcase_add_test(tcase, an_address_that_somebody_else_has_is_refused);
    tcase_add_test(tcase, listeners_move_and_connections_stay);
    tcase_add_test(tcase, a_port_that_is_no_longer_wanted_is_refused);
    tcase_add_test(tcase,
                   who_has_connected_before_the_change_is_served_whether_the_address_stays_or_goes);
    tcase_add_test(tcase, a_shorter_idle_timeout_closes_connections_that_were_idle_before);
    tcase_add_test(tcase, a_shorter_frame_timeout_ends_frames_that_had_begun_before);
    tcase_add_test(tcase, a_smaller_frame_limit_holds_for_a_frame_that_had_begun_before);
    tcase_add_test(tcase, max_connections_changes_and_keeps_who_is_there);
    tcase_add_test(tcase, calls_that_have_reached_the_socket_are_answered_before_the_end);
    tcase_add_test(tcase, a_frame_that_is_not_whole_at_the_end_is_a_clean_end);
    tcase_add_test(tcase, in_a_drain_a_connection_closes_when_nothing_of_it_is_left_and_not_before);
    suite_add_tcase(suite, tcase);
    return suite;
}
