/* value.h - the types that a setting can have: what is allowed, and text into a field.
 *
 * Thread: no state; any thread.
 * Owns:   nothing; a field that was filled belongs to its struct until value_clear().         */
#pragma once
#include <glib.h>

typedef enum {
    VALUE_BOOL,
    VALUE_UINT,
    VALUE_SIZE,
    VALUE_DURATION,
    VALUE_LOG_LEVEL,
    VALUE_PATH,
    VALUE_PLUGIN,
    VALUE_FILE,
    VALUE_USER,
    VALUE_ORIGINS,
    VALUE_NETWORKS,
    VALUE_LISTENERS,
    VALUE_ADMIN,
    VALUE_CHOICE,
    VALUE_RANGE,
    VALUE_RATE,
    VALUE_KEY,
    VALUE_CANARY,
} ValueType;

typedef struct {
    ValueType type;
    const gchar *min; /* UINT, SIZE, DURATION and RANGE, in the words of the file; CHOICE: the
                         words with '|' between them, whose places are the values; else NULL */
    const gchar *max;
} ValueRule;

/* Replaces what `field` holds; its C type is the one that config.h gives for the rule's type.
 * FALSE leaves it as it was; the error says what is wrong with `text`, without repeating it. */
gboolean value_parse(const ValueRule *rule, const gchar *text, gpointer field, GError **error);

/* Whether two fields hold the same. */
gboolean value_equal(ValueType type, gconstpointer a, gconstpointer b);

/* Frees what `field` holds and leaves it empty. */
void value_clear(ValueType type, gpointer field);

/* The word of a CHOICE; free with g_free(). */
gchar *value_choice_name(const ValueRule *rule, guint value);

/* "1 to 1024"; ends a sentence that says what was wrong. */
gchar *value_allowed(const ValueRule *rule);
