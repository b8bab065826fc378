#include "daemon/front/intake.h"
#include "daemon/wire/frame.h"
#include "daemon/wire/protocol.h"
#include <string.h>

#define FIRST_BYTES ((gsize)4096)

/* A message from here on is not copied: it takes the buffer along. */
#define STEAL_BYTES ((gsize)16 * 1024)

void intake_clear(Intake *intake)
{
    g_free(intake->bytes);
    *intake = (Intake){ 0 };
}

guint8 *intake_reserve(Intake *intake, guint8 *scratch, gsize max_frame_bytes, gsize *room)
{
    gsize frame;
    if (intake->used == 0)
        return scratch;
    wire_frame_find(intake->bytes, intake->used, max_frame_bytes, &frame);
    const gsize wanted = frame > 0 ? WIRE_FRAME_PREFIX_BYTES + frame : FIRST_BYTES;
    g_assert(wanted > intake->used);
    if (intake->used == intake->size) {
        intake->size = MIN(wanted, MAX(FIRST_BYTES, intake->size * 2));
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

/* Copies the whole frames out of bytes that are somebody else's; keeps the rest. */
static WireVerdict split(Intake *intake, const guint8 *bytes, gsize length, gsize max_frame_bytes,
                         IntakeMessage message, gpointer user)
{
    gsize at = 0, frame;
    while (at < length) {
        const WireVerdict verdict =
            wire_frame_find(bytes + at, length - at, max_frame_bytes, &frame);
        if (verdict != WIRE_OK) {
            keep(intake, bytes + at, length - at);
            return verdict;
        }
        at += WIRE_FRAME_PREFIX_BYTES;
        const gboolean more = message(g_memdup2(bytes + at, frame), 0, frame, user);
        at += frame;
        if (!more && at < length) {
            keep(intake, bytes + at, length - at);
            intake->is_paused = TRUE;
            return WIRE_OK;
        }
    }
    return WIRE_OK;
}

WireVerdict intake_take(Intake *intake, const guint8 *bytes, gsize length, gsize max_frame_bytes,
                        IntakeMessage message, gpointer user)
{
    gsize frame;
    if (intake->used == 0)
        return split(intake, bytes, length, max_frame_bytes, message, user);
    intake->used += length;
    intake->is_paused = FALSE;
    const WireVerdict verdict =
        wire_frame_find(intake->bytes, intake->used, max_frame_bytes, &frame);
    if (verdict != WIRE_OK)
        return verdict;
    const Intake whole = *intake;
    *intake = (Intake){ 0 };
    if (frame >= STEAL_BYTES && whole.used == WIRE_FRAME_PREFIX_BYTES + frame) {
        message(whole.bytes, WIRE_FRAME_PREFIX_BYTES, frame, user);
        return WIRE_OK;
    }
    const WireVerdict rest = split(intake, whole.bytes, whole.used, max_frame_bytes, message, user);
    g_free(whole.bytes);
    return rest;
}
