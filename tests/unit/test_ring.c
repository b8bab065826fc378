/* test_ring.c - promises of ring_front.h and ring_worker.h that need no second process:
 * one thread plays both sides, so every step is in a known order.                          */
#include "tests/unit/runner.h"
#include "tests/unit/test_ring_fixture.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

START_TEST(calls_are_taken_in_the_order_they_were_announced)
{
    g_autoptr(RingFront) front = new_front(2, 4);
    g_autoptr(RingWorker) first = new_worker(front, 0, 1);
    g_autoptr(RingWorker) second = new_worker(front, 1, 1);
    RingWorker *turns[] = { first, second };
    RingCall call;
    RingDone done;
    for (guint32 number = 0; number < 4; number++)
        announce_number(front, number);
    for (guint32 number = 0; number < 4; number++) {
        ck_assert_int_eq(ring_worker_try_take(turns[number % 2], &call), RING_TAKEN);
        ck_assert_uint_eq(number_of_call(&call), number);
        answer_number(turns[number % 2], &call);
    }
    ck_assert_int_eq(ring_worker_try_take(first, &call), RING_NOTHING);
    while (ring_front_collect(front, &done))
        accept_answer(front, &done);
    ck_assert_uint_eq(ring_front_used_slots(front), 0);
}
END_TEST

START_TEST(a_full_ring_has_no_room_until_a_slot_is_released)
{
    g_autoptr(RingFront) front = new_front(1, 3);
    g_autoptr(RingWorker) worker = new_worker(front, 0, 1);
    RingCall call;
    RingDone done;
    for (guint32 number = 0; number < 3; number++) {
        ck_assert(ring_front_has_room(front));
        announce_number(front, number);
    }
    ck_assert(!ring_front_has_room(front));
    ck_assert_int_eq(ring_worker_try_take(worker, &call), RING_TAKEN);
    ck_assert(!ring_front_has_room(front));
    answer_number(worker, &call);
    ck_assert(!ring_front_has_room(front));
    ck_assert(ring_front_collect(front, &done));
    ck_assert(!ring_front_has_room(front));
    accept_answer(front, &done);
    ck_assert(ring_front_has_room(front));
    ck_assert(ring_front_take_back(front, announce_number(front, 3)));
    ck_assert(ring_front_has_room(front));
    for (guint32 slot = 0; slot < 3; slot++)
        if (slot != done.slot)
            ck_assert(ring_front_take_back(front, slot));
}
END_TEST

START_TEST(a_slot_is_used_again_with_nothing_of_the_call_before)
{
    g_autoptr(RingFront) front = new_front(1, 1);
    g_autoptr(RingWorker) worker = new_worker(front, 0, 1);
    RingCall call;
    RingDone done;
    for (guint32 number = 0; number < 100; number++) {
        const guint32 slot = announce_number(front, number);
        ck_assert_int_eq(ring_worker_try_take(worker, &call), RING_TAKEN);
        ck_assert_uint_eq(ring_worker_signals(worker)->cancelled, 0);
        ring_front_cancel(front, slot);
        ck_assert_uint_eq(ring_worker_signals(worker)->cancelled, 1);
        ring_worker_signals(worker)->progress_usec = ring_worker_signals(worker)->protect_usec = 7;
        answer_number(worker, &call);
        ck_assert(ring_front_collect(front, &done));
        ck_assert_uint_eq(done.slot, slot);
        ck_assert_uint_eq(accept_answer(front, &done), number);
        ck_assert(!ring_front_collect(front, &done));
    }
}
END_TEST

START_TEST(a_call_taken_back_reaches_no_worker)
{
    g_autoptr(RingFront) front = new_front(1, 2);
    g_autoptr(RingWorker) worker = new_worker(front, 0, 1);
    RingCall call;
    RingDone done;
    const guint32 slot = announce_number(front, 1);
    announce_number(front, 2);
    ck_assert(ring_front_take_back(front, slot));
    ck_assert_int_eq(ring_worker_try_take(worker, &call), RING_TAKEN);
    ck_assert_uint_eq(number_of_call(&call), 2);
    answer_number(worker, &call);
    ck_assert_int_eq(ring_worker_try_take(worker, &call), RING_NOTHING);
    ck_assert(ring_front_collect(front, &done));
    ck_assert_uint_eq(accept_answer(front, &done), 2);
}
END_TEST

START_TEST(a_claimed_call_is_not_taken_back_and_its_claimant_is_known)
{
    g_autoptr(RingFront) front = new_front(2, 2);
    g_autoptr(RingWorker) worker = new_worker(front, 1, 7);
    RingClaim claim = { 0 };
    RingCall call;
    RingDone done;
    const guint32 slot = announce_number(front, 1);
    ck_assert(!ring_front_claim(front, slot, G_MAXINT64, &claim));
    ck_assert_int_eq(ring_worker_try_take(worker, &call), RING_TAKEN);
    ck_assert(!ring_front_take_back(front, slot));
    ck_assert(ring_front_claim(front, slot, G_MAXINT64, &claim));
    ck_assert_uint_eq(claim.worker, 1);
    ck_assert_uint_eq(claim.incarnation, 7);
    ck_assert_int_eq(claim.claimed_usec, call.claimed_usec);
    ck_assert_int_eq(claim.progress_usec, 0); /* nothing of a call before */
    ck_assert_int_eq(claim.protect_usec, 0);
    answer_number(worker, &call);
    ck_assert(!ring_front_take_back(front, slot));
    ck_assert(ring_front_collect(front, &done));
    ck_assert_uint_eq(done.worker, 1);
    accept_answer(front, &done);
}
END_TEST

