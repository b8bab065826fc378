/* json_read.c - a message in JSON becomes one in strict binary.
 *
 * Accepted is what stock clients write, which is JSON (RFC 8259) with a few words of Thrift's:
 * keys of maps are numbers in quotes, and so may be any number; doubles know "NaN" and "Infinity";
 * a text may have control bytes as they are, but for NUL.
 * Counts must be true, and numbers fit their types.
 *
 * Calls itself for values in values, at most WIRE_MAX_DEPTH deep.                           */
#include "daemon/wire/cursor.h"
#include "daemon/wire/json.h"
#include "daemon/wire/json_types.h"
#include "daemon/wire/walk.h"
#include <math.h>
#include <string.h>

#define NUMBER_MAX_BYTES 63u

typedef struct {
    WireCursor in;
    GByteArray *out;
    gsize max_bytes; /* of out */
    guint depth;
} Reader;

/* --- bytes -------------------------------------------------------------------------------- */

static gboolean is_well(const Reader *reader) { return reader->in.verdict == WIRE_OK; }

static void refuse(Reader *reader) { wire_refuse(&reader->in, WIRE_BAD_JSON); }

static void put(Reader *reader, gconstpointer bytes, guint count)
{
    if (reader->out->len + (gsize)count > reader->max_bytes)
        wire_refuse(&reader->in, WIRE_FRAME_TOO_LARGE);
    else if (is_well(reader))
        g_byte_array_append(reader->out, bytes, count);
}

static void put_number(Reader *reader, guint64 value, guint bytes)
{
    const guint64 big_endian = GUINT64_TO_BE(value);
    put(reader, (const guint8 *)&big_endian + sizeof big_endian - bytes, bytes);
}

/* Four bytes that are known later. */
static guint put_room(Reader *reader)
{
    const guint at = reader->out->len;
    put_number(reader, 0, sizeof(guint32));
    return at;
}

static void fill_room(Reader *reader, guint at, guint32 value)
{
    const guint32 big_endian = GUINT32_TO_BE(value);
    if (is_well(reader))
        memcpy(reader->out->data + at, &big_endian, sizeof big_endian);
}

/* The next byte that is no space; 0: there is none. */
static guint8 look(Reader *reader)
{
    WireCursor *in = &reader->in;
    while (in->at < in->length && strchr(" \t\r\n", in->bytes[in->at]) != NULL &&
           in->bytes[in->at] != 0)
        in->at++;
    return in->at < in->length ? in->bytes[in->at] : 0;
}

static void expect(Reader *reader, guint8 byte)
{
    look(reader);
    if (wire_take_u8(&reader->in) != byte)
        refuse(reader);
}

/* --- texts -------------------------------------------------------------------------------- */

static guint32 take_hex4(Reader *reader)
{
    const guint8 *digits = wire_take(&reader->in, 4);
    guint32 value = 0;
    for (guint i = 0; digits != NULL && i < 4; i++) {
        if (!g_ascii_isxdigit((gchar)digits[i]))
            refuse(reader);
        value = value << 4 | ((guint32)g_ascii_xdigit_value((gchar)digits[i]) & 0xf);
    }
    return value;
}

/* Behind "\u".  What lies beyond 16 bits comes as two halves; one alone is nothing. */
static void take_unicode(Reader *reader)
{
    gunichar code = take_hex4(reader);
    if (code >= 0xd800 && code < 0xdc00) {
        const guint8 *next = wire_take(&reader->in, 2);
        const guint32 low = next != NULL && memcmp(next, "\\u", 2) == 0 ? take_hex4(reader) : 0;
        if (low < 0xdc00 || low > 0xdfff)
            refuse(reader);
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code < 0xe000) {
        refuse(reader);
    }
    gchar utf8[6];
    if (is_well(reader))
        put(reader, utf8, (guint)g_unichar_to_utf8(code, utf8));
}

static void take_escaped(Reader *reader)
{
    static const gchar names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const guint8 name = wire_take_u8(&reader->in);
    const gchar *known = name != 0 ? strchr(names, name) : NULL;
    if (name == 'u')
        take_unicode(reader);
    else if (known != NULL)
        put(reader, &meant[known - names], 1);
    else
        refuse(reader);
}

/* Control bytes among them, which Python's clients do not escape. */
static gsize plain_bytes(const WireCursor *in)
{
    gsize at = in->at;
    while (at < in->length && in->bytes[at] != '"' && in->bytes[at] != '\\')
        at++;
    return at - in->at;
}

