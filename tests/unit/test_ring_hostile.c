/* test_ring_hostile.c - whatever a worker writes into the shared memory, sluiced's side reads
 * within bounds, hands each job back once, and says `corrupt` when a reply cannot be true.
 *
 * Run it under a sanitizer, too: make asan.                                                  */
#include "actor/ring/layout.h"
#include "tests/unit/runner.h"
#include "tests/unit/test_ring_fixture.h"

#define WORKERS 3u
#define SLOTS   67u /* more than one word of the done map, and not all of the second */
#define JOBS    400u

static const RingGeometry geometry = { WORKERS, SLOTS, 256, 256 };

typedef struct {
    RingFront *front;
    RingLayout layout; /* the attacker's view of the segment */
    GRand *random;
    guint32 n_announced;
    guint32 slots[SLOTS]; /* of calls that are out: the job's number plus 1; 0: none */
    guint8 ends[JOBS];
} Siege;

static guint32 below(Siege *siege, guint32 end) { return g_rand_int(siege->random) % end; }

/* --- what the attacker does -------------------------------------------------------------- */

static void scribble_anywhere(Siege *siege)
{
    const gsize bytes = siege->layout.total_bytes;
    guint8 *base = (guint8 *)siege->layout.shared;
    for (guint32 i = below(siege, 200); i > 0; i--)
        base[g_rand_int(siege->random) % bytes] = (guint8)g_rand_int(siege->random);
}

static void scribble_over_the_heads(Siege *siege)
{
    guint8 *base = (guint8 *)siege->layout.shared;
    const gsize bytes = (gsize)(siege->layout.calls - base);
    for (gsize i = 0; i < bytes; i++)
        base[i] = (guint8)g_rand_int(siege->random);
}

static guint32 any_length(Siege *siege)
{
    const guint32 lengths[] = { 0,
                                1,
                                255,
                                256,
                                257,
                                RING_HEADERS_MAX,
                                RING_HEADERS_MAX + 1,
                                G_MAXUINT32,
                                g_rand_int(siege->random) };
    return lengths[below(siege, G_N_ELEMENTS(lengths))];
}

/* Almost what an honest worker does. */
static void forge_a_reply(Siege *siege)
{
    const guint32 slot = below(siege, SLOTS);
    SlotHead *head = &siege->layout.slots[slot];
    const guint32 sequence = slot_sequence(atomic_load(&head->word)) + (below(siege, 8) == 0);
    head->outcome = below(siege, RING_OUTCOMES + 1);
    head->body_bytes = any_length(siege);
    head->reply_headers_bytes = any_length(siege);
    atomic_store(&head->word, slot_word((SlotPhase)below(siege, 16), below(siege, WORKERS + 1),
                                        (guint16)below(siege, 3), sequence));
    if (below(siege, 2) == 0)
        atomic_fetch_or(&siege->layout.shared->done_map[slot / 64], G_GUINT64_CONSTANT(1)
                                                                        << slot % 64);
}

static void attack(Siege *siege)
{
    if (below(siege, 40) == 0)
        scribble_over_the_heads(siege);
    else if (below(siege, 4) == 0)
        scribble_anywhere(siege);
    else
        forge_a_reply(siege);
}

/* --- what the front does ----------------------------------------------------------------- */

static void comes_back(Siege *siege, guint32 slot, gpointer job)
{
    ck_assert_uint_lt(slot, SLOTS);
    ck_assert_uint_eq(siege->slots[slot], GPOINTER_TO_UINT(job));
    siege->slots[slot] = 0;
    siege->ends[number_of_job(job)]++;
}

static void on_lost(guint32 slot, gpointer job, const RingClaim *claim, gpointer user)
{
    (void)claim;
    comes_back(user, slot, job);
}

static void on_abandoned(guint32 slot, gpointer job, const RingClaim *claim, gpointer user)
{
    (void)claim;
    comes_back(user, slot, job);
}

/* Reads all that a reply points to. */
static void assert_within_bounds(const RingDone *done)
{
    const RingReply *reply = &done->reply;
    guint sum = 0;
    ck_assert_uint_lt(done->worker, WORKERS);
    ck_assert_uint_lt((guint)reply->outcome, RING_OUTCOMES);
    ck_assert_uint_le(reply->body_bytes, geometry.max_reply_bytes);
    ck_assert_uint_le(reply->headers_bytes, RING_HEADERS_MAX);
    ck_assert_ptr_eq(reply->headers, reply->body + reply->body_bytes);
    for (guint32 i = 0; i < reply->body_bytes; i++)
        sum += reply->body[i];
    for (guint32 i = 0; i < reply->headers_bytes; i++)
        sum += reply->headers[i];
    ck_assert_uint_le(sum, (reply->body_bytes + reply->headers_bytes) * 255);
}

