/* sample.c - every type at its limits. */
#include "handlers/conformance/sample.h"
#include <float.h>
#include <math.h>

static void set_numbers(cnfEverything *sample)
{
    sample->yes = TRUE;
    sample->no = FALSE;
    sample->least_i8 = G_MININT8;
    sample->most_i8 = G_MAXINT8;
    sample->least_i16 = G_MININT16;
    sample->most_i16 = G_MAXINT16;
    sample->least_i32 = G_MININT32;
    sample->most_i32 = G_MAXINT32;
    sample->least_i64 = G_MININT64;
    sample->most_i64 = G_MAXINT64;
    sample->tenth = 0.1;
    sample->largest = DBL_MAX;
    sample->smallest = DBL_TRUE_MIN;
    sample->not_a_number = NAN;
    sample->infinity = INFINITY;
    sample->colour = CNF_COLOUR_GREEN;
    sample->stamp = -1;
    sample->far = 6;
}

#define LAST_PLANE 16 /* of Unicode */

static void set_texts(cnfEverything *sample)
{
    sample->planes = g_strdup("a \" \\ / \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
    sample->nothing = g_strdup("");
    sample->every_byte = g_byte_array_new();
    for (guint i = 0; i <= G_MAXUINT8; i++)
        g_byte_array_append(sample->every_byte, &(guint8){ (guint8)i }, 1);
    GString *planes = g_string_new(NULL);
    for (gunichar plane = 0; plane <= LAST_PLANE; plane++)
        g_string_append_unichar(planes, plane << 16 | 0xfffd); /* the last that is a character */
    sample->all_planes = g_string_free(planes, FALSE);
}

static cnfLeaf *leaf_new(gint32 id, const gchar *label)
{
    cnfLeaf *leaf = g_object_new(CNF_TYPE_LEAF, "id", id, NULL);
    if (label != NULL)
        g_object_set(leaf, "label", label, NULL);
    return leaf;
}

static void set_structs(cnfEverything *sample)
{
    sample->leaf->id = 1;
    g_object_set(sample->leaf, "label", "first", NULL);
    g_object_set(sample->choice, "text", "chosen", NULL);
    cnfTree *tree = sample->tree;
    for (gint32 depth = 1; depth <= 3; depth++) {
        cnfTree *child = g_object_new(CNF_TYPE_TREE, "value", depth, NULL);
        g_ptr_array_add(tree->children, child);
        tree = child;
    }
}

static GPtrArray *words_new(const gchar *one, const gchar *other)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(words, g_strdup(one));
    g_ptr_array_add(words, g_strdup(other));
    return words;
}

static void set_lists(cnfEverything *sample)
{
    const gint32 numbers[] = { -1, 0, G_MAXINT32 };
    const gboolean truths[] = { TRUE, FALSE, TRUE };
    g_array_append_vals(sample->numbers, numbers, G_N_ELEMENTS(numbers));
    g_array_append_vals(sample->truths, truths, G_N_ELEMENTS(truths));
    g_ptr_array_add(sample->words, words_new("a", ""));
    g_ptr_array_add(sample->words, g_ptr_array_new_with_free_func(g_free));
    g_ptr_array_add(sample->leaves, leaf_new(1, "one"));
    g_ptr_array_add(sample->leaves, leaf_new(2, NULL));
    g_ptr_array_add(sample->blobs,
                    g_byte_array_append(g_byte_array_new(), (const guint8 *)"\0\xff", 2));
    g_ptr_array_add(sample->blobs, g_byte_array_new());
}

static gpointer boxed_i32(gint32 value) { return g_memdup2(&value, sizeof value); }

static gpointer boxed_i64(gint64 value) { return g_memdup2(&value, sizeof value); }

static GHashTable *pages_new(const gchar *key, const gchar *value)
{
    GHashTable *pages = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (key != NULL)
        g_hash_table_insert(pages, g_strdup(key), g_strdup(value));
    return pages;
}

static void set_nested(cnfEverything *sample)
{
    GHashTable *page = g_hash_table_new_full(g_int_hash, g_int_equal, g_free, g_free);
    g_hash_table_insert(page, boxed_i32(G_MININT32), g_strdup("least"));
    g_ptr_array_add(sample->pages, page);
    g_hash_table_insert(sample->moods, GINT_TO_POINTER(CNF_COLOUR_GREEN), g_strdup("calm"));
}

static void set_tables(cnfEverything *sample)
{
    const gint64 limits[] = { G_MININT64, G_MAXINT64 };
    GArray *series = g_array_new(FALSE, TRUE, sizeof(gint64));
    g_array_append_vals(series, limits, G_N_ELEMENTS(limits));
    for (gint32 prime = 2; prime <= 3; prime++)
        g_hash_table_add(sample->primes, boxed_i32(prime));
    g_hash_table_add(sample->tags, g_strdup("x"));
    g_hash_table_add(sample->tags, g_strdup("\xc3\xa9"));
    g_hash_table_insert(sample->sizes, g_strdup("largest"), boxed_i64(G_MAXINT64));
    g_hash_table_insert(sample->sizes, g_strdup("least"), boxed_i64(G_MININT64));
    g_hash_table_insert(sample->leaf_of, boxed_i32(-1), leaf_new(3, "three"));
    g_hash_table_insert(sample->series, g_strdup("limits"), series);
    g_hash_table_insert(sample->series, g_strdup("none"), g_array_new(FALSE, TRUE, sizeof(gint64)));
    /* Node.js's library takes the decimal digits of such a key for hexadecimal ones. */
    g_hash_table_insert(sample->books, boxed_i64(5), pages_new("one", "page"));
    g_hash_table_insert(sample->books, boxed_i64(6), pages_new(NULL, NULL));
}

cnfEverything *sample_new(void)
{
    cnfEverything *sample = g_object_new(CNF_TYPE_EVERYTHING, NULL);
    set_numbers(sample);
    set_texts(sample);
    set_structs(sample);
    set_lists(sample);
    set_tables(sample);
    set_nested(sample);
    return sample;
}