/* A length and the bytes that are meant. */
static void read_text(Reader *reader)
{
    expect(reader, '"');
    const guint at = put_room(reader);
    while (is_well(reader)) {
        const gsize plain = plain_bytes(&reader->in);
        put(reader, wire_take(&reader->in, plain), (guint)plain);
        if (wire_take_u8(&reader->in) == '"')
            break;
        take_escaped(reader);
    }
    fill_room(reader, at, reader->out->len - at - (guint)sizeof(guint32));
}

/* --- numbers ------------------------------------------------------------------------------ */

/* Of the next number or word, with or without quotes; an empty one is none. */
static void take_word(Reader *reader, const gchar *allowed, gchar *word, gsize room)
{
    const gboolean quoted = look(reader) == '"';
    const WireCursor *in = &reader->in;
    gsize count = 0;
    if (quoted)
        wire_take_u8(&reader->in);
    while (in->at + count < in->length && in->bytes[in->at + count] != 0 &&
           strchr(allowed, in->bytes[in->at + count]) != NULL)
        count++;
    if (count >= room || count == 0)
        refuse(reader);
    const guint8 *bytes = wire_take(&reader->in, count);
    *word = '\0';
    if (bytes != NULL) {
        memcpy(word, bytes, count);
        word[count] = '\0';
    }
    if (quoted && wire_take_u8(&reader->in) != '"')
        refuse(reader);
}

static gint64 take_integer(Reader *reader, gint64 min, gint64 max)
{
    gchar word[NUMBER_MAX_BYTES + 1];
    gint64 value = 0;
    take_word(reader, "-0123456789", word, sizeof word);
    if (is_well(reader) && !g_ascii_string_to_signed(word, 10, min, max, &value, NULL))
        refuse(reader);
    return value;
}

/* In quotes says the protocol; without them Node.js, and Python, which has names of its own. */
static const struct {
    const gchar *word;
    gdouble value;
} no_numbers[] = {
    { JSON_NAN, NAN }, { JSON_INFINITY, INFINITY }, { JSON_MINUS_INFINITY, -INFINITY },
    { "nan", NAN },    { "inf", INFINITY },         { "-inf", -INFINITY },
};

static gdouble take_double(Reader *reader)
{
    gchar word[NUMBER_MAX_BYTES + 1], *end = NULL;
    take_word(reader, "+-.0123456789eEINafinty", word, sizeof word);
    for (guint i = 0; i < G_N_ELEMENTS(no_numbers); i++)
        if (strcmp(word, no_numbers[i].word) == 0)
            return no_numbers[i].value;
    const gboolean is_number = strspn(word, "+-.0123456789eE") == strlen(word);
    const gdouble value = is_number ? g_ascii_strtod(word, &end) : NAN;
    if (!isfinite(value) || end == NULL || end == word || *end != '\0')
        refuse(reader);
    return value;
}

/* --- values ------------------------------------------------------------------------------- */

static void read_value(Reader *reader, JsonType type);

static void read_double(Reader *reader)
{
    const gdouble value = take_double(reader);
    guint64 bits;
    memcpy(&bits, &value, sizeof bits);
    put_number(reader, bits, sizeof bits);
}

static JsonType take_type(Reader *reader)
{
    gchar word[JSON_TYPE_NAME_BYTES + 1];
    if (look(reader) != '"')
        refuse(reader);
    take_word(reader, "abcdefghijklmnopqrstuvwxyz123468", word, sizeof word);
    for (guint i = 0; i < JSON_TYPES; i++)
        if (json_type_names[i] != NULL && strcmp(word, json_type_names[i]) == 0)
            return (JsonType)i;
    refuse(reader);
    return JSON_BOOL;
}

/* TRUE: another one follows; FALSE: `close` has been read, or it is malformed. */
static gboolean next_in(Reader *reader, gboolean is_first, guint8 close)
{
    if (look(reader) == close) {
        wire_take_u8(&reader->in);
        return FALSE;
    }
    if (!is_first)
        expect(reader, ',');
    return is_well(reader);
}

static void read_struct(Reader *reader)
{
    expect(reader, '{');
    for (gboolean first = TRUE; next_in(reader, first, '}'); first = FALSE) {
        if (look(reader) != '"')
            refuse(reader);
        const gint64 id = take_integer(reader, G_MININT16, G_MAXINT16);
        expect(reader, ':');
        expect(reader, '{');
        const JsonType type = take_type(reader);
        put_number(reader, type, 1);
        put_number(reader, (guint64)id, sizeof(guint16));
        expect(reader, ':');
        read_value(reader, type);
        expect(reader, '}');
    }
    put_number(reader, 0, 1);
}