/* Two calls stay announced while others come and go in the third slot: their entries fill the
 * ready ring again and again. */
START_TEST(take_backs_without_end_never_push_out_calls_that_wait)
{
    g_autoptr(RingFront) front = new_front(1, 3);
    g_autoptr(RingWorker) worker = new_worker(front, 0, 1);
    RingCall call;
    RingDone done;
    announce_number(front, 0);
    announce_number(front, 1);
    for (guint32 number = 2; number < 1000; number++) {
        ck_assert(ring_front_has_room(front));
        ck_assert(ring_front_take_back(front, announce_number(front, number)));
    }
    for (guint32 number = 0; number < 2; number++) {
        ck_assert_int_eq(ring_worker_try_take(worker, &call), RING_TAKEN);
        ck_assert_uint_eq(number_of_call(&call), number);
        answer_number(worker, &call);
        ck_assert(ring_front_collect(front, &done));
        accept_answer(front, &done);
    }
    ck_assert_int_eq(ring_worker_try_take(worker, &call), RING_NOTHING);
}
END_TEST

START_TEST(a_worker_finds_the_one_call_left_after_take_backs_without_end)
{
    g_autoptr(RingFront) front = new_front(1, 2);
    g_autoptr(RingWorker) worker = new_worker(front, 0, 1);
    RingCall call;
    RingDone done;
    for (guint32 number = 0; number < 1000; number++) {
        ck_assert(ring_front_has_room(front));
        ck_assert(ring_front_take_back(front, announce_number(front, number)));
    }
    announce_number(front, 1000);
    ck_assert_int_eq(ring_worker_try_take(worker, &call), RING_TAKEN);
    ck_assert_uint_eq(number_of_call(&call), 1000);
    answer_number(worker, &call);
    ck_assert_int_eq(ring_worker_try_take(worker, &call), RING_NOTHING);
    ck_assert(ring_front_collect(front, &done));
    accept_answer(front, &done);
}
END_TEST

START_TEST(a_worker_that_is_stopped_takes_no_more_until_its_seat_is_reset)
{
    g_autoptr(RingFront) front = new_front(2, 2);
    g_autoptr(RingWorker) stopped = new_worker(front, 0, 1);
    g_autoptr(RingWorker) other = new_worker(front, 1, 1);
    RingCall call;
    RingDone done;
    announce_number(front, 1);
    ring_front_stop_worker(front, 0);
    ck_assert_int_eq(ring_worker_try_take(stopped, &call), RING_STOP);
    ck_assert_int_eq(ring_worker_take(stopped, &call, PATIENCE_USEC), RING_STOP);
    ck_assert_int_eq(ring_worker_try_take(other, &call), RING_TAKEN);
    answer_number(other, &call);
    ring_front_reset_seat(front, 0);
    announce_number(front, 2);
    ck_assert_int_eq(ring_worker_try_take(stopped, &call), RING_TAKEN);
    answer_number(stopped, &call);
    while (ring_front_collect(front, &done))
        accept_answer(front, &done);
}
END_TEST

/* --- the segment ------------------------------------------------------------------------- */

