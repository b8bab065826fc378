/* test_counters.c - the ledger: every call that came in is in exactly one place. */
#include "daemon/base/counters.h"
#include "tests/unit/runner.h"

/* Where a call can be: each row of counters.def between RECEIVED and RUNNING. */
START_TEST(a_call_in_any_one_place_balances)
{
    ServiceStats stats = { 0 };
    stats.service[CTR_RECEIVED] = 1;
    ck_assert(!service_stats_ledger_balances(&stats));
    stats.service[_i] = 1;
    ck_assert(service_stats_ledger_balances(&stats));
    stats.service[_i] = 2;
    ck_assert(!service_stats_ledger_balances(&stats));
}
END_TEST

START_TEST(other_numbers_are_not_in_the_ledger)
{
    ServiceStats stats = { 0 };
    ck_assert_int_ne(_i, CTR_RECEIVED);
    stats.service[_i] = 1;
    ck_assert(service_stats_ledger_balances(&stats));
}
END_TEST

START_TEST(a_call_that_is_lost_on_the_way_or_counted_twice_shows)
{
    ServiceStats stats = { 0 };
    stats.service[CTR_RECEIVED] = 3;
    stats.service[CTR_COMPLETED] = 1;
    stats.service[CTR_QUEUED] = 1;
    ck_assert(!service_stats_ledger_balances(&stats));
    stats.service[CTR_LOST_WORKER_CRASHED] = 2;
    ck_assert(!service_stats_ledger_balances(&stats));
    stats.service[CTR_LOST_WORKER_CRASHED] = 1;
    ck_assert(service_stats_ledger_balances(&stats));
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("counters");
    TCase *tcase = tcase_create("ledger");
    tcase_add_loop_test(tcase, a_call_in_any_one_place_balances, CTR_REFUSED_UNKNOWN_SERVICE,
                        CTR_RUNNING + 1);
    tcase_add_loop_test(tcase, other_numbers_are_not_in_the_ledger, CTR_RUNNING + 1,
                        SERVICE_COUNTERS);
    tcase_add_test(tcase, a_call_that_is_lost_on_the_way_or_counted_twice_shows);
    suite_add_tcase(suite, tcase);
    return suite;
}
