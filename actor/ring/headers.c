/* headers.c - see headers.h. */
#include "actor/ring/headers.h"
#include <string.h>

gboolean headers_append(GByteArray *block, const gchar *name, gsize name_bytes, const gchar *value,
                        gsize value_bytes)
{
    const gsize room = HEADERS_MAX_BYTES - block->len;
    if (name_bytes == 0 || name_bytes > room || value_bytes > room ||
        name_bytes + value_bytes + 2 > room)
        return FALSE;
    if (memchr(name, '\0', name_bytes) != NULL || memchr(value, '\0', value_bytes) != NULL)
        return FALSE;
    static const guint8 nul = 0;
    g_byte_array_append(block, (const guint8 *)name, (guint)name_bytes);
    g_byte_array_append(block, &nul, 1);
    g_byte_array_append(block, (const guint8 *)value, (guint)value_bytes);
    g_byte_array_append(block, &nul, 1);
    return TRUE;
}

void headers_remove(GByteArray *block, const gchar *name)
{
    HeaderCursor cursor = { block->data, block->len };
    const guint8 *pair = cursor.at;
    const gchar *found, *value;
    while (headers_next(&cursor, &found, &value)) {
        if (g_ascii_strcasecmp(found, name) == 0) {
            g_byte_array_remove_range(block, (guint)(pair - block->data),
                                      (guint)(cursor.at - pair));
            cursor.at = pair; /* removing does not move the array */
        }
        pair = cursor.at;
    }
}

/* The string at the cursor, or NULL when no NUL ends it. */
static const gchar *next_string(HeaderCursor *cursor)
{
    const gchar *text = (const gchar *)cursor->at;
    const guint8 *nul = memchr(cursor->at, '\0', cursor->left_bytes);
    if (nul == NULL)
        return NULL;
    cursor->left_bytes -= (gsize)(nul + 1 - cursor->at);
    cursor->at = nul + 1;
    return text;
}

gboolean headers_next(HeaderCursor *cursor, const gchar **name, const gchar **value)
{
    if (cursor->left_bytes == 0)
        return FALSE;
    HeaderCursor ahead = *cursor;
    *name = next_string(&ahead);
    if (*name == NULL || **name == '\0')
        return FALSE;
    *value = next_string(&ahead);
    if (*value == NULL)
        return FALSE;
    *cursor = ahead;
    return TRUE;
}

const gchar *headers_find(const guint8 *block, gsize bytes, const gchar *name)
{
    HeaderCursor cursor = { block, bytes };
    const gchar *found, *value;
    while (headers_next(&cursor, &found, &value))
        if (g_ascii_strcasecmp(found, name) == 0)
            return value;
    return NULL;
}
