/* wire_bytes.h - bytes of messages as tests write them, in blocks of exactly their size, so
 * that a sanitizer sees the first read beyond the end. */
#pragma once
#include <check.h>
#include <glib.h>

/* Hex pairs and 'quoted text'; blanks are for the reader.  "00 00 00 03 'add'" */
static inline GBytes *wire_bytes(const gchar *text)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    gboolean quoted = FALSE;
    for (const gchar *at = text; *at != '\0'; at++) {
        guint8 byte = (guint8)*at;
        if (byte == '\'') {
            quoted = !quoted;
            continue;
        }
        if (!quoted && byte == ' ')
            continue;
        if (!quoted) {
            ck_assert(g_ascii_isxdigit(at[0]) && g_ascii_isxdigit(at[1]));
            byte = (guint8)(g_ascii_xdigit_value(at[0]) << 4 | g_ascii_xdigit_value(at[1]));
            at++;
        }
        g_byte_array_append(bytes, &byte, 1);
    }
    return g_bytes_new(bytes->data, bytes->len);
}

/* The first `length` bytes in a block of their own. */
static inline GBytes *wire_bytes_cut(GBytes *bytes, gsize length)
{
    ck_assert_uint_le(length, g_bytes_get_size(bytes));
    return g_bytes_new(g_bytes_get_data(bytes, NULL), length);
}
