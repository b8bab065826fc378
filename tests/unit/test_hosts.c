/* test_hosts.c - each host has its own count. */
#include "daemon/front/hosts.h"
#include "tests/unit/runner.h"

START_TEST(a_host_has_no_more_than_it_may_whatever_others_have)
{
    Hosts *hosts = hosts_new();
    for (guint i = 0; i < 3; i++)
        ck_assert(hosts_enter(hosts, "192.0.2.7", 3));
    ck_assert(!hosts_enter(hosts, "192.0.2.7", 3));
    ck_assert(hosts_enter(hosts, "192.0.2.8", 3));
    hosts_leave(hosts, "192.0.2.7");
    ck_assert(hosts_enter(hosts, "192.0.2.7", 3));
    ck_assert(!hosts_enter(hosts, "192.0.2.7", 2));
    for (guint i = 0; i < 100; i++)
        ck_assert(hosts_enter(hosts, "192.0.2.7", 0));
    hosts_free(hosts);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("hosts");
    TCase *tcase = tcase_create("hosts");
    tcase_add_test(tcase, a_host_has_no_more_than_it_may_whatever_others_have);
    suite_add_tcase(suite, tcase);
    return suite;
}
