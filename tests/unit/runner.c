/* runner.c - main() of every unit test program.
 *
 * Each test runs in a child of its own (Check's fork mode), so a crash is one red test.
 * CK_FORK=no runs them in place, for a debugger or a sanitizer that cannot follow forks. */
#include "tests/unit/runner.h"
#include <stdlib.h>

int main(void)
{
    SRunner *runner = srunner_create(test_suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
