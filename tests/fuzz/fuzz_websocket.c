/* fuzz_websocket.c - what comes by WebSocket: the same messages however the bytes are cut, none
 * larger than allowed. */
#include "daemon/front/websocket.h"
#include <stdlib.h>
#include <string.h>

#define MOST 512u

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static gboolean on_message(guint8 *bytes, gsize length, gboolean is_text, gpointer user)
{
    GByteArray *seen = user;
    if (length > MOST)
        abort();
    g_byte_array_append(seen, (const guint8 *)&is_text, sizeof is_text);
    g_byte_array_append(seen, (const guint8 *)&length, sizeof length);
    if (length > 0)
        g_byte_array_append(seen, bytes, (guint)length);
    g_free(bytes);
    return TRUE;
}

static void on_say(GByteArray *frames, gpointer user)
{
    (void)user;
    g_byte_array_unref(frames);
}

static void feed(const guint8 *data, gsize size, gsize piece, GByteArray *seen)
{
    static const WebSocketEvents events = { on_message, on_say };
    WebSocket *socket = websocket_new(MOST, &events, seen);
    for (gsize at = 0; at < size && !websocket_is_over(socket);) {
        const gsize count = MIN(piece, size - at);
        g_autofree guint8 *copy = g_memdup2(data + at, count);
        if (websocket_take(socket, copy, count) < count)
            break;
        at += count;
    }
    websocket_free(socket);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    g_autoptr(GByteArray) whole = g_byte_array_new(), single = g_byte_array_new();
    feed(data, size, G_MAXSIZE, whole);
    feed(data, size, 1, single);
    if (whole->len != single->len ||
        (whole->len > 0 && memcmp(whole->data, single->data, whole->len) != 0))
        abort();
    return 0;
}
