/* test_protocol_random.c - damaged frames, seeded: whatever the bytes, generated readers
 * neither crash nor touch what is not theirs (make asan), and the next call works. */
#include "tests/unit/protocol_everything.h"
#include "tests/unit/runner.h"

#define SEEDS           20
#define FRAMES_PER_SEED 1000

const char *__asan_default_options(void);

/* Leaks are not looked for here: generated readers lose what they hold when a required field
 * is missing, and the value of a map entry whose key is the enum value 0. */
const char *__asan_default_options(void) { return "detect_leaks=0"; }

static void damage(GRand *rand, guint8 *bytes, gsize length)
{
    gint32 changes = g_rand_int_range(rand, 1, 4);
    for (gint32 i = 0; i < changes; i++)
        bytes[g_rand_int_range(rand, 0, (gint32)length)] = (guint8)g_rand_int(rand);
}

START_TEST(no_damage_to_a_frame_crashes_the_reader)
{
    RingProtocol kind = _i % KINDS;
    g_autoptr(evyAll) all = new_everything();
    g_autoptr(GBytes) good = stock_encode(kind, all);
    g_autoptr(ThriftProtocol) protocol = frame_protocol_new(kind);
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)_i);
    gsize length;
    const guint8 *data = g_bytes_get_data(good, &length);
    guint refused = 0;
    for (guint i = 0; i < FRAMES_PER_SEED; i++) {
        g_autofree guint8 *damaged = g_memdup2(data, length);
        g_autoptr(evyAll) read = g_object_new(EVY_TYPE_ALL, NULL);
        guint8 reply[1];
        damage(rand, damaged, length);
        frame_protocol_begin(protocol, damaged, length, reply, sizeof reply);
        refused += !read_call(protocol, read);
    }
    ck_assert_uint_gt(refused, 0);
    ck_assert_uint_lt(refused, FRAMES_PER_SEED);
    ck_assert_ptr_null(refusal(protocol, data, length));
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("protocol_random");
    TCase *both = tcase_create("binary and compact");
    tcase_set_timeout(both, 120);
    tcase_add_loop_test(both, no_damage_to_a_frame_crashes_the_reader, 0, SEEDS);
    suite_add_tcase(suite, both);
    return suite;
}
