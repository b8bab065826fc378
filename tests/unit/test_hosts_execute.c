/* test_hosts_execute.c - promises of daemon/hosts/execute.h. */
#include "daemon/hosts/execute.h"
#include "tests/unit/runner.h"
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_FDS 5

static int memory_file(const gchar *content)
{
    gchar name[] = "/tmp/sluice-execute-XXXXXX";
    const int fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    unlink(name);
    ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    return fd;
}

/* Runs a shell script with the descriptors from `first` on; its exit status, or -1. */
static int run(const gchar *script, const int *fds, int first)
{
    const gchar *argv[] = { "/bin/sh", "-c", script, NULL }, *environment[] = { "WORD=said", NULL };
    const Execute what = { argv, environment, fds, N_FDS, first };
    pid_t pid;
    int status;
    if (!execute(&what, &pid, NULL))
        return -1;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void open_files(int *fds)
{
    static const gchar *const contents[N_FDS] = { "a", "b", "c", "d", "e" };
    for (guint i = 0; i < N_FDS; i++)
        fds[i] = memory_file(contents[i]);
}

/* Each file is read from its beginning by its number in the child. */
#define HAS(numbers) \
    "for n in " numbers "; do [ \"$(cat /proc/self/fd/${n%:*})\" = ${n#*:} ] || exit 1; done"

START_TEST(the_program_has_each_descriptor_at_its_number)
{
    int fds[N_FDS];
    open_files(fds);
    ck_assert_int_eq(run(HAS("3:a 4:b 5:c 6:d 7:e"), fds, 3), 0);
}
END_TEST

START_TEST(descriptors_that_lie_on_each_others_numbers_come_through)
{
    enum { FIRST = 200 };
    int fds[N_FDS];
    open_files(fds);
    for (int i = 0; i < N_FDS; i++) {
        const int at = FIRST + (i + 2) % N_FDS;
        ck_assert_int_eq(dup3(fds[i], at, O_CLOEXEC), at);
        fds[i] = at;
    }
    ck_assert_int_eq(run(HAS("200:a 201:b 202:c 203:d 204:e"), fds, FIRST), 0);
}
END_TEST

START_TEST(the_program_has_no_other_descriptor_and_an_empty_input)
{
    int fds[N_FDS];
    open_files(fds);
    ck_assert_int_eq(
        run("[ $WORD = said ] && [ -z \"$(cat)\" ] && exec 3>&- 4>&- 5>&- 6>&- 7>&- && "
            "for fd in 3 4 5 6 7 8 9; do [ ! -e /proc/$$/fd/$fd ] || exit 1; done",
            fds, 3),
        0);
}
END_TEST

START_TEST(a_program_that_is_not_there_is_told_of)
{
    const gchar *argv[] = { "/nowhere/program", NULL }, *environment[] = { NULL };
    const Execute what = { argv, environment, NULL, 0, 3 };
    g_autoptr(GError) error = NULL;
    pid_t pid;
    ck_assert(!execute(&what, &pid, &error));
    ck_assert_str_eq(error->message, "cannot execute /nowhere/program: No such file or directory");
}
END_TEST

static guint open_descriptors(void)
{
    guint bits = 0;
    for (int fd = 0; fd < 32; fd++)
        bits |= fcntl(fd, F_GETFD) >= 0 ? 1u << fd : 0;
    return bits;
}

/* Whatever is short: the child gets all of it, or there is none; here nothing is closed. */
START_TEST(without_free_descriptors_none_of_ours_is_closed)
{
    int fds[N_FDS];
    open_files(fds);
    const guint before = open_descriptors();
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    for (rlim_t most = (rlim_t)fds[N_FDS - 1] + 1; most < 30; most++) {
        limit.rlim_cur = most;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        const int status = run(":", fds, 3);
        ck_assert(status == 0 || status == -1);
        ck_assert_uint_eq(open_descriptors(), before);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("execute");
    TCase *tcase = tcase_create("execute");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, the_program_has_each_descriptor_at_its_number);
    tcase_add_test(tcase, descriptors_that_lie_on_each_others_numbers_come_through);
    tcase_add_test(tcase, the_program_has_no_other_descriptor_and_an_empty_input);
    tcase_add_test(tcase, a_program_that_is_not_there_is_told_of);
    tcase_add_test(tcase, without_free_descriptors_none_of_ours_is_closed);
    suite_add_tcase(suite, tcase);
    return suite;
}
