/* headers.h - the byte format of the headers that travel with a call and with a reply.
 *
 * A block is a row of pairs, each string ended by its NUL:  name NUL value NUL name NUL ...
 * So a reader hands out strings without copying them.  A name is not empty; no byte of
 * either is NUL.  Names are compared without regard to case.
 *
 * Thread: any; functions only use what they are given.
 * Trust:  a reader takes the bytes as hostile: it never looks past their end, and stops at
 *         the first pair that is not whole.  Bytes that another process can still change
 *         must be copied first.                                                             */
#pragma once
#include <glib.h>

#define HEADERS_MAX_BYTES 16384u /* of one block */

/* Adds a pair.  FALSE, and the block is as before, when it would outgrow HEADERS_MAX_BYTES
 * or the strings cannot be in a block.  Lengths do not count a NUL. */
gboolean headers_append(GByteArray *block, const gchar *name, gsize name_bytes, const gchar *value,
                        gsize value_bytes);

/* Takes every pair of that name out of a block made by headers_append(). */
void headers_remove(GByteArray *block, const gchar *name);

/* What is left to read of a block: { block, bytes } to begin with. */
typedef struct {
    const guint8 *at;
    gsize left_bytes;
} HeaderCursor;

/* The next pair; its strings lie in the block.  FALSE at the end, and where what follows is
 * not a pair: then left_bytes is not 0. */
gboolean headers_next(HeaderCursor *cursor, const gchar **name, const gchar **value);

/* The value of the first pair of that name, in the block; NULL when there is none. */
const gchar *headers_find(const guint8 *block, gsize bytes, const gchar *name);
