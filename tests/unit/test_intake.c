/* test_intake.c - promises of daemon/front/intake.h: however the bytes come, the messages are
 * the same, and what is held follows the bytes that came. */
#include "daemon/front/intake.h"
#include "daemon/wire/protocol.h"
#include "tests/unit/runner.h"
#include "tests/unit/wire_bytes.h"
#include <string.h>

#define SCRATCH_BYTES   ((gsize)64 * 1024)
#define LIMIT_BYTES     ((gsize)1 << 30)
#define FIRST_BYTES     ((gsize)4096)
#define STEAL_BYTES     ((gsize)16 * 1024)
#define RANDOM_SEEDS    20
#define RANDOM_MESSAGES 100

/* One connection's intake, and the messages that it has given. */
typedef struct {
    Intake intake;
    guint8 *scratch;
    GPtrArray *messages; /* of GBytes */
    GRand *random;       /* NULL: pauses is the answer to every message */
    gboolean pauses;
    const guint8 *held; /* where the test saw an incomplete frame */
    gboolean came_along;
    gsize last_offset;
} Reader;

static void reader_open(Reader *reader)
{
    *reader = (Reader){ .scratch = g_malloc(SCRATCH_BYTES),
                        .messages = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref) };
}

static void reader_clear(Reader *reader)
{
    intake_clear(&reader->intake);
    g_ptr_array_set_size(reader->messages, 0);
}

static void reader_close(Reader *reader)
{
    reader_clear(reader);
    g_ptr_array_unref(reader->messages);
    g_free(reader->scratch);
}

static gboolean on_message(guint8 *buffer, gsize offset, gsize length, gpointer user)
{
    Reader *reader = user;
    g_ptr_array_add(reader->messages, g_bytes_new(buffer + offset, length));
    reader->came_along = buffer == reader->held;
    reader->last_offset = offset;
    g_free(buffer);
    return reader->random != NULL ? g_rand_boolean(reader->random) : !reader->pauses;
}

static void assert_holds_little(const Intake *intake)
{
    ck_assert_uint_le(intake->used, intake->size);
    ck_assert_uint_le(intake->size, MAX(FIRST_BYTES, 2 * intake->used));
}

static WireVerdict take(Reader *reader, const guint8 *bytes, gsize length)
{
    const WireVerdict verdict =
        intake_take(&reader->intake, bytes, length, LIMIT_BYTES, on_message, reader);
    assert_holds_little(&reader->intake);
    return verdict;
}

static WireVerdict go_on(Reader *reader) { return take(reader, NULL, 0); }

/* As one read() would bring it: as much of the bytes as there is room for. */
static WireVerdict read_some(Reader *reader, const guint8 *bytes, gsize length, gsize *taken)
{
    gsize room = SCRATCH_BYTES;
    guint8 *into = intake_reserve(&reader->intake, reader->scratch, LIMIT_BYTES, &room);
    ck_assert_uint_ge(room, 1);
    assert_holds_little(&reader->intake);
    *taken = MIN(room, length);
    memcpy(into, bytes, *taken);
    return take(reader, into, *taken);
}

/* All of the bytes, unless there is a complaint; pauses last no longer than a call. */
static WireVerdict feed(Reader *reader, const guint8 *bytes, gsize length)
{
    WireVerdict verdict = WIRE_OK;
    gsize taken;
    for (gsize at = 0; at < length; at += taken) {
        verdict = read_some(reader, bytes + at, length - at, &taken);
        while (reader->intake.is_paused) {
            const guint came = reader->messages->len;
            verdict = go_on(reader);
            ck_assert(reader->messages->len > came || !reader->intake.is_paused);
        }
        if (verdict != WIRE_OK && verdict != WIRE_MORE)
            return verdict;
    }
    return verdict;
}

/* --- a stream of frames ------------------------------------------------------------------ */

/* Every message has its own bytes, so that one in another's place is seen. */
static void append_frame(GByteArray *stream, guint number, gsize message_bytes)
{
    const guint32 prefix = GUINT32_TO_BE((guint32)message_bytes);
    g_byte_array_append(stream, (const guint8 *)&prefix, sizeof prefix);
    for (gsize i = 0; i < message_bytes; i++) {
        const guint8 byte = (guint8)(number * 31 + i + i / 251);
        g_byte_array_append(stream, &byte, 1);
    }
}

