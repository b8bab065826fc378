/* table.h - counters by name in memory that processes share.
 *
 * Thread: any, in any process forked after table_new(): names may be added by all at once.  A
 *         counter's value is a plain number: who uses it keeps others away from that name.
 * Owns:   its mapping, until the last process has ended.                                     */
#pragma once
#include <glib.h>

#define TABLE_NAME_MOST 64u /* bytes, with the NUL */
#define TABLE_KEYS_MOST 1048576u

typedef struct Table Table;

/* `keys` names at most, from 1 to TABLE_KEYS_MOST. */
Table *table_new(guint keys, GError **error);
void table_free(Table *table);

/* NULL when the name is longer than TABLE_NAME_MOST - 1 bytes or there is no room for it. */
gint64 *table_value(Table *table, const gchar *name);
/* NULL when nobody has used that name. */
const gint64 *table_find(Table *table, const gchar *name);
