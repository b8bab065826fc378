/* protocol_everything.h - what the protocol tests share: an All with something in every field
 * (tests/idl/everything.thrift), its bytes as Thrift's own protocols write them, and a call's
 * life on our protocol without a daemon around it. */
#pragma once
#include "handlers/host/frame_protocol.h"
#include "evy_everything.h"
#include <thrift/c_glib/protocol/thrift_binary_protocol.h>
#include <thrift/c_glib/protocol/thrift_compact_protocol.h>
#include <thrift/c_glib/transport/thrift_memory_buffer.h>
#include <check.h>

#define KINDS       2 /* RING_BINARY, RING_COMPACT: what a loop test runs over */
#define REPLY_BYTES 65536u

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ThriftProtocol, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(evyAll, g_object_unref)

/* --- an All ---------------------------------------------------------------------------- */

static inline evyLeaf *new_leaf(gint32 id, const gchar *label)
{
    return g_object_new(EVY_TYPE_LEAF, "id", id, "label", label, NULL);
}

static inline GByteArray *new_bytes(const gchar *text)
{
    return g_byte_array_append(g_byte_array_new(), (const guint8 *)text, (guint)strlen(text));
}

static inline gint32 *new_i32(gint32 value) { return g_memdup2(&value, sizeof value); }
static inline gint64 *new_i64(gint64 value) { return g_memdup2(&value, sizeof value); }

static inline void fill_scalars(evyAll *all)
{
    evyLeaf *leaf = new_leaf(-7, "a leaf");
    GByteArray *blob = new_bytes("\x01\x02\xff bytes");
    g_object_set(all, "yes", TRUE, "tiny", -3, "small", -300, "medium", 70000, "large",
                 G_GINT64_CONSTANT(-5000000000), "real", 2.5, "text", "gr\xc3\xbc\xc3\x9f", "blob",
                 blob, "colour", EVY_COLOUR_BLUE, "stamp", G_GINT64_CONSTANT(1) << 40, "leaf", leaf,
                 "far", 42, NULL);
    g_byte_array_unref(blob);
    g_object_unref(leaf);
}

static inline void fill_lists(evyAll *all)
{
    for (gint i = 0; i < 20; i++) { /* more than the compact header's short form holds */
        gboolean bit = i % 3 == 0;
        gint64 number = (gint64)1 << (3 * i);
        g_array_append_val(all->bits, bit);
        g_array_append_val(all->numbers, number);
    }
    static const evyColour colours[] = { EVY_COLOUR_GREEN, EVY_COLOUR_RED };
    g_array_append_vals(all->colours, colours, 2);
    g_ptr_array_add(all->words, g_strdup("one"));
    g_ptr_array_add(all->words, g_strdup(""));
    g_ptr_array_add(all->blobs, new_bytes("blob"));
    g_ptr_array_add(all->leaves, new_leaf(1, "first"));
    g_ptr_array_add(all->leaves, new_leaf(G_MAXINT32, NULL));
    GArray *row = g_array_new(FALSE, TRUE, sizeof(gint32));
    for (gint32 i = -2; i < 3; i++)
        g_array_append_val(row, i);
    g_ptr_array_add(all->grid, row);
    g_ptr_array_add(all->grid, g_array_new(FALSE, TRUE, sizeof(gint32)));
}

/* One entry each: the order of more would be up to the hash function. */
static inline void fill_hashes(evyAll *all)
{
    static const gint64 series[] = { 1, -1, G_MAXINT64, G_MININT64 };
    GArray *values = g_array_append_vals(g_array_new(FALSE, TRUE, 8), series, 4);
    GHashTable *book = g_hash_table_new_full(g_int_hash, g_int_equal, g_free, g_free);
    gint32 *prime = new_i32(7);
    gchar *tag = g_strdup("tag");
    g_hash_table_insert(all->primes, prime, prime);
    g_hash_table_insert(all->tags, tag, tag);
    g_hash_table_insert(all->squares, new_i32(3), new_i64(9));
    g_hash_table_insert(all->titles, g_strdup("key"), g_strdup("value"));
    g_hash_table_insert(all->series, g_strdup("s"), values);
    g_hash_table_insert(all->shades, GINT_TO_POINTER(EVY_COLOUR_RED), new_leaf(5, "red"));
    g_hash_table_insert(all->moods, GINT_TO_POINTER(EVY_COLOUR_GREEN), g_strdup("calm as water"));
    g_hash_table_insert(book, new_i32(1), g_strdup("page"));
    g_hash_table_insert(all->books, g_strdup("book"), book);
}