static GByteArray *stream_of(const gsize *sizes, guint count)
{
    GByteArray *stream = g_byte_array_new();
    for (guint number = 0; number < count; number++)
        append_frame(stream, number, sizes[number]);
    return stream;
}

static void assert_nothing_is_held(const Reader *reader)
{
    ck_assert_ptr_null(reader->intake.bytes);
    ck_assert_uint_eq(reader->intake.used, 0);
    ck_assert_uint_eq(reader->intake.size, 0);
}

/* The stream's frames again, put together from the messages; then forgets them. */
static void assert_all_came(Reader *reader, const GByteArray *stream)
{
    gsize at = 0;
    for (guint number = 0; number < reader->messages->len; number++) {
        gsize length;
        const guint8 *data = g_bytes_get_data(reader->messages->pdata[number], &length);
        ck_assert_uint_le(at + WIRE_FRAME_PREFIX_BYTES + length, stream->len);
        at += WIRE_FRAME_PREFIX_BYTES;
        ck_assert_mem_eq(stream->data + at, data, length);
        at += length;
    }
    ck_assert_uint_eq(at, stream->len);
    assert_nothing_is_held(reader);
    reader_clear(reader);
}

/* --- splitting and merging --------------------------------------------------------------- */

START_TEST(frames_in_parts_of_any_sizes_are_the_same_messages)
{
    static const gsize sizes[] = { 2, 1 };
    g_autoptr(GByteArray) stream = stream_of(sizes, G_N_ELEMENTS(sizes));
    Reader reader;
    reader_open(&reader);
    reader.pauses = _i;
    for (guint cuts = 0; cuts < 1u << (stream->len - 1); cuts++) { /* bit b: a cut behind byte b */
        gsize from = 0;
        for (gsize to = 1; to <= stream->len; to++) {
            if (to < stream->len && (cuts >> (to - 1) & 1) == 0)
                continue;
            const WireVerdict verdict = feed(&reader, stream->data + from, to - from);
            ck_assert_int_eq(verdict == WIRE_OK, reader.intake.used == 0);
            from = to;
        }
        ck_assert_uint_eq(reader.messages->len, G_N_ELEMENTS(sizes));
        assert_all_came(&reader, stream);
    }
    reader_close(&reader);
}
END_TEST

START_TEST(a_frame_of_the_first_buffers_size_may_be_cut_anywhere)
{
    const gsize sizes[] = { FIRST_BYTES - WIRE_FRAME_PREFIX_BYTES - 1 + (gsize)_i, 2 };
    g_autoptr(GByteArray) stream = stream_of(sizes, G_N_ELEMENTS(sizes));
    Reader reader;
    reader_open(&reader);
    for (gsize cut = 0; cut <= stream->len; cut++) {
        feed(&reader, stream->data, cut);
        feed(&reader, stream->data + cut, stream->len - cut);
        assert_all_came(&reader, stream);
    }
    reader_close(&reader);
}
END_TEST

static gsize random_size(GRand *random)
{
    static const gsize around[] = { 4, FIRST_BYTES, STEAL_BYTES, SCRATCH_BYTES };
    if (g_rand_boolean(random))
        return (gsize)g_rand_int_range(random, 1, 200);
    const gsize centre = around[g_rand_int_range(random, 0, G_N_ELEMENTS(around))];
    return centre + (gsize)g_rand_int_range(random, 0, 12) - 3;
}

START_TEST(random_frames_in_random_parts_with_random_pauses_all_come)
{
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i);
    gsize sizes[RANDOM_MESSAGES];
    for (guint i = 0; i < RANDOM_MESSAGES; i++)
        sizes[i] = random_size(random);
    g_autoptr(GByteArray) stream = stream_of(sizes, RANDOM_MESSAGES);
    Reader reader;
    reader_open(&reader);
    reader.random = random;
    for (gsize at = 0, part; at < stream->len; at += part) {
        const gsize size = random_size(random);
        part = MIN(size, stream->len - at);
        ck_assert_int_le(feed(&reader, stream->data + at, part), WIRE_MORE);
    }
    ck_assert_uint_eq(reader.messages->len, RANDOM_MESSAGES);
    assert_all_came(&reader, stream);
    reader_close(&reader);
}
END_TEST