/* Of lists and sets. */
static void read_list(Reader *reader)
{
    expect(reader, '[');
    const JsonType element = take_type(reader);
    expect(reader, ',');
    const gint64 announced = take_integer(reader, 0, G_MAXINT32);
    gint64 count = 0;
    put_number(reader, element, 1);
    put_number(reader, (guint64)announced, sizeof(guint32));
    for (; next_in(reader, FALSE, ']'); count++)
        read_value(reader, element);
    if (count != announced)
        refuse(reader);
}

static void read_map(Reader *reader)
{
    expect(reader, '[');
    const JsonType key = take_type(reader);
    expect(reader, ',');
    const JsonType value = take_type(reader);
    expect(reader, ',');
    const gint64 announced = take_integer(reader, 0, G_MAXINT32);
    gint64 count = 0;
    put_number(reader, key, 1);
    put_number(reader, value, 1);
    put_number(reader, (guint64)announced, sizeof(guint32));
    expect(reader, ',');
    expect(reader, '{');
    for (; next_in(reader, count == 0, '}'); count++) {
        if (look(reader) != '"' || key >= JSON_STRUCT)
            refuse(reader);
        read_value(reader, key);
        expect(reader, ':');
        read_value(reader, value);
    }
    expect(reader, ']');
    if (count != announced)
        refuse(reader);
}

static void read_nested(Reader *reader, JsonType type)
{
    if (reader->depth == WIRE_MAX_DEPTH) {
        wire_refuse(&reader->in, WIRE_TOO_DEEP);
        return;
    }
    reader->depth++;
    if (type == JSON_STRUCT)
        read_struct(reader);
    else if (type == JSON_MAP)
        read_map(reader);
    else
        read_list(reader);
    reader->depth--;
}

static void read_value(Reader *reader, JsonType type)
{
    switch (type) {
    case JSON_BOOL:
        put_number(reader, (guint64)take_integer(reader, 0, 1), 1);
        return;
    case JSON_I8:
        put_number(reader, (guint64)take_integer(reader, G_MININT8, G_MAXINT8), 1);
        return;
    case JSON_I16:
        put_number(reader, (guint64)take_integer(reader, G_MININT16, G_MAXINT16), 2);
        return;
    case JSON_I32:
        put_number(reader, (guint64)take_integer(reader, G_MININT32, G_MAXINT32), 4);
        return;
    case JSON_I64:
        put_number(reader, (guint64)take_integer(reader, G_MININT64, G_MAXINT64), 8);
        return;
    case JSON_DOUBLE:
        read_double(reader);
        return;
    case JSON_TEXT:
        read_text(reader);
        return;
    case JSON_STRUCT:
    case JSON_MAP:
    case JSON_SET:
    case JSON_LIST:
    case JSON_TYPES:
        read_nested(reader, type);
        return;
    }
}

/* --- messages ----------------------------------------------------------------------------- */

static void read_message(Reader *reader)
{
    expect(reader, '[');
    if (take_integer(reader, 0, G_MAXINT32) != 1)
        wire_refuse(&reader->in, WIRE_BAD_VERSION);
    expect(reader, ',');
    put_number(reader, (guint64)WIRE_BINARY_VERSION << 16, sizeof(guint32));
    const guint type_at = reader->out->len - 1;
    read_text(reader);
    expect(reader, ',');
    const gint64 type = take_integer(reader, 0, G_MAXUINT8);
    if (is_well(reader))
        reader->out->data[type_at] = (guint8)type;
    expect(reader, ',');
    put_number(reader, (guint64)take_integer(reader, G_MININT32, G_MAXINT32), sizeof(gint32));
    expect(reader, ',');
    read_nested(reader, JSON_STRUCT);
    expect(reader, ']');
}

WireVerdict wire_json_read(const guint8 *message, gsize length, gsize max_bytes, GByteArray *binary)
{
    Reader reader = { .in = { .bytes = message, .length = length },
                      .out = binary,
                      .max_bytes = binary->len + MIN(max_bytes, WIRE_MAX_MESSAGE_BYTES) };
    if (!g_utf8_validate_len((const gchar *)message, length, NULL))
        return WIRE_BAD_JSON;
    read_message(&reader);
    if (is_well(&reader) && reader.in.at < length)
        return WIRE_TRAILING;
    return wire_verdict_at_end(reader.in.verdict);
}
