/* test_oom.c - what the kernel's files say of processes that it killed for memory, and of how
 * much one has. */
#include "daemon/base/oom.h"
#include "daemon/hosts/pool_wear.h"
#include "tests/unit/runner.h"

START_TEST(the_count_is_read_from_both_kinds_of_cgroup)
{
    ck_assert_int_eq(oom_parse("low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n"), 2);
    ck_assert_int_eq(oom_parse("oom_kill_disable 0\nunder_oom 0\noom_kill 7\n"), 7);
}
END_TEST

START_TEST(what_does_not_say_is_no_count)
{
    static const gchar *const texts[] = { "",
                                          "oom_kill",
                                          "oom_kill ",
                                          "oom_kill x",
                                          "oom_kill -1",
                                          "oom_kill 99999999999999999999",
                                          "xoom_kill 3",
                                          "oom_kill_disable 0\nunder_oom 0\n" };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        ck_assert_msg(oom_parse(texts[i]) == -1, "\"%s\"", texts[i]);
}
END_TEST

START_TEST(the_group_that_counts_memory_is_found)
{
    static const struct {
        const gchar *cgroups, *paths;
    } cases[] = {
        { "0::/user.slice/x\n",
          "/sys/fs/cgroup/user.slice/x/memory.events /sys/fs/cgroup/memory.events" },
        { "5:cpu,cpuacct:/a\n4:memory:/b\n",
          "/sys/fs/cgroup/memory/b/memory.oom_control /sys/fs/cgroup/memory/memory.oom_control" },
        { "3:hugetlb,memory:/\n", "/sys/fs/cgroup/memory/memory.oom_control "
                                  "/sys/fs/cgroup/memory/memory.oom_control" },
        { "5:cpu:/a\n4:memoryless:/b\nno line\n", "" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) paths = oom_paths(cases[i].cgroups);
        g_autofree gchar *joined = g_strjoinv(" ", paths);
        ck_assert_str_eq(joined, cases[i].paths);
    }
}
END_TEST

START_TEST(resident_memory_is_the_second_number_of_statm)
{
    ck_assert_uint_eq(pool_wear_parse_statm("1000 25 10 1 0 50 0\n", 4096), 25 * 4096);
    ck_assert_uint_eq(pool_wear_parse_statm("", 4096), 0);
    ck_assert_uint_eq(pool_wear_parse_statm("1000", 4096), 0);
    ck_assert_uint_eq(pool_wear_parse_statm("1000 -5 1", 4096), 0);
    ck_assert_uint_eq(pool_wear_parse_statm("1 18446744073709551615 1", 4096), 0);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("oom");
    TCase *tcase = tcase_create("oom");
    tcase_add_test(tcase, the_count_is_read_from_both_kinds_of_cgroup);
    tcase_add_test(tcase, what_does_not_say_is_no_count);
    tcase_add_test(tcase, the_group_that_counts_memory_is_found);
    tcase_add_test(tcase, resident_memory_is_the_second_number_of_statm);
    suite_add_tcase(suite, tcase);
    return suite;
}
