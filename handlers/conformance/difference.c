/* difference.c - two values, field by field. */
#include "handlers/conformance/sample.h"
#include <math.h>
#include <string.h>

typedef gboolean (*Same)(gconstpointer a, gconstpointer b);

static gboolean same_text(gconstpointer a, gconstpointer b) { return g_strcmp0(a, b) == 0; }

static gboolean same_i64(gconstpointer a, gconstpointer b)
{
    return *(const gint64 *)a == *(const gint64 *)b;
}

/* Of a set, whose keys are its values, or whose values are nothing. */
static gboolean same_membership(G_GNUC_UNUSED gconstpointer a, G_GNUC_UNUSED gconstpointer b)
{
    return TRUE;
}

static gboolean same_array(gconstpointer a, gconstpointer b)
{
    const GArray *one = a, *other = b;
    return one->len == other->len &&
           memcmp(one->data, other->data, one->len * g_array_get_element_size((GArray *)one)) == 0;
}

static gboolean same_bytes(gconstpointer a, gconstpointer b)
{
    const GByteArray *one = a, *other = b;
    return one->len == other->len && memcmp(one->data, other->data, one->len) == 0;
}

static gboolean same_leaf(gconstpointer a, gconstpointer b)
{
    const cnfLeaf *one = a, *other = b;
    return one->id == other->id && one->weight == other->weight &&
           one->__isset_label == other->__isset_label && same_text(one->label, other->label);
}

static gboolean same_list(const GPtrArray *one, const GPtrArray *other, Same same)
{
    for (guint i = 0; one->len == other->len && i < one->len; i++)
        if (!same(one->pdata[i], other->pdata[i]))
            return FALSE;
    return one->len == other->len;
}

static gboolean same_texts(gconstpointer a, gconstpointer b) { return same_list(a, b, same_text); }

static gboolean same_table(GHashTable *one, GHashTable *other, Same same)
{
    GHashTableIter each;
    gpointer key, value, others;
    g_hash_table_iter_init(&each, one);
    while (g_hash_table_iter_next(&each, &key, &value))
        if (!g_hash_table_lookup_extended(other, key, NULL, &others) || !same(value, others))
            return FALSE;
    return g_hash_table_size(one) == g_hash_table_size(other);
}

static gboolean same_pages(gconstpointer a, gconstpointer b)
{
    return same_table((GHashTable *)a, (GHashTable *)b, same_text);
}

static gboolean same_tree(gconstpointer a, gconstpointer b)
{
    const cnfTree *one = a, *other = b;
    return one->value == other->value && same_list(one->children, other->children, same_tree);
}

static gboolean same_choice(const cnfChoice *one, const cnfChoice *other)
{
    return one->__isset_number == other->__isset_number &&
           one->__isset_text == other->__isset_text && one->number == other->number &&
           same_text(one->text, other->text);
}

/* --- the fields --------------------------------------------------------------------------- */

#define DIFFERS(same, field) \
    if (!(same))             \
        return #field;
#define NUMBER(field) DIFFERS(a->field == b->field, field)

static const gchar *difference_in_numbers(const cnfEverything *a, const cnfEverything *b)
{
    NUMBER(yes)
    NUMBER(no)
    NUMBER(least_i8)
    NUMBER(most_i8)
    NUMBER(least_i16)
    NUMBER(most_i16)
    NUMBER(least_i32)
    NUMBER(most_i32)
    NUMBER(least_i64)
    NUMBER(most_i64)
    NUMBER(tenth)
    NUMBER(largest)
    NUMBER(smallest)
    NUMBER(colour)
    NUMBER(stamp)
    NUMBER(__isset_absent)
    NUMBER(far)
    return "";
}

static const gchar *difference_in_others(const cnfEverything *a, const cnfEverything *b)
{
    DIFFERS(same_text(a->planes, b->planes), planes)
    DIFFERS(same_text(a->nothing, b->nothing), nothing)
    DIFFERS(b->every_byte != NULL && same_bytes(a->every_byte, b->every_byte), every_byte)
    DIFFERS(same_leaf(a->leaf, b->leaf), leaf)
    DIFFERS(same_choice(a->choice, b->choice), choice)
    DIFFERS(same_tree(a->tree, b->tree), tree)
    DIFFERS(same_array(a->numbers, b->numbers), numbers)
    DIFFERS(same_list(a->words, b->words, same_texts), words)
    DIFFERS(same_list(a->leaves, b->leaves, same_leaf), leaves)
    DIFFERS(same_array(a->truths, b->truths), truths)
    DIFFERS(same_table(a->primes, b->primes, same_membership), primes)
    DIFFERS(same_table(a->tags, b->tags, same_membership), tags)
    DIFFERS(same_table(a->sizes, b->sizes, same_i64), sizes)
    DIFFERS(same_table(a->leaf_of, b->leaf_of, same_leaf), leaf_of)
    DIFFERS(same_table(a->series, b->series, same_array), series)
    DIFFERS(same_table(a->books, b->books, same_pages), books)
    DIFFERS(same_text(a->all_planes, b->all_planes), all_planes)
    DIFFERS(same_list(a->blobs, b->blobs, same_bytes), blobs)
    DIFFERS(same_table(a->moods, b->moods, same_text), moods)
    DIFFERS(same_list(a->pages, b->pages, same_pages), pages)
    /* Last, as some libraries cannot write them in JSON. */
    DIFFERS(isnan(b->not_a_number), not_a_number)
    NUMBER(infinity)
    return "";
}

const gchar *sample_difference(const cnfEverything *sample, const cnfEverything *other)
{
    const gchar *field = difference_in_numbers(sample, other);
    return *field != '\0' ? field : difference_in_others(sample, other);
}