/* --- memory ------------------------------------------------------------------------------ */

START_TEST(a_claimed_length_takes_no_memory_before_its_bytes_come)
{
    g_autoptr(GBytes) claim = wire_bytes("40 00 00 00 '10 bytes..'"); /* 1 GiB */
    gsize length, taken;
    const guint8 *data = g_bytes_get_data(claim, &length);
    Reader reader;
    reader_open(&reader);
    ck_assert_int_eq(read_some(&reader, data, length, &taken), WIRE_MORE);
    ck_assert_uint_le(reader.intake.size, FIRST_BYTES);
    memset(reader.scratch, 'x', SCRATCH_BYTES);
    for (guint part = 0; part < 100; part++) /* feed() looks at what is held */
        ck_assert_int_eq(feed(&reader, reader.scratch, 10000), WIRE_MORE);
    ck_assert_uint_eq(reader.intake.used, length + 100 * 10000);
    ck_assert_uint_eq(reader.messages->len, 0);
    reader_close(&reader);
}
END_TEST

START_TEST(a_large_message_takes_its_buffer_along_and_a_small_one_is_copied)
{
    const gsize message_bytes = STEAL_BYTES - 1 + (gsize)_i;
    g_autoptr(GByteArray) stream = stream_of(&message_bytes, 1);
    Reader reader;
    reader_open(&reader);
    feed(&reader, stream->data, stream->len - 1);
    gsize room = SCRATCH_BYTES;
    guint8 *into = intake_reserve(&reader.intake, reader.scratch, LIMIT_BYTES, &room);
    reader.held = reader.intake.bytes;
    *into = stream->data[stream->len - 1];
    ck_assert_int_eq(take(&reader, into, 1), WIRE_OK);
    ck_assert_int_eq(reader.came_along, message_bytes >= STEAL_BYTES);
    ck_assert_uint_eq(reader.last_offset, reader.came_along ? WIRE_FRAME_PREFIX_BYTES : 0);
    assert_all_came(&reader, stream);
    reader_close(&reader);
}
END_TEST

/* --- pausing ----------------------------------------------------------------------------- */

START_TEST(while_paused_each_call_gives_one_message_and_keeps_the_rest)
{
    static const gsize sizes[] = { 3, 1, 20, 1, 5, 8 };
    const guint whole = G_N_ELEMENTS(sizes) - 1;
    g_autoptr(GByteArray) stream = stream_of(sizes, G_N_ELEMENTS(sizes));
    const gsize first_part = stream->len - 5; /* the last frame is cut */
    gsize taken;
    Reader reader;
    reader_open(&reader);
    reader.pauses = TRUE;
    ck_assert_int_eq(read_some(&reader, stream->data, first_part, &taken), WIRE_OK);
    ck_assert_uint_eq(taken, first_part);
    for (guint came = 1; came < whole; came++) {
        ck_assert_uint_eq(reader.messages->len, came);
        ck_assert(reader.intake.is_paused);
        ck_assert_int_eq(go_on(&reader), WIRE_OK);
    }
    for (guint again = 0; again < 3; again++) { /* half a frame does not become a whole one */
        ck_assert_int_eq(go_on(&reader), WIRE_MORE);
        ck_assert(!reader.intake.is_paused);
        ck_assert_uint_eq(reader.messages->len, whole);
    }
    ck_assert_int_eq(feed(&reader, stream->data + first_part, 5), WIRE_OK);
    assert_all_came(&reader, stream);
    reader_close(&reader);
}
END_TEST

START_TEST(wanting_no_more_after_the_last_byte_is_no_pause)
{
    static const gsize sizes[] = { 3, 1 };
    g_autoptr(GByteArray) stream = stream_of(sizes, G_N_ELEMENTS(sizes));
    gsize taken;
    Reader reader;
    reader_open(&reader);
    reader.pauses = TRUE;
    read_some(&reader, stream->data, stream->len, &taken);
    ck_assert(reader.intake.is_paused);
    for (guint again = 0; again < 3; again++) {
        ck_assert_int_eq(go_on(&reader), WIRE_OK);
        ck_assert(!reader.intake.is_paused);
        ck_assert_uint_eq(reader.messages->len, 2);
        assert_nothing_is_held(&reader);
    }
    reader_close(&reader);
}
END_TEST

