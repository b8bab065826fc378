/* json_write.c - a struct in binary becomes one in JSON.
 *
 * Calls itself for values in values; that they are not too deep was seen by the walk.       */
#include "daemon/wire/cursor.h"
#include "daemon/wire/json.h"
#include "daemon/wire/json_types.h"
#include <math.h>

typedef struct {
    WireCursor in;
    WireSink *sink;
    gboolean cannot;
} Writer;

static void put_words(WireSink *sink, const gchar *words) { wire_put(sink, words, strlen(words)); }

static void put_escaped(WireSink *sink, guint8 byte)
{
    gchar escaped[sizeof "\\u0000"];
    if (byte == '"' || byte == '\\')
        g_snprintf(escaped, sizeof escaped, "\\%c", byte);
    else
        g_snprintf(escaped, sizeof escaped, "\\u%04x", byte);
    put_words(sink, escaped);
}

void wire_json_put_text(WireSink *sink, const gchar *text, gsize bytes)
{
    gsize plain = 0;
    wire_put_u8(sink, '"');
    for (gsize i = 0; i < bytes; i++) {
        const guint8 byte = (guint8)text[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        wire_put(sink, text + plain, i - plain);
        put_escaped(sink, byte);
        plain = i + 1;
    }
    wire_put(sink, text + plain, bytes - plain);
    wire_put_u8(sink, '"');
}

void wire_json_put_integer(WireSink *sink, gint64 value)
{
    gchar digits[32];
    g_snprintf(digits, sizeof digits, "%" G_GINT64_FORMAT, value);
    put_words(sink, digits);
}

/* --- values ------------------------------------------------------------------------------- */

static void write_value(Writer *writer, JsonType type);

/* Two's complement, big-endian. */
static gint64 take_integer(Writer *writer, guint bytes)
{
    const guint8 *taken = wire_take(&writer->in, bytes);
    guint64 value = taken != NULL && taken[0] >= 0x80 ? G_MAXUINT64 : 0;
    for (guint i = 0; taken != NULL && i < bytes; i++)
        value = value << 8 | taken[i];
    return (gint64)value;
}

/* 17 digits say any double exactly. */
static void write_double(Writer *writer)
{
    const gint64 bits = take_integer(writer, sizeof bits);
    gchar digits[G_ASCII_DTOSTR_BUF_SIZE];
    gdouble value;
    memcpy(&value, &bits, sizeof value);
    if (isnan(value))
        wire_json_put_text(writer->sink, JSON_NAN, strlen(JSON_NAN));
    else if (isinf(value) && value > 0)
        wire_json_put_text(writer->sink, JSON_INFINITY, strlen(JSON_INFINITY));
    else if (isinf(value))
        wire_json_put_text(writer->sink, JSON_MINUS_INFINITY, strlen(JSON_MINUS_INFINITY));
    else
        put_words(writer->sink, g_ascii_formatd(digits, sizeof digits, "%.17g", value));
}

/* GLib counts a NUL as an end. */
static gboolean is_utf8(const gchar *text, gsize bytes)
{
    const gchar *const end = text + bytes;
    while (!g_utf8_validate_len(text, (gsize)(end - text), &text)) {
        if (*text != '\0')
            return FALSE;
        text++;
    }
    return TRUE;
}

static void write_text(Writer *writer)
{
    const guint32 bytes = wire_take_u32(&writer->in);
    const gchar *text = (const gchar *)wire_take(&writer->in, bytes);
    if (text != NULL && is_utf8(text, bytes))
        wire_json_put_text(writer->sink, text, bytes);
    else
        writer->cannot = TRUE;
}

static JsonType take_type(Writer *writer)
{
    const guint8 type = wire_take_u8(&writer->in);
    if (type < JSON_TYPES && json_type_names[type] != NULL)
        return (JsonType)type;
    return JSON_TYPES; /* of an empty container, which may say any */
}

static void put_type(Writer *writer, JsonType type)
{
    const gchar *name = json_type_names[type < JSON_TYPES ? type : JSON_I32];
    wire_json_put_text(writer->sink, name, strlen(name));
}

static void write_struct(Writer *writer)
{
    wire_put_u8(writer->sink, '{');
    for (gboolean first = TRUE;; first = FALSE) {
        const guint8 type = wire_take_u8(&writer->in);
        if (type == 0)
            break;
        put_words(writer->sink, first ? "\"" : ",\"");
        wire_json_put_integer(writer->sink, take_integer(writer, sizeof(gint16)));
        put_words(writer->sink, "\":{");
        put_type(writer, (JsonType)type);
        wire_put_u8(writer->sink, ':');
        write_value(writer, (JsonType)type);
        wire_put_u8(writer->sink, '}');
    }
    wire_put_u8(writer->sink, '}');
}

static void write_list(Writer *writer)
{
    const JsonType element = take_type(writer);
    const guint32 count = wire_take_u32(&writer->in);
    wire_put_u8(writer->sink, '[');
    put_type(writer, element);
    wire_put_u8(writer->sink, ',');
    wire_json_put_integer(writer->sink, count);
    for (guint32 i = 0; i < count; i++) {
        wire_put_u8(writer->sink, ',');
        write_value(writer, element);
    }
    wire_put_u8(writer->sink, ']');
}

/* A key is always in quotes. */
static void write_key(Writer *writer, JsonType type)
{
    gdouble value = 0;
    if (type == JSON_DOUBLE && writer->in.length - writer->in.at >= sizeof value) {
        guint64 bits;
        memcpy(&bits, writer->in.bytes + writer->in.at, sizeof bits);
        bits = GUINT64_FROM_BE(bits);
        memcpy(&value, &bits, sizeof value);
    }
    const gboolean has_quotes = type == JSON_TEXT || !isfinite(value);
    if (type >= JSON_STRUCT)
        writer->cannot = TRUE;
    if (!has_quotes)
        wire_put_u8(writer->sink, '"');
    write_value(writer, type);
    if (!has_quotes)
        wire_put_u8(writer->sink, '"');
}

static void write_map(Writer *writer)
{
    const JsonType key = take_type(writer), value = take_type(writer);
    const guint32 count = wire_take_u32(&writer->in);
    wire_put_u8(writer->sink, '[');
    put_type(writer, key);
    wire_put_u8(writer->sink, ',');
    put_type(writer, value);
    wire_put_u8(writer->sink, ',');
    wire_json_put_integer(writer->sink, count);
    put_words(writer->sink, ",{");
    for (guint32 i = 0; i < count; i++) {
        if (i > 0)
            wire_put_u8(writer->sink, ',');
        write_key(writer, key);
        wire_put_u8(writer->sink, ':');
        write_value(writer, value);
    }
    put_words(writer->sink, "}]");
}

static void write_value(Writer *writer, JsonType type)
{
    switch (type) {
    case JSON_BOOL:
        wire_json_put_integer(writer->sink, wire_take_u8(&writer->in) != 0);
        return;
    case JSON_I8:
        wire_json_put_integer(writer->sink, take_integer(writer, 1));
        return;
    case JSON_I16:
        wire_json_put_integer(writer->sink, take_integer(writer, 2));
        return;
    case JSON_I32:
        wire_json_put_integer(writer->sink, take_integer(writer, 4));
        return;
    case JSON_I64:
        wire_json_put_integer(writer->sink, take_integer(writer, 8));
        return;
    case JSON_DOUBLE:
        write_double(writer);
        return;
    case JSON_TEXT:
        write_text(writer);
        return;
    case JSON_STRUCT:
        write_struct(writer);
        return;
    case JSON_MAP:
        write_map(writer);
        return;
    case JSON_SET:
    case JSON_LIST:
        write_list(writer);
        return;
    case JSON_TYPES:
        g_assert_not_reached(); /* the walk would have refused it */
    }
}

gboolean wire_json_put_struct(WireSink *sink, const guint8 *body, gsize length)
{
    Writer writer = { .in = { .bytes = body, .length = length }, .sink = sink };
    write_struct(&writer);
    g_assert(writer.in.verdict == WIRE_OK && writer.in.at == length);
    return !writer.cannot;
}
