/* test_socket_file.c - a unix socket's file is there while its owner lives, and nobody's file
 * is taken from him.                                                                        */
#include "daemon/front/socket_file.h"
#include "tests/unit/runner.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEST_TIMEOUT_SEC 30

static gchar *directory;
static gchar *path, *second_path;

static void make_directory(void)
{
    directory = g_dir_make_tmp("sluice-XXXXXX", NULL);
    path = g_build_filename(directory, "socket", NULL);
    second_path = g_build_filename(directory, "second", NULL);
}

static void remove_directory(void)
{
    g_unlink(path);
    g_unlink(second_path);
    ck_assert_int_eq(g_rmdir(directory), 0); /* nothing else is left behind */
    g_free(directory);
    g_free(path);
    g_free(second_path);
}

static int new_socket(void) { return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }

static gboolean exists(const gchar *file)
{
    struct stat about;
    return lstat(file, &about) == 0;
}

static gboolean can_connect(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const int fd = new_socket();
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    const gboolean connected = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return connected;
}

static SocketFile *listen_there(int *fd)
{
    g_autoptr(GError) error = NULL;
    SocketFile *file = socket_file_listen(path, fd, &error);
    ck_assert_msg(file != NULL, "%s", error != NULL ? error->message : "no error told");
    ck_assert(can_connect());
    return file;
}

static void assert_refused(void)
{
    g_autoptr(GError) error = NULL;
    int fd;
    ck_assert_ptr_null(socket_file_listen(path, &fd, &error));
    ck_assert_ptr_nonnull(error);
    ck_assert_ptr_nonnull(strstr(error->message, path));
}

START_TEST(a_socket_file_is_there_until_it_is_removed)
{
    int fd;
    SocketFile *file = listen_there(&fd);
    close(fd);
    socket_file_remove(file);
    ck_assert(!exists(path));
    ck_assert_int_eq(waitpid(-1, NULL, 0), -1); /* the sweeper has gone, too */
    ck_assert_int_eq(errno, ECHILD);
}
END_TEST

static guint n_descriptors(const gchar *pid)
{
    g_autofree gchar *name = g_strdup_printf("/proc/%s/fd", pid);
    g_autoptr(GDir) descriptors = g_dir_open(name, 0, NULL);
    guint n = 0;
    ck_assert_ptr_nonnull(descriptors);
    while (g_dir_read_name(descriptors) != NULL)
        n++;
    return n;
}

/* Or a sweeper that is slow to begin would keep the socket of an owner that is killed at once. */
START_TEST(a_sweeper_has_let_go_of_the_owners_descriptors_when_the_file_is_there)
{
    g_autofree gchar *children = NULL;
    int fd;
    SocketFile *file = listen_there(&fd);
    g_autofree gchar *name = g_strdup_printf("/proc/self/task/%d/children", gettid());
    ck_assert(g_file_get_contents(name, &children, NULL, NULL));
    ck_assert_uint_eq(n_descriptors(g_strchomp(children)), 2);
    close(fd);
    socket_file_remove(file);
}
END_TEST

/* --- files that are there already -------------------------------------------------------- */

static void leave_a_stale_file(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const int fd = new_socket();
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    ck_assert(exists(path) && !can_connect());
}

START_TEST(a_file_that_nobody_listens_on_is_taken_over)
{
    int fd;
    leave_a_stale_file();
    SocketFile *file = listen_there(&fd);
    close(fd);
    socket_file_remove(file);
    ck_assert(!exists(path));
}
END_TEST

START_TEST(a_file_that_somebody_listens_on_is_left_to_him)
{
    int fd;
    SocketFile *file = listen_there(&fd);
    assert_refused();
    ck_assert(can_connect());
    close(fd);
    socket_file_remove(file);
}
END_TEST

START_TEST(a_file_that_is_no_socket_is_left_alone)
{
    ck_assert(g_file_set_contents(path, "precious", -1, NULL));
    assert_refused();
    ck_assert(exists(path));
}
END_TEST

START_TEST(a_link_to_a_file_is_left_alone)
{
    g_autofree gchar *target = g_build_filename(directory, "target", NULL);
    ck_assert(g_file_set_contents(target, "precious", -1, NULL));
    ck_assert_int_eq(symlink(target, path), 0);
    assert_refused();
    ck_assert(exists(path));
    ck_assert_int_eq(g_unlink(target), 0);
}
END_TEST

START_TEST(a_file_that_another_has_put_in_its_place_is_not_removed)
{
    int fd;
    SocketFile *file = listen_there(&fd);
    ck_assert_int_eq(g_unlink(path), 0);
    leave_a_stale_file();
    close(fd);
    socket_file_remove(file);
    ck_assert(exists(path));
}
END_TEST