static void announce_if_there_is_room(Siege *siege)
{
    if (siege->n_announced == JOBS || !ring_front_has_room(siege->front))
        return;
    const guint32 number = siege->n_announced++;
    const guint32 slot = below(siege, 2) == 0
                             ? announce_number(siege->front, number)
                             : announce_number_to(siege->front, below(siege, WORKERS), number);
    ck_assert_uint_lt(slot, SLOTS);
    ck_assert_uint_eq(siege->slots[slot], 0);
    siege->slots[slot] = siege->n_announced;
}

static void collect_all(Siege *siege)
{
    RingDone done;
    while (ring_front_collect(siege->front, &done)) {
        assert_within_bounds(&done);
        comes_back(siege, done.slot, done.job);
        ring_front_release(siege->front, done.slot);
    }
}

static void touch_a_call(Siege *siege)
{
    const guint32 slot = below(siege, SLOTS);
    const gpointer job = GUINT_TO_POINTER(siege->slots[slot]);
    RingClaim claim;
    if (job == NULL)
        return;
    ring_front_cancel(siege->front, slot);
    if (ring_front_claim(siege->front, slot, 1000, &claim)) {
        ck_assert_uint_lt(claim.worker, WORKERS);
        ck_assert_int_ge(claim.claimed_usec, 0);
        ck_assert_int_le(claim.claimed_usec, 1000);
        ck_assert_int_le(claim.progress_usec, 1000);
        ck_assert_int_ge(claim.protect_usec, 0);
    }
    if (ring_front_take_back(siege->front, slot))
        comes_back(siege, slot, job);
}

static void act(Siege *siege)
{
    switch (below(siege, 6)) {
    case 0:
        collect_all(siege);
        break;
    case 1:
        touch_a_call(siege);
        break;
    case 2:
        ring_front_worker_gone(siege->front, below(siege, WORKERS), (guint16)below(siege, 3),
                               on_lost, siege);
        break;
    case 3:
        ring_front_arm(siege->front);
        ring_front_disarm(siege->front);
        break;
    case 4:
        ring_front_stop_worker(siege->front, below(siege, WORKERS));
        break;
    default:
        announce_if_there_is_room(siege);
    }
}

START_TEST(scribbled_memory_harms_nobody_and_every_job_comes_back_once)
{
    Siege siege = { .random = g_rand_new_with_seed((guint32)_i) };
    siege.front = ring_front_new(&geometry, NULL);
    ck_assert(ring_layout_map(&siege.layout, &geometry, ring_front_segment_fd(siege.front), NULL));
    for (guint step = 0; step < 3000; step++) {
        if (below(&siege, 3) == 0)
            attack(&siege);
        act(&siege);
    }
    ring_front_abandon(siege.front, on_abandoned, &siege);
    for (guint32 number = 0; number < JOBS; number++)
        ck_assert_uint_eq(siege.ends[number], number < siege.n_announced ? 1 : 0);
    ring_layout_unmap(&siege.layout);
    ring_front_free(siege.front);
    g_rand_free(siege.random);
}
END_TEST

/* --- each lie by itself ------------------------------------------------------------------ */

typedef struct {
    guint32 slot;
    SlotPhase phase;
    guint32 worker;
    gint sequence_off; /* from the true one */
    guint32 outcome, body_bytes, headers_bytes;
    gboolean is_lie;
} Reply;

#define USED_SLOT 0u
#define FREE_SLOT 1u