START_TEST(the_segment_can_neither_shrink_nor_grow_nor_lose_its_seals)
{
    g_autoptr(RingFront) front = new_front(1, 1);
    const int fd = ring_front_segment_fd(front);
    struct stat about;
    ck_assert_int_eq(fstat(fd, &about), 0);
    ck_assert_int_eq(ftruncate(fd, 0), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(ftruncate(fd, about.st_size * 2), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
    ck_assert_int_eq(errno, EPERM);
}
END_TEST

START_TEST(a_file_that_is_no_ring_is_refused)
{
    const int fd = memfd_create("not-a-ring", MFD_CLOEXEC);
    RingGeometry geometry;
    ck_assert(!ring_geometry_read(fd, &geometry));
    ck_assert_int_eq(ftruncate(fd, 1 << 20), 0);
    ck_assert(!ring_geometry_read(fd, &geometry));
    close(fd);
}
END_TEST

#define LARGE_BYTES ((guint32)8 << 20)

static gint64 resident_bytes(const RingFront *front)
{
    struct stat about;
    ck_assert_int_eq(fstat(ring_front_segment_fd(front), &about), 0);
    return (gint64)about.st_blocks * 512;
}

static RingFront *new_large_front(void)
{
    const RingGeometry geometry = { 1, 2, LARGE_BYTES + 64, LARGE_BYTES };
    return ring_front_new(&geometry, NULL);
}

static guint32 announce_large(RingFront *front)
{
    g_autofree guint8 *args = g_malloc0(LARGE_BYTES);
    memset(args, 'a', LARGE_BYTES);
    const RingCall call = { .method = "m", .peer = "", .args = args, .args_bytes = LARGE_BYTES };
    return ring_front_announce(front, &call, args);
}

/* How much of it a slot may keep is the ring's affair; a quarter is much. */
START_TEST(large_messages_give_their_memory_back)
{
    g_autoptr(RingFront) front = new_large_front();
    g_autoptr(RingWorker) worker = new_worker(front, 0, 1);
    RingCall call;
    RingDone done;
    gsize capacity;
    announce_large(front);
    ck_assert_int_eq(ring_worker_try_take(worker, &call), RING_TAKEN);
    guint8 *area = ring_worker_reply_area(worker, &capacity);
    memset(area, 'r', capacity);
    const RingReply reply = { .body = area, .body_bytes = (guint32)capacity };
    ring_worker_finish(worker, &reply);
    ck_assert(ring_front_collect(front, &done));
    ck_assert_int_ge(resident_bytes(front), 2 * (gint64)LARGE_BYTES);
    ring_front_release(front, done.slot);
    ck_assert_int_lt(resident_bytes(front), LARGE_BYTES / 4);
}
END_TEST

START_TEST(a_large_call_taken_back_gives_its_memory_back)
{
    g_autoptr(RingFront) front = new_large_front();
    const guint32 slot = announce_large(front);
    ck_assert_int_ge(resident_bytes(front), LARGE_BYTES);
    ck_assert(ring_front_take_back(front, slot));
    ck_assert_int_lt(resident_bytes(front), LARGE_BYTES / 4);
}
END_TEST

static void ignore_lost(guint32 slot, gpointer job, const RingClaim *claim, gpointer user)
{
    (void)slot;
    (void)job;
    (void)claim;
    (void)user;
}

START_TEST(a_large_reply_that_its_worker_died_over_gives_its_memory_back)
{
    g_autoptr(RingFront) front = new_large_front();
    g_autoptr(RingWorker) worker = new_worker(front, 0, 1);
    RingCall call;
    gsize capacity;
    announce_number(front, 1);
    ck_assert_int_eq(ring_worker_try_take(worker, &call), RING_TAKEN);
    memset(ring_worker_reply_area(worker, &capacity), 'r', LARGE_BYTES);
    ring_front_worker_gone(front, 0, 1, ignore_lost, NULL);
    ck_assert_int_lt(resident_bytes(front), LARGE_BYTES / 4);
}
END_TEST

/* --- our own mistakes -------------------------------------------------------------------- */

START_TEST(a_call_that_does_not_fit_stops_the_process)
{
    RingFront *front = new_front(1, 1);
    guint8 args[MESSAGE_MAX_BYTES] = { 0 };
    const RingCall call = { .method = "", .peer = "", .args = args, .args_bytes = sizeof args };
    ring_front_announce(front, &call, front); /* two NULs too long */
}
END_TEST

START_TEST(announcing_without_room_stops_the_process)
{
    RingFront *front = new_front(1, 1);
    announce_number(front, 1);
    announce_number(front, 2);
}
END_TEST

START_TEST(freeing_a_ring_with_calls_in_it_stops_the_process)
{
    RingFront *front = new_front(1, 1);
    announce_number(front, 1);
    ring_front_free(front);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("ring");
    TCase *calls = tcase_create("calls");
    tcase_add_test(calls, calls_are_taken_in_the_order_they_were_announced);
    tcase_add_test(calls, a_full_ring_has_no_room_until_a_slot_is_released);
    tcase_add_test(calls, a_slot_is_used_again_with_nothing_of_the_call_before);
    tcase_add_test(calls, a_call_taken_back_reaches_no_worker);
    tcase_add_test(calls, a_claimed_call_is_not_taken_back_and_its_claimant_is_known);
    tcase_add_test(calls, take_backs_without_end_never_push_out_calls_that_wait);
    tcase_add_test(calls, a_worker_finds_the_one_call_left_after_take_backs_without_end);
    tcase_add_test(calls, a_worker_that_is_stopped_takes_no_more_until_its_seat_is_reset);
    suite_add_tcase(suite, calls);
    TCase *segment = tcase_create("segment");
    tcase_add_test(segment, the_segment_can_neither_shrink_nor_grow_nor_lose_its_seals);
    tcase_add_test(segment, a_file_that_is_no_ring_is_refused);
    tcase_add_test(segment, large_messages_give_their_memory_back);
    tcase_add_test(segment, a_large_call_taken_back_gives_its_memory_back);
    tcase_add_test(segment, a_large_reply_that_its_worker_died_over_gives_its_memory_back);
    suite_add_tcase(suite, segment);
    TCase *mistakes = tcase_create("mistakes");
    tcase_add_test_raise_signal(mistakes, a_call_that_does_not_fit_stops_the_process, SIGABRT);
    tcase_add_test_raise_signal(mistakes, announcing_without_room_stops_the_process, SIGABRT);
    tcase_add_test_raise_signal(mistakes, freeing_a_ring_with_calls_in_it_stops_the_process,
                                SIGABRT);
    suite_add_tcase(suite, mistakes);
    return suite;
}
