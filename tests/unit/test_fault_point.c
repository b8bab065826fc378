/* test_fault_point.c - promises of actor/fault/fault_point.h, in programs that are installed; those
 * with faults in them are tested end to end (tests/e2e/test_faults.py).                     */
#include "actor/fault/fault_point.h"
#include "tests/unit/runner.h"

START_TEST(without_faults_no_point_fails_whatever_the_environment_says)
{
    g_setenv("SLUICE_FAULTS", "accept=F*", TRUE);
    for (guint i = 0; i < 10; i++)
        ck_assert(!FAULT_AT(ACCEPT));
}
END_TEST

/* What the compiler cannot tell at once is not left out of the program either. */
static const gboolean never = FAULT_AT(ACCEPT);

START_TEST(without_faults_a_point_is_a_constant) { ck_assert(!never); }
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("fault_point");
    TCase *tcase = tcase_create("fault_point");
    tcase_add_test(tcase, without_faults_no_point_fails_whatever_the_environment_says);
    tcase_add_test(tcase, without_faults_a_point_is_a_constant);
    suite_add_tcase(suite, tcase);
    return suite;
}
