/* hash_interpose.c - the host's own hash functions, which every library and plugin in the
 * process uses instead of GLib's.
 *
 * No header: callers know these functions from <glib.h> and <thrift/c_glib/thrift.h>.  See
 * gtype_interpose.c for how they come to be found first.
 *
 * Why: the keys of maps and sets come from the wire, and GLib's hash functions are plain to
 * everybody: a client that sends 65,536 colliding strings keeps a worker busy for a minute.
 * Here they are keyed with a secret.  Maps of i8, i16 and bool keep theirs: they have too
 * few keys to collide with.
 *
 * SipHash-1-3, after "SipHash: a fast short-input PRF" (Aumasson, Bernstein, 2012), in the
 * variant with fewer rounds that is usual for hash tables.
 *
 * Thread: any, also before main(): libgobject's constructor hashes strings.                */
#include <glib.h>
#include <string.h>
#include <sys/random.h>
#include <thrift/c_glib/thrift.h>

/* One for the life of the process and of those it forks, as tables outlive a fork. */
static const guint64 *hash_key(void)
{
    static guint64 key[2];
    static gsize drawn;
    if (g_once_init_enter(&drawn)) {
        if (getrandom(key, sizeof key, 0) != sizeof key)
            g_error("hash.no_randomness"); /* without it the key is no secret */
        g_once_init_leave(&drawn, TRUE);
    }
    return key;
}

typedef struct {
    guint64 v0, v1, v2, v3;
} SipState;

static inline guint64 rotate_left(guint64 x, guint bits) { return x << bits | x >> (64 - bits); }

static inline void sip_round(SipState *s)
{
    s->v0 += s->v1;
    s->v1 = rotate_left(s->v1, 13) ^ s->v0;
    s->v0 = rotate_left(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate_left(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate_left(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate_left(s->v1, 17) ^ s->v2;
    s->v2 = rotate_left(s->v2, 32);
}

static inline void sip_word(SipState *s, guint64 word)
{
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

static guint sip_hash(gconstpointer data, gsize length)
{
    const guint64 *key = hash_key();
    SipState s = { key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
                   key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573 };
    const guint8 *at = data;
    guint64 word;
    for (gsize left = length; left >= sizeof word; left -= sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        sip_word(&s, GUINT64_FROM_LE(word));
    }
    word = 0;
    memcpy(&word, at, length % sizeof word);
    sip_word(&s, GUINT64_FROM_LE(word) | (guint64)length << 56);

    s.v2 ^= 0xff;
    for (guint i = 0; i < 3; i++)
        sip_round(&s);
    guint64 hash = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    return (guint)(hash ^ hash >> 32);
}

guint g_str_hash(gconstpointer v) { return sip_hash(v, strlen(v)); }

guint g_int_hash(gconstpointer v) { return sip_hash(v, sizeof(gint)); }

guint g_int64_hash(gconstpointer v) { return sip_hash(v, sizeof(gint64)); }

/* Maps of enums keep their keys in the pointer itself. */
guint g_direct_hash(gconstpointer v) { return sip_hash(&v, sizeof v); }

/* Every NaN is one key here.  By IEEE it equals nothing, so each would be a new entry with
 * the same hash, and one that generated code cannot find again when it encodes the map. */
gboolean g_double_equal(gconstpointer v1, gconstpointer v2)
{
    const gdouble a = *(const gdouble *)v1, b = *(const gdouble *)v2;
    return a == b || (a != a && b != b);
}

guint g_double_hash(gconstpointer v)
{
    gdouble value = *(const gdouble *)v;
    if (value != value)
        return 0;
    value += 0.0; /* -0.0 becomes 0.0, which it equals */
    return sip_hash(&value, sizeof value);
}

/* The foreach callback with which generated code lists a map's keys.  libthrift's appends,
 * walking the whole list for each key; the order of a map's entries means nothing. */
void thrift_hash_table_get_keys(gpointer key, gpointer value, gpointer user_data)
{
    (void)value;
    GList **keys = user_data;
    *keys = g_list_prepend(*keys, key);
}
