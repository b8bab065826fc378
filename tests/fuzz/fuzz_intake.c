/* fuzz_intake.c - the messages of a connection are the same however its bytes are cut: all at
 * once, one by one, and as the input's first bytes say. */
#include "daemon/front/intake.h"
#include <stdlib.h>
#include <string.h>

#define MOST    ((gsize)1 << 14)
#define SCRATCH ((gsize)4096)
#define CUTS    8u

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static gboolean note(guint8 *buffer, gsize offset, gsize bytes, gpointer user)
{
    GByteArray *seen = user;
    g_byte_array_append(seen, (const guint8 *)&bytes, sizeof bytes);
    g_byte_array_append(seen, buffer + offset, (guint)bytes);
    g_free(buffer);
    return TRUE;
}

/* How far the n-th piece reaches. */
static gsize piece(const guint8 *cuts, guint n)
{
    return cuts == NULL ? 1 : (gsize)cuts[n % CUTS] + 1;
}

static WireVerdict feed(const guint8 *data, gsize size, const guint8 *cuts, gboolean whole,
                        GByteArray *seen)
{
    Intake intake = { .transport = WIRE_TRANSPORT_UNKNOWN };
    guint8 scratch[SCRATCH];
    WireVerdict verdict = WIRE_OK;
    for (guint n = 0; size > 0 && (verdict == WIRE_OK || verdict == WIRE_MORE); n++) {
        gsize room = sizeof scratch;
        guint8 *into = intake_reserve(&intake, scratch, MOST, &room);
        const gsize count = MIN(MIN(size, room), whole ? G_MAXSIZE : piece(cuts, n));
        memcpy(into, data, count);
        verdict = intake_take(&intake, into, count, MOST, note, seen);
        data += count;
        size -= count;
    }
    intake_clear(&intake);
    return verdict;
}

static gboolean same(const GByteArray *a, const GByteArray *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    if (size <= CUTS)
        return 0;
    g_autoptr(GByteArray) at_once = g_byte_array_new(), one_by_one = g_byte_array_new(),
                          cut = g_byte_array_new();
    const guint8 *bytes = data + CUTS;
    const WireVerdict verdict = feed(bytes, size - CUTS, NULL, TRUE, at_once);
    if (feed(bytes, size - CUTS, NULL, FALSE, one_by_one) != verdict ||
        feed(bytes, size - CUTS, data, FALSE, cut) != verdict)
        abort();
    if (!same(one_by_one, at_once) || !same(cut, at_once))
        abort();
    return 0;
}
