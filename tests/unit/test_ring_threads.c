/* test_ring_threads.c - the ring's memory ordering, for a checker that follows threads.
 * The front has one thread here, and each worker one of its own.
 *
 * Such a checker knows memory by its address, and the two sides each map the segment for
 * themselves.  So this program compiles layout.c with an mmap() that gives every user of a
 * segment the same address.                                                                  */
#include <glib.h>
#include <sys/mman.h>

static void *one_mapping(void *hint, gsize bytes, int access, int flags, int fd, off_t offset);
static int keep_mapping(void *base, gsize bytes);
#define mmap   one_mapping
#define munmap keep_mapping
#include "actor/ring/layout.c"
#undef mmap
#undef munmap

#include "tests/unit/runner.h"
#include "tests/unit/test_ring_fixture.h"

static void *mapping; /* of the one ring that a test has; gone with the test's process */

static void *one_mapping(void *hint, gsize bytes, int access, int flags, int fd, off_t offset)
{
    if (mapping == NULL)
        mapping = mmap(hint, bytes, access, flags, fd, offset);
    return mapping;
}

static int keep_mapping(void *base, gsize bytes)
{
    (void)base;
    (void)bytes;
    return 0;
}

#define WORKERS 3u

static gpointer run_worker(gpointer user)
{
    RingWorker *worker = user;
    RingCall call;
    RingTake taken;
    while ((taken = ring_worker_take(worker, &call, PATIENCE_USEC)) != RING_STOP)
        if (taken == RING_TAKEN)
            answer_number(worker, &call);
    return NULL;
}

typedef struct {
    RingFront *front;
    RingWorker *workers[WORKERS];
    GThread *threads[WORKERS];
} Mill;

static void mill_start(Mill *mill, guint32 slots)
{
    mill->front = new_front(WORKERS, slots);
    for (guint32 i = 0; i < WORKERS; i++) {
        mill->workers[i] = new_worker(mill->front, i, 1);
        mill->threads[i] = g_thread_new("worker", run_worker, mill->workers[i]);
    }
}

static void mill_stop(Mill *mill)
{
    for (guint32 i = 0; i < WORKERS; i++) {
        ring_front_stop_worker(mill->front, i);
        g_thread_join(mill->threads[i]);
        ring_worker_free(mill->workers[i]);
    }
    ring_front_free(mill->front);
}

START_TEST(threads_answer_every_call_exactly_once)
{
    enum { CALLS = 20000 };
    g_autofree guint8 *ends = g_malloc0(CALLS);
    Mill mill;
    RingDone done;
    mill_start(&mill, WORKERS + 4);
    for (guint32 announced = 0, answered = 0; answered < CALLS; answered++) {
        while (announced < CALLS && ring_front_has_room(mill.front))
            announce_number(mill.front, announced++);
        await_reply(mill.front, &done);
        ends[accept_answer(mill.front, &done)]++;
    }
    for (guint32 number = 0; number < CALLS; number++)
        ck_assert_uint_eq(ends[number], 1);
    mill_stop(&mill);
}
END_TEST

/* Taken back without pause, so that the workers' head is overtaken again and again, and more
 * than one of them finds it so at the same moment. */
START_TEST(a_call_after_many_take_backs_is_found)
{
    enum { ROUNDS = 3000, TAKE_BACKS = 40 };
    Mill mill;
    RingDone done;
    mill_start(&mill, WORKERS);
    for (guint32 round = 0; round < ROUNDS; round++) {
        guint answers = 1;
        for (guint32 i = 0; i < TAKE_BACKS; i++) {
            const guint32 slot = announce_number(mill.front, i);
            if (ring_front_take_back(mill.front, slot))
                continue;
            await_reply(mill.front, &done);
            accept_answer(mill.front, &done);
        }
        for (announce_number(mill.front, round); answers > 0; answers--) {
            await_reply(mill.front, &done);
            ck_assert_uint_eq(accept_answer(mill.front, &done), round);
        }
    }
    mill_stop(&mill);
}
END_TEST

static void take_answer(const Mill *mill, guint8 *ends)
{
    RingDone done;
    await_reply(mill->front, &done);
    ends[accept_answer(mill->front, &done)]++;
}

/* Those that wait are announced again while workers claim them. */
START_TEST(calls_that_wait_through_take_backs_are_answered_exactly_once)
{
    enum { CALLS = 60000, KEPT_OF = 7, SLOTS = WORKERS + 3 };
    g_autofree guint8 *ends = g_malloc0(CALLS), *expected = g_malloc0(CALLS);
    Mill mill;
    mill_start(&mill, SLOTS);
    for (guint32 number = 0; number < CALLS; number++) {
        while (!ring_front_has_room(mill.front))
            take_answer(&mill, ends);
        const guint32 slot = announce_number(mill.front, number);
        expected[number] = number % KEPT_OF == 0 || !ring_front_take_back(mill.front, slot);
    }
    while (ring_front_used_slots(mill.front) > 0)
        take_answer(&mill, ends);
    ck_assert_mem_eq(ends, expected, CALLS);
    mill_stop(&mill);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("ring threads");
    TCase *tcase = tcase_create("threads");
    tcase_set_timeout(tcase, TEST_TIMEOUT_SEC);
    tcase_add_test(tcase, threads_answer_every_call_exactly_once);
    tcase_add_test(tcase, a_call_after_many_take_backs_is_found);
    tcase_add_test(tcase, calls_that_wait_through_take_backs_are_answered_exactly_once);
    suite_add_tcase(suite, tcase);
    return suite;
}