START_TEST(a_path_that_is_too_long_is_refused_with_the_limit)
{
    g_autofree gchar *name = g_strnfill(108, 'x');
    g_autoptr(GError) error = NULL;
    int fd;
    ck_assert_ptr_null(socket_file_listen(name, &fd, &error));
    ck_assert_int_eq(error->code, G_FILE_ERROR_NAMETOOLONG);
    ck_assert_ptr_nonnull(strstr(error->message, "107"));
}
END_TEST

START_TEST(a_directory_that_is_not_there_is_an_error_with_the_path)
{
    g_free(path);
    path = g_build_filename(directory, "missing", "socket", NULL);
    assert_refused();
}
END_TEST

/* --- an owner that is killed ------------------------------------------------------------- */

/* As many as clients may bring: the kernel takes a while to close them. */
static void open_many_descriptors(void)
{
    for (guint i = 0; i < 200; i++) {
        int pair[2];
        g_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    }
}

/* Its orphans come to us, so that their end can be waited for. */
static pid_t fork_owner(void)
{
    int listens[2];
    gchar byte = 0;
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    ck_assert_int_eq(pipe(listens), 0);
    const pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        int fd;
        g_assert(setpgid(0, 0) == 0);
        g_assert(socket_file_listen(path, &fd, NULL) != NULL);
        g_assert(socket_file_listen(second_path, &fd, NULL) != NULL);
        open_many_descriptors();
        g_assert(write(listens[1], &byte, 1) == 1);
        for (;;)
            pause();
    }
    ck_assert_int_eq(read(listens[0], &byte, 1), 1);
    close(listens[0]);
    close(listens[1]);
    return pid;
}

/* The owner first, and then what is left of it: a sweeper for each file. */
static void kill_and_wait_for_the_sweepers(pid_t owner)
{
    ck_assert_int_eq(kill(owner, SIGKILL), 0);
    ck_assert_int_eq(waitpid(owner, NULL, 0), owner);
    for (guint i = 0; i < 2; i++)
        ck_assert_int_gt(waitpid(-1, NULL, 0), 0);
}

START_TEST(the_files_of_a_killed_owner_are_swept_away)
{
    const pid_t owner = fork_owner();
    ck_assert(can_connect() && exists(second_path));
    kill_and_wait_for_the_sweepers(owner);
    ck_assert(!exists(path));
    ck_assert(!exists(second_path));
}
END_TEST

START_TEST(the_sweeper_leaves_what_has_replaced_the_file)
{
    const pid_t owner = fork_owner();
    ck_assert_int_eq(g_unlink(path), 0);
    leave_a_stale_file();
    kill_and_wait_for_the_sweepers(owner);
    ck_assert(exists(path));
}
END_TEST

/* From its first instruction on: the owner is killed by a signal to its group, as by a terminal
 * that closes. */
START_TEST(a_signal_to_the_owners_process_group_spares_its_sweepers)
{
    const pid_t owner = fork_owner();
    ck_assert_int_eq(kill(-owner, SIGHUP), 0);
    kill_and_wait_for_the_sweepers(owner);
    ck_assert(!exists(path));
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("socket file");
    TCase *tcase = tcase_create("file");
    tcase_set_timeout(tcase, TEST_TIMEOUT_SEC);
    tcase_add_checked_fixture(tcase, make_directory, remove_directory);
    tcase_add_test(tcase, a_socket_file_is_there_until_it_is_removed);
    tcase_add_loop_test(
        tcase, a_sweeper_has_let_go_of_the_owners_descriptors_when_the_file_is_there, 0, 20);
    tcase_add_test(tcase, a_file_that_nobody_listens_on_is_taken_over);
    tcase_add_test(tcase, a_file_that_somebody_listens_on_is_left_to_him);
    tcase_add_test(tcase, a_file_that_is_no_socket_is_left_alone);
    tcase_add_test(tcase, a_link_to_a_file_is_left_alone);
    tcase_add_test(tcase, a_file_that_another_has_put_in_its_place_is_not_removed);
    tcase_add_test(tcase, a_path_that_is_too_long_is_refused_with_the_limit);
    tcase_add_test(tcase, a_directory_that_is_not_there_is_an_error_with_the_path);
    tcase_add_test(tcase, the_files_of_a_killed_owner_are_swept_away);
    tcase_add_test(tcase, the_sweeper_leaves_what_has_replaced_the_file);
    tcase_add_test(tcase, a_signal_to_the_owners_process_group_spares_its_sweepers);
    suite_add_tcase(suite, tcase);
    return suite;
}
