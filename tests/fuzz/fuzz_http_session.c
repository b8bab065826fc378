/* fuzz_http_session.c - what comes by HTTP: the same posts however the bytes are cut, none larger
 * than allowed. */
#include "daemon/front/http_session.h"
#include <stdlib.h>
#include <string.h>

#define MOST 512u

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static gboolean on_post(HttpPost *post, gpointer user)
{
    GByteArray *seen = user;
    if (post->body_bytes > MOST || (post->body == NULL) != (post->body_bytes == 0))
        abort();
    g_byte_array_append(seen, (const guint8 *)&post->body_bytes, sizeof post->body_bytes);
    if (post->body_bytes > 0)
        g_byte_array_append(seen, post->body, (guint)post->body_bytes);
    g_free(post->body);
    g_clear_pointer(&post->headers, g_byte_array_unref);
    return TRUE;
}

static void on_say(GString *words, gpointer user)
{
    (void)user;
    g_string_free(words, TRUE);
}

static void on_upgrade(const gchar *accept, gpointer user)
{
    (void)accept;
    g_byte_array_append(user, (const guint8 *)"upgrade", 7);
}

static void feed(const guint8 *data, gsize size, gsize piece, GByteArray *seen)
{
    static const HttpEvents events = { on_post, on_say, on_upgrade };
    static const gchar *const origins[] = { "https://shop.example", NULL };
    const HttpLimits limits = { MOST, origins };
    HttpSession *session = http_session_new(&events, seen);
    for (gsize at = 0; at < size;) {
        const gsize count = MIN(piece, size - at);
        g_autofree guint8 *copy = g_memdup2(data + at, count);
        if (http_session_take(session, &limits, copy, count) < count)
            break; /* over, or another's from here on */
        at += count;
    }
    http_session_free(session);
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
