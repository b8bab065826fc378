/* test_load.c - what the kernel's files say of the machine's use. */
#include "daemon/base/load.h"
#include "tests/unit/runner.h"
#include <string.h>

START_TEST(busy_time_is_all_but_idle_and_waiting_for_disks)
{
    guint64 busy, total;
    ck_assert(load_parse_stat("cpu  10 20 30 400 50 6 7 8 0 0\ncpu0 1 2\n", &busy, &total));
    ck_assert_uint_eq(total, 531);
    ck_assert_uint_eq(busy, 81);
    ck_assert(!load_parse_stat("cpu0 1 2 3 4 5 6 7 8\n", &busy, &total));
    ck_assert(!load_parse_stat("cpu  1 2 3", &busy, &total));
    ck_assert(!load_parse_stat("", &busy, &total));
}
END_TEST

START_TEST(memory_in_use_is_what_is_not_available)
{
    guint16 permille;
    ck_assert(
        load_parse_meminfo("MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 250 kB\n", &permille));
    ck_assert_uint_eq(permille, 750);
    ck_assert(!load_parse_meminfo("MemTotal: 0 kB\nMemAvailable: 0 kB\n", &permille));
    ck_assert(!load_parse_meminfo("MemTotal: 5 kB\nMemAvailable: 6 kB\n", &permille));
    ck_assert(!load_parse_meminfo("MemTotal: 5 kB\n", &permille));
}
END_TEST

START_TEST(pressure_and_traffic_are_counters)
{
    guint64 number;
    ck_assert(load_parse_pressure("some avg10=0.00 avg60=1.50 avg300=0.00 total=4711\nfull ...",
                                  &number));
    ck_assert_uint_eq(number, 4711);
    ck_assert(!load_parse_pressure("full avg10=0.00 total=1\n", &number));
    ck_assert(load_parse_net("Inter-|   Receive\n face |bytes\n    lo: 99 0 0 0 0 0 0 0 99 0\n"
                             "  eth0: 100 1 0 0 0 0 0 0 20 1 0\n  eth1:3 0 0 0 0 0 0 0 4 0\n",
                             &number));
    ck_assert_uint_eq(number, 127);
    ck_assert(!load_parse_net("nothing", &number));
}
END_TEST

START_TEST(a_sample_of_this_machine_is_within_what_there_is)
{
    Load load = { 0 };
    LoadSample sample = load_sample(&load, 1000000);
    ck_assert_uint_eq(sample.cpu_permille, 0); /* nothing to compare with yet */
    sample = load_sample(&load, 2000000);
    ck_assert_uint_le(sample.cpu_permille, 1000);
    ck_assert_uint_le(sample.memory_permille, 1000);
    ck_assert_uint_le(sample.network_permille, 1000);
    ck_assert_uint_le(sample.pressure_permille, 1000);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("load");
    TCase *tcase = tcase_create("load");
    tcase_add_test(tcase, busy_time_is_all_but_idle_and_waiting_for_disks);
    tcase_add_test(tcase, memory_in_use_is_what_is_not_available);
    tcase_add_test(tcase, pressure_and_traffic_are_counters);
    tcase_add_test(tcase, a_sample_of_this_machine_is_within_what_there_is);
    suite_add_tcase(suite, tcase);
    return suite;
}
