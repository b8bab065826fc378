/* key_source.h - where a call's key comes from: `none`, `arg:1`, `arg:1.2`, `header:NAME`, `peer`.
 *
 * Thread: no state; any thread.   Owns: the header's name.                                   */
#pragma once
#include <glib.h>

typedef enum { KEY_NONE, KEY_ARG, KEY_HEADER, KEY_PEER } KeyKind;

#define KEY_PATH_MOST   8u
#define KEY_HEADER_MOST 64u
#define KEY_FORMS       "none, peer, header:NAME, or arg: and field numbers as in arg:1 or arg:1.2"

typedef struct {
    KeyKind kind;
    guint depth;                /* ARG: numbers in path */
    gint16 path[KEY_PATH_MOST]; /* ARG: of the argument, then of fields inside it */
    gchar *header;              /* HEADER: in lower case */
} KeySource;

/* Replaces what `source` holds. */
gboolean key_source_parse(const gchar *text, KeySource *source, GError **error);
void key_source_clear(KeySource *source);