static const Reply replies[] = {
    { USED_SLOT, SLOT_DONE, 2, 0, RING_OUTCOMES - 1, 256, RING_HEADERS_MAX, FALSE },
    { USED_SLOT, SLOT_DONE, 0, 0, RING_REPLY, 0, 0, FALSE },
    { USED_SLOT, SLOT_READY, 0, 0, RING_REPLY, 0, 0, TRUE },
    { USED_SLOT, SLOT_CLAIMED, 0, 0, RING_REPLY, 0, 0, TRUE },
    { USED_SLOT, SLOT_FREE, 0, 0, RING_REPLY, 0, 0, TRUE },
    { USED_SLOT, (SlotPhase)15, 0, 0, RING_REPLY, 0, 0, TRUE },
    { USED_SLOT, SLOT_DONE, WORKERS, 0, RING_REPLY, 0, 0, TRUE },
    { USED_SLOT, SLOT_DONE, 0, 1, RING_REPLY, 0, 0, TRUE },
    { USED_SLOT, SLOT_DONE, 0, -1, RING_REPLY, 0, 0, TRUE },
    { USED_SLOT, SLOT_DONE, 0, 0, RING_OUTCOMES, 0, 0, TRUE },
    { USED_SLOT, SLOT_DONE, 0, 0, G_MAXUINT32, 0, 0, TRUE },
    { USED_SLOT, SLOT_DONE, 0, 0, RING_REPLY, 257, 0, TRUE },
    { USED_SLOT, SLOT_DONE, 0, 0, RING_REPLY, G_MAXUINT32, 0, TRUE },
    { USED_SLOT, SLOT_DONE, 0, 0, RING_REPLY, 0, RING_HEADERS_MAX + 1, TRUE },
    { FREE_SLOT, SLOT_DONE, 0, 0, RING_REPLY, 0, 0, TRUE },
    { SLOTS, SLOT_DONE, 0, 0, RING_REPLY, 0, 0, TRUE }, /* its bit; there is no such slot */
};

static void write_reply(RingLayout *layout, const Reply *reply)
{
    if (reply->slot < SLOTS) {
        SlotHead *head = &layout->slots[reply->slot];
        const guint32 sequence =
            slot_sequence(atomic_load(&head->word)) + (guint32)reply->sequence_off;
        head->outcome = reply->outcome;
        head->body_bytes = reply->body_bytes;
        head->reply_headers_bytes = reply->headers_bytes;
        atomic_store(&head->word, slot_word(reply->phase, reply->worker, 1, sequence));
    }
    atomic_store(&layout->shared->done_map[reply->slot / 64], G_GUINT64_CONSTANT(1)
                                                                  << reply->slot % 64);
}

static void ignore_abandoned(guint32 slot, gpointer job, const RingClaim *claim, gpointer user)
{
    (void)slot;
    (void)job;
    (void)claim;
    (void)user;
}

START_TEST(a_reply_is_believed_only_if_all_of_it_can_be_true)
{
    const Reply *reply = &replies[_i];
    RingFront *front = ring_front_new(&geometry, NULL);
    RingLayout layout;
    RingDone done;
    ck_assert(ring_layout_map(&layout, &geometry, ring_front_segment_fd(front), NULL));
    ck_assert_uint_eq(announce_number(front, 1), USED_SLOT);
    write_reply(&layout, reply);
    ck_assert(ring_front_arm(front));
    ck_assert_int_eq(ring_front_collect(front, &done), !reply->is_lie);
    ck_assert_int_eq(ring_front_is_corrupt(front), reply->is_lie);
    if (!reply->is_lie)
        ring_front_release(front, done.slot);
    ck_assert_uint_eq(ring_front_used_slots(front), reply->is_lie ? 1 : 0);
    ring_layout_unmap(&layout);
    ring_front_abandon(front, ignore_abandoned, NULL);
    ring_front_free(front);
}
END_TEST

START_TEST(a_reply_given_twice_is_reported_once)
{
    RingFront *front = ring_front_new(&geometry, NULL);
    RingLayout layout;
    RingDone done;
    const Reply honest = { USED_SLOT, SLOT_DONE, 0, 0, RING_REPLY, 0, 0, FALSE };
    ck_assert(ring_layout_map(&layout, &geometry, ring_front_segment_fd(front), NULL));
    announce_number(front, 1);
    const guint64 word = atomic_load(&layout.slots[USED_SLOT].word);
    write_reply(&layout, &honest);
    ck_assert(ring_front_collect(front, &done));
    ring_front_release(front, done.slot);
    atomic_store(&layout.slots[USED_SLOT].word, slot_word(SLOT_DONE, 0, 1, slot_sequence(word)));
    atomic_store(&layout.shared->done_map[0], 1);
    ck_assert(!ring_front_collect(front, &done));
    ck_assert(ring_front_is_corrupt(front));
    ring_layout_unmap(&layout);
    ring_front_free(front);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("ring hostile");
    TCase *tcase = tcase_create("hostile");
    tcase_set_timeout(tcase, TEST_TIMEOUT_SEC);
    tcase_add_loop_test(tcase, a_reply_is_believed_only_if_all_of_it_can_be_true, 0,
                        G_N_ELEMENTS(replies));
    tcase_add_test(tcase, a_reply_given_twice_is_reported_once);
    tcase_add_loop_test(tcase, scribbled_memory_harms_nobody_and_every_job_comes_back_once, 0, 200);
    suite_add_tcase(suite, tcase);
    return suite;
}
