/* json_protocol.c - Base64 on top of the binary protocol. */
#include "handlers/host/json_protocol.h"
#include "handlers/host/binary_protocol.h"
#include <string.h>

#define GROUP 4u

typedef FrameBase JsonProtocol;
typedef FrameBaseClass JsonProtocolClass;
G_DEFINE_TYPE(JsonProtocol, json_protocol, BINARY_TYPE_PROTOCOL)

/* Of well-formed Base64 the bytes without padding; FALSE: it is none. */
static gboolean strip_padding(const gchar *text, guint32 length, gsize *stripped)
{
    gsize digits = 0;
    while (digits < length &&
           (g_ascii_isalnum(text[digits]) || text[digits] == '+' || text[digits] == '/'))
        digits++;
    *stripped = digits;
    const gsize padding = length - digits;
    if (digits % GROUP == 1 || (padding > 0 && length % GROUP != 0))
        return FALSE;
    return padding <= 2 && strspn(text + digits, "=") == padding;
}

/* The last group may be incomplete, which GLib's decoder would drop. */
static gsize decode_in_place(gchar *text, gsize digits)
{
    gchar last[GROUP + 1] = "====";
    const gsize whole = digits - digits % GROUP;
    gint state = 0;
    guint save = 0;
    memcpy(last, text + whole, digits % GROUP);
    gsize bytes = g_base64_decode_step(text, whole, (guchar *)text, &state, &save);
    if (digits > whole)
        bytes += g_base64_decode_step(last, GROUP, (guchar *)text + bytes, &state, &save);
    text[bytes] = '\0';
    return bytes;
}

static gint32 read_binary(ThriftProtocol *protocol, gpointer *bytes, guint32 *length,
                          GError **error)
{
    gsize digits;
    FRAME_BASE_GET_CLASS(protocol)->read_bytes(protocol, bytes, length, error);
    if (*bytes == NULL)
        return 0;
    if (strip_padding(*bytes, *length, &digits)) {
        *length = (guint32)decode_in_place(*bytes, digits);
        return 0;
    }
    frame_reader_fail(frame_base_in(protocol), "binary at byte %zu is no Base64",
                      frame_reader_offset(frame_base_in(protocol)));
    g_clear_pointer(bytes, g_free);
    *length = 0;
    return 0;
}

static gint32 write_binary(ThriftProtocol *protocol, const gpointer bytes, const guint32 length,
                           GError **error)
{
    const guint64 encoded = ((guint64)length + 2) / 3 * GROUP;
    if (!frame_writer_length_fits(frame_base_out(protocol), encoded))
        return 0;
    g_autofree gchar *text = g_base64_encode(bytes, length);
    return FRAME_BASE_GET_CLASS(protocol)->write_bytes(protocol, text, (guint32)encoded, error);
}

static void json_protocol_class_init(JsonProtocolClass *class)
{
    class->parent.read_binary = read_binary;
    class->parent.write_binary = write_binary;
}

static void json_protocol_init(G_GNUC_UNUSED JsonProtocol *protocol) {}
