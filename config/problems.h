/* problems.h - everything that is wrong with one configuration file.
 *
 * A reader that stops at the first error makes its user run it once for each; so errors are
 * collected, and told together in the order of the file.
 *
 * Thread: one thread.
 * Owns:   copies of all it is given.                                                          */
#pragma once
#include <glib.h>

/* Where an error is.  What is NULL is left out of the message:
 *   LINE: [group] key = text    a setting
 *   LINE: [group]               a group
 *   LINE: text                  a line that is neither                                        */
typedef struct {
    guint line;
    const gchar *group;
    const gchar *key;
    const gchar *text; /* UTF-8 without control characters; shortened when it is long */
} Place;

typedef struct Problems Problems;

Problems *problems_new(const gchar *file_name);
void problems_free(Problems *problems);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Problems, problems_free)

/* `allowed` completes the message when there is a choice of what would have been right, else
 * it is NULL. */
void problems_add(Problems *problems, const Place *place, const gchar *what, const gchar *allowed);

/* TRUE when there are none; else all of them become one CONFIG_ERROR_INVALID. */
gboolean problems_none(const Problems *problems, GError **error);
