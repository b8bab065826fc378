#include "daemon/front/intake.h"
#include <string.h>

#define FIRST_BYTES ((gsize)4096)

/* A message from here on is not copied: it takes the buffer along. */
#define STEAL_BYTES ((gsize)16 * 1024)

static void forget_bytes(Intake *intake)
{
    intake->bytes = NULL;
    intake->used = intake->size = 0;
    intake->is_paused = FALSE;
    g_clear_pointer(&intake->partial, g_free);
}

void intake_clear(Intake *intake)
{
    g_free(intake->bytes);
    forget_bytes(intake);
}

/* How many bytes the message will have with what carries it; 0: that does not show. */
static gsize whole_bytes(const Intake *intake, gsize max_message_bytes)
{
    WireScan scan;
    WireExtent extent;
    if (intake->transport == WIRE_TRANSPORT_UNFRAMED)
        return 0;
    wire_scan_begin(&scan, intake->transport);
    wire_message_find(&scan, intake->bytes, intake->used, max_message_bytes, &extent);
    return extent.bytes > 0 ? extent.offset + extent.bytes : 0;
}

guint8 *intake_reserve(Intake *intake, guint8 *scratch, gsize max_message_bytes, gsize *room)
{
    if (intake->used == 0)
        return scratch;
    if (intake->used == intake->size) {
        const gsize wanted = whole_bytes(intake, max_message_bytes);
        const gsize doubled = MAX(FIRST_BYTES, intake->size * 2);
        g_assert(wanted == 0 || wanted > intake->used);
        intake->size = wanted > 0 ? MIN(wanted, doubled) : doubled;
        intake->bytes = g_realloc(intake->bytes, intake->size);
    }
    *room = intake->size - intake->used;
    return intake->bytes + intake->used;
}

static void keep(Intake *intake, const guint8 *bytes, gsize length)
{
    intake->size = MAX(FIRST_BYTES, length);
    intake->bytes = g_malloc(intake->size);
    intake->used = length;
    memcpy(intake->bytes, bytes, length);
}

void intake_hold(Intake *intake, const guint8 *bytes, gsize length)
{
    g_assert(intake->used == 0);
    keep(intake, bytes, length);
    intake->is_paused = TRUE;
}

guint8 *intake_steal(Intake *intake, gsize *length)
{
    guint8 *bytes = intake->bytes;
    *length = intake->used;
    forget_bytes(intake);
    return bytes;
}

/* Copies the whole messages out of bytes that are somebody else's; keeps the rest. */
static WireVerdict split(Intake *intake, const guint8 *bytes, gsize length, gsize max_message_bytes,
                         IntakeMessage message, gpointer user)
{
    gsize at = 0;
    WireExtent found;
    WireScan scan;
    while (at < length) {
        wire_scan_begin(&scan, intake->transport);
        const WireVerdict verdict =
            wire_message_find(&scan, bytes + at, length - at, max_message_bytes, &found);
        intake->transport = scan.transport;
        if (verdict != WIRE_OK) {
            keep(intake, bytes + at, length - at);
            if (scan.transport == WIRE_TRANSPORT_UNFRAMED && verdict == WIRE_MORE)
                intake->partial = g_memdup2(&scan, sizeof scan);
            return verdict;
        }
        at += found.offset;
        const gboolean more = message(g_memdup2(bytes + at, found.bytes), 0, found.bytes, user);
        at += found.bytes;
        if (!more && at < length) {
            keep(intake, bytes + at, length - at);
            intake->is_paused = TRUE;
            return WIRE_OK;
        }
    }
    return WIRE_OK;
}

/* Of the bytes that are kept, where the first message ends. */
static WireVerdict find_kept(Intake *intake, gsize max_message_bytes, WireExtent *found)
{
    WireScan fresh, *scan = intake->partial;
    if (scan == NULL) {
        scan = &fresh;
        wire_scan_begin(scan, intake->transport);
    }
    const WireVerdict verdict =
        wire_message_find(scan, intake->bytes, intake->used, max_message_bytes, found);
    intake->transport = scan->transport;
    if (scan == &fresh && fresh.transport == WIRE_TRANSPORT_UNFRAMED && verdict == WIRE_MORE)
        intake->partial = g_memdup2(&fresh, sizeof fresh);
    return verdict;
}

WireVerdict intake_take(Intake *intake, const guint8 *bytes, gsize length, gsize max_message_bytes,
                        IntakeMessage message, gpointer user)
{
    WireExtent found;
    if (intake->used == 0)
        return split(intake, bytes, length, max_message_bytes, message, user);
    intake->used += length;
    intake->is_paused = FALSE;
    const WireVerdict verdict = find_kept(intake, max_message_bytes, &found);
    if (verdict != WIRE_OK)
        return verdict;
    guint8 *kept = intake->bytes;
    const gsize n_kept = intake->used;
    forget_bytes(intake);
    if (found.bytes >= STEAL_BYTES && n_kept == found.offset + found.bytes) {
        message(kept, found.offset, found.bytes, user);
        return WIRE_OK;
    }
    const WireVerdict rest = split(intake, kept, n_kept, max_message_bytes, message, user);
    g_free(kept);
    return rest;
}