START_TEST(a_large_frame_that_was_kept_by_a_pause_comes_alone_or_before_another)
{
    static const gsize sizes[] = { 1, STEAL_BYTES, 7 };
    g_autoptr(GByteArray) stream = stream_of(sizes, (guint)_i);
    gsize taken;
    Reader reader;
    reader_open(&reader);
    reader.pauses = TRUE;
    read_some(&reader, stream->data, stream->len, &taken);
    ck_assert_uint_eq(reader.messages->len, 1);
    for (gint came = 2; came <= _i; came++) {
        ck_assert_int_eq(go_on(&reader), WIRE_OK);
        ck_assert_uint_eq(reader.messages->len, came);
    }
    assert_all_came(&reader, stream);
    reader_close(&reader);
}
END_TEST

/* --- complaints -------------------------------------------------------------------------- */

static const struct {
    const gchar *bytes;
    WireVerdict verdict;
} complaints[] = {
    { "'GET / HTTP/1.1'", WIRE_HTTP },
    { "00 00 00 00 'rest'", WIRE_FRAME_EMPTY },
    { "7f ff ff ff 80 01 00 01", WIRE_FRAME_TOO_LARGE },
    { "ff ff ff ff 'rest'", WIRE_FRAME_NEGATIVE },
};

/* Behind two whole frames, with a pause before them or none. */
START_TEST(what_is_complained_about_stays_in_the_intake)
{
    static const gsize sizes[] = { 9, 1 };
    const gsize i = (gsize)_i / 2;
    g_autoptr(GByteArray) stream = stream_of(sizes, G_N_ELEMENTS(sizes));
    g_autoptr(GBytes) bad = wire_bytes(complaints[i].bytes);
    const gsize good_bytes = stream->len, bad_bytes = g_bytes_get_size(bad);
    g_byte_array_append(stream, g_bytes_get_data(bad, NULL), (guint)bad_bytes);
    Reader reader;
    reader_open(&reader);
    reader.pauses = _i % 2;
    for (gsize cut = 0; cut < good_bytes + WIRE_FRAME_PREFIX_BYTES; cut++) {
        ck_assert_int_le(feed(&reader, stream->data, cut), WIRE_MORE);
        ck_assert_int_eq(feed(&reader, stream->data + cut, stream->len - cut),
                         complaints[i].verdict);
        ck_assert_uint_eq(reader.messages->len, 2);
        ck_assert_uint_ge(reader.intake.used, WIRE_FRAME_PREFIX_BYTES);
        ck_assert_uint_le(reader.intake.used, bad_bytes);
        ck_assert_mem_eq(reader.intake.bytes, stream->data + good_bytes, reader.intake.used);
        reader_clear(&reader);
    }
    reader_close(&reader);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("intake");
    TCase *tcase = tcase_create("bytes");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, frames_in_parts_of_any_sizes_are_the_same_messages, 0, 2);
    tcase_add_loop_test(tcase, a_frame_of_the_first_buffers_size_may_be_cut_anywhere, 0, 3);
    tcase_add_loop_test(tcase, random_frames_in_random_parts_with_random_pauses_all_come, 0,
                        RANDOM_SEEDS);
    tcase_add_test(tcase, a_claimed_length_takes_no_memory_before_its_bytes_come);
    tcase_add_loop_test(tcase, a_large_message_takes_its_buffer_along_and_a_small_one_is_copied, 0,
                        3);
    tcase_add_test(tcase, while_paused_each_call_gives_one_message_and_keeps_the_rest);
    tcase_add_test(tcase, wanting_no_more_after_the_last_byte_is_no_pause);
    tcase_add_loop_test(tcase, a_large_frame_that_was_kept_by_a_pause_comes_alone_or_before_another,
                        2, 4);
    tcase_add_loop_test(tcase, what_is_complained_about_stays_in_the_intake, 0,
                        2 * G_N_ELEMENTS(complaints));
    suite_add_tcase(suite, tcase);
    return suite;
}
