/* scan.h - a configuration file as groups of entries, each with the line where it stands.
 *
 * Why: GKeyFile decides what a line means, but it does not tell lines apart: a file with an
 * error gives no line number and only the first error, and of two equal keys the last one wins
 * without a word.  So each line is given to a GKeyFile of its own, and its number is kept here.
 *
 * Thread: one thread.
 * Owns:   all groups, entries and strings; they go with the Scan.                             */
#pragma once
#include "config/problems.h"
#include <glib.h>

typedef struct {
    Place place;        /* place.text is the value as it was written ... */
    const gchar *value; /* ... and this the value with its escapes replaced */
} ScanEntry;

typedef struct {
    Place place;
    GPtrArray *entries; /* of ScanEntry, in the order of the file */
    GHashTable *by_key; /* the same */
} ScanGroup;

typedef struct {
    GPtrArray *groups;   /* of ScanGroup, in the order of the file */
    GHashTable *by_name; /* the same */
    GStringChunk *strings;
    guint n_lines;
} Scan;

/* What is no line of a key file, or stands there twice, goes to `problems` and not into the
 * result. */
Scan *scan_new(const gchar *text, gsize n_bytes, Problems *problems);
void scan_free(Scan *scan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scan, scan_free)

/* NULL when there is none. */
const ScanGroup *scan_find_group(const Scan *scan, const gchar *name);
const ScanEntry *scan_find_entry(const ScanGroup *group, const gchar *key);
