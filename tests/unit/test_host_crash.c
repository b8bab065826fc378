/* test_host_crash.c - the methods of handlers/crash end as idl/crash.thrift says.  What the
 * daemon makes of it is tested end to end.
 * no tsan: its own thread would be one that load() left running. */
#include "tests/unit/runner.h"
#include "tests/unit/test_host_fixture.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>

#define NUMBER 7

/* With one argument, which methods that take none ignore. */
static RingOutcome run_crash(const gchar *method)
{
    g_autoptr(Caller) caller = caller_of_plugin("handlers/crash.so", RING_COMPACT);
    args_i32(caller_args(caller), 1, NUMBER);
    return caller_run(caller, method, caller_end_args(caller), FALSE);
}

START_TEST(segfault_ends_by_signal) { run_crash("segfault"); }
END_TEST

START_TEST(segfault_oneway_ends_by_signal) { run_crash("segfault_oneway"); }
END_TEST

START_TEST(do_abort_ends_by_signal) { run_crash("do_abort"); }
END_TEST

START_TEST(overflow_stack_ends_by_signal) { run_crash("overflow_stack"); }
END_TEST

START_TEST(do_exit_ends_with_its_status) { run_crash("do_exit"); }
END_TEST

/* The timer counts CPU time only, so the loop must burn it to come to its end. */
START_TEST(loop_forever_burns_cpu)
{
    const struct itimerval cpu = { .it_value.tv_usec = 50000 };
    setitimer(ITIMER_VIRTUAL, &cpu, NULL);
    run_crash("loop_forever");
}
END_TEST

START_TEST(scribble_writes_over_all_of_the_ring_and_nothing_else)
{
    enum { BYTES = 65536 };
    int ring = memfd_create("sluice-ring", MFD_CLOEXEC);
    int other = memfd_create("other", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(ring, BYTES), 0);
    ck_assert_int_eq(ftruncate(other, BYTES), 0);
    const int access = PROT_READ | PROT_WRITE;
    const guint8 *shared = mmap(NULL, BYTES, access, MAP_SHARED, ring, 0);
    const guint8 *untouched = mmap(NULL, BYTES, access, MAP_SHARED, other, 0);
    ck_assert_int_eq(run_crash("scribble"), RING_REPLY);
    guint zeros = 0;
    for (gsize i = 0; i < BYTES; i++) {
        zeros += shared[i] == 0;
        ck_assert_uint_eq(untouched[i], 0);
    }
    ck_assert_uint_lt(zeros, BYTES / 128); /* a random byte in 256 is 0 */
}
END_TEST

/* A sanitizer takes these to report them; here they end the process, as without one. */
static void reset_signals(void)
{
    const struct sigaction usual = { .sa_handler = SIG_DFL };
    sigaction(SIGSEGV, &usual, NULL);
    sigaction(SIGABRT, &usual, NULL);
}

Suite *test_suite(void)
{
    Suite *suite = suite_create("host crash");
    TCase *tcase = tcase_create("ends");
    tcase_add_checked_fixture(tcase, reset_signals, NULL);
    tcase_add_test_raise_signal(tcase, segfault_ends_by_signal, SIGSEGV);
    tcase_add_test_raise_signal(tcase, segfault_oneway_ends_by_signal, SIGSEGV);
    tcase_add_test_raise_signal(tcase, do_abort_ends_by_signal, SIGABRT);
    tcase_add_test_raise_signal(tcase, overflow_stack_ends_by_signal, SIGSEGV);
    tcase_add_exit_test(tcase, do_exit_ends_with_its_status, NUMBER);
    tcase_add_test_raise_signal(tcase, loop_forever_burns_cpu, SIGVTALRM);
    tcase_add_test(tcase, scribble_writes_over_all_of_the_ring_and_nothing_else);
    suite_add_tcase(suite, tcase);
    return suite;
}