/* An All with something in every field; one level of kids. */
static inline evyAll *new_everything(void)
{
    evyAll *all = g_object_new(EVY_TYPE_ALL, NULL);
    evyAll *kid = g_object_new(EVY_TYPE_ALL, NULL);
    fill_scalars(all);
    fill_lists(all);
    fill_hashes(all);
    fill_scalars(kid);
    g_ptr_array_add(all->kids, kid);
    g_ptr_array_add(all->kids, g_object_new(EVY_TYPE_ALL, NULL));
    return all;
}

/* --- Thrift's own protocols ------------------------------------------------------------- */

typedef struct {
    ThriftMemoryBuffer *buffer;
    ThriftProtocol *protocol;
} Stock;

static inline Stock stock_new(RingProtocol kind)
{
    GType type = kind == RING_COMPACT ? THRIFT_TYPE_COMPACT_PROTOCOL : THRIFT_TYPE_BINARY_PROTOCOL;
    ThriftMemoryBuffer *buffer = g_object_new(THRIFT_TYPE_MEMORY_BUFFER, NULL);
    return (Stock){ buffer, g_object_new(type, "transport", buffer, NULL) };
}

static inline void stock_clear(Stock *stock)
{
    g_clear_object(&stock->protocol);
    g_clear_object(&stock->buffer);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Stock, stock_clear)

static inline GBytes *stock_encode(RingProtocol kind, gpointer object)
{
    g_auto(Stock) stock = stock_new(kind);
    ck_assert_int_ge(thrift_struct_write(object, stock.protocol, NULL), 0);
    return g_bytes_new(stock.buffer->buf->data, stock.buffer->buf->len);
}

/* --- a call on our protocol -------------------------------------------------------------- */

/* Decodes what `protocol` was begun with as generated code does: the struct, then the end. */
static inline gboolean read_call(ThriftProtocol *protocol, gpointer args)
{
    g_autoptr(GError) error = NULL;
    return thrift_struct_read(args, protocol, &error) != -1 &&
           thrift_protocol_read_message_end(protocol, &error) != -1;
}

static inline void write_reply(ThriftProtocol *protocol, gpointer result)
{
    thrift_protocol_write_message_begin(protocol, "echo", T_REPLY, 1, NULL);
    ck_assert_int_eq(thrift_struct_write(result, protocol, NULL), 0);
    thrift_protocol_write_message_end(protocol, NULL);
}

/* Decodes `bytes` as an All; NULL when that works, else what is wrong, until the next call. */
static inline const gchar *refusal(ThriftProtocol *protocol, const guint8 *bytes, gsize length)
{
    static guint8 reply[1];
    g_autoptr(evyAll) all = g_object_new(EVY_TYPE_ALL, NULL);
    frame_protocol_begin(protocol, bytes, length, reply, sizeof reply);
    gboolean read = read_call(protocol, all);
    const gchar *error = frame_protocol_input_error(protocol);
    ck_assert(read == (error == NULL));
    return error;
}

/* --- bytes as a test writes them: hexadecimal, blanks anywhere ---------------------------- */

static inline void append_hex(GByteArray *bytes, const gchar *hex)
{
    for (const gchar *at = hex; *at != '\0';) {
        if (*at == ' ') {
            at++;
            continue;
        }
        guint8 byte = (guint8)(g_ascii_xdigit_value(at[0]) << 4 | g_ascii_xdigit_value(at[1]));
        g_byte_array_append(bytes, &byte, 1);
        at += 2;
    }
}

static inline GByteArray *from_hex(const gchar *hex)
{
    GByteArray *bytes = g_byte_array_new();
    append_hex(bytes, hex);
    return bytes;
}

static inline void assert_next_call_works(ThriftProtocol *protocol, RingProtocol kind)
{
    g_autoptr(evyAll) all = new_everything();
    g_autoptr(GBytes) good = stock_encode(kind, all);
    ck_assert_ptr_null(refusal(protocol, g_bytes_get_data(good, NULL), g_bytes_get_size(good)));
}

/* Takes `bytes`. */
static inline void assert_refused(RingProtocol kind, GByteArray *bytes, const gchar *text)
{
    g_autoptr(ThriftProtocol) protocol = frame_protocol_new(kind);
    const gchar *got = refusal(protocol, bytes->data, bytes->len);
    ck_assert_ptr_nonnull(got);
    ck_assert_str_eq(got, text);
    assert_next_call_works(protocol, kind);
    g_byte_array_unref(bytes);
}

static inline void assert_accepted(RingProtocol kind, GByteArray *bytes)
{
    g_autoptr(ThriftProtocol) protocol = frame_protocol_new(kind);
    for (guint call = 0; call < 2; call++)
        ck_assert_ptr_null(refusal(protocol, bytes->data, bytes->len));
    g_byte_array_unref(bytes);
}
