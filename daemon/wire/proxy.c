/* proxy.c - both versions of the header, recognised by their first bytes. */
#include "daemon/wire/proxy.h"
#include "daemon/wire/cursor.h"
#include <arpa/inet.h>
#include <string.h>

#define LINE_MAX_BYTES 107u /* with its end */
#define LINE_PARTS     6u

static const gchar line_start[] = "PROXY ";
static const guint8 signature[] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                    0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a };

/* --- version 1 ---------------------------------------------------------------------------- */

static gboolean is_port(const gchar *text, guint64 *port)
{
    return g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT16, port, NULL);
}

/* "TCP4", source, destination and their ports. */
static WireVerdict read_parts(gchar **parts, WireProxy *proxy)
{
    const gboolean v6 = strcmp(parts[1], "TCP6") == 0;
    guint8 destination[sizeof proxy->address];
    guint64 port, destination_port;
    if (!v6 && strcmp(parts[1], "TCP4") != 0)
        return WIRE_BAD_PROXY;
    const int family = v6 ? AF_INET6 : AF_INET;
    if (inet_pton(family, parts[2], proxy->address) != 1 ||
        inet_pton(family, parts[3], destination) != 1 || !is_port(parts[4], &port) ||
        !is_port(parts[5], &destination_port))
        return WIRE_BAD_PROXY;
    proxy->family = v6 ? WIRE_PROXY_IPV6 : WIRE_PROXY_IPV4;
    proxy->port = (guint16)port;
    return WIRE_OK;
}

static WireVerdict read_line(const guint8 *bytes, gsize length, WireProxy *proxy)
{
    gchar line[LINE_MAX_BYTES + 1];
    const gsize looked_at = MIN(length, LINE_MAX_BYTES);
    const guint8 *end = memchr(bytes, '\n', looked_at);
    if (end == NULL)
        return looked_at < LINE_MAX_BYTES && memchr(bytes, '\0', looked_at) == NULL
                   ? WIRE_MORE
                   : WIRE_BAD_PROXY;
    const gsize text = (gsize)(end - bytes) - 1;
    proxy->bytes = text + 2;
    memcpy(line, bytes, text);
    line[text] = '\0';
    if (bytes[text] != '\r' || strlen(line) != text)
        return WIRE_BAD_PROXY;
    gchar *parts[LINE_PARTS];
    guint n = 0;
    gchar *rest = line;
    for (gchar *part; n < LINE_PARTS && (part = strsep(&rest, " ")) != NULL;)
        parts[n++] = part;
    if (n >= 2 && strcmp(parts[1], "UNKNOWN") == 0)
        return WIRE_OK; /* whatever follows */
    return n == LINE_PARTS && rest == NULL ? read_parts(parts, proxy) : WIRE_BAD_PROXY;
}

/* --- version 2 ---------------------------------------------------------------------------- */

#define VERSION_AND_LOCAL 0x20u
#define VERSION_AND_PROXY 0x21u

static void take_address(WireCursor *cursor, WireProxy *proxy, WireProxyFamily family, gsize bytes)
{
    const guint8 *source = wire_take(cursor, bytes);
    wire_take(cursor, bytes); /* the destination */
    proxy->port = wire_take_u16(cursor);
    wire_take_u16(cursor);
    proxy->family = family;
    if (source != NULL)
        memcpy(proxy->address, source, bytes);
}

/* Of what is neither IPv4 nor IPv6 the address is the proxy's own, as the specification wants. */
static WireVerdict read_binary(const guint8 *bytes, gsize length, WireProxy *proxy)
{
    WireCursor cursor = { .bytes = bytes, .length = length };
    wire_take(&cursor, sizeof signature);
    const guint8 command = wire_take_u8(&cursor), family = wire_take_u8(&cursor);
    const gsize rest = wire_take_u16(&cursor);
    if (cursor.verdict != WIRE_OK)
        return cursor.verdict;
    if ((command != VERSION_AND_LOCAL && command != VERSION_AND_PROXY) ||
        cursor.at + rest > WIRE_PROXY_MAX_BYTES)
        return WIRE_BAD_PROXY;
    if (length - cursor.at < rest)
        return WIRE_MORE;
    proxy->bytes = cursor.length = cursor.at + rest;
    if (command == VERSION_AND_LOCAL)
        return WIRE_OK;
    if (family == 0x11) /* TCP over IPv4 */
        take_address(&cursor, proxy, WIRE_PROXY_IPV4, 4);
    else if (family == 0x21) /* TCP over IPv6 */
        take_address(&cursor, proxy, WIRE_PROXY_IPV6, 16);
    return cursor.verdict == WIRE_OK ? WIRE_OK : WIRE_BAD_PROXY;
}

static gboolean begins_like(const guint8 *bytes, gsize length, gconstpointer start, gsize n)
{
    return memcmp(bytes, start, MIN(length, n)) == 0;
}

WireVerdict wire_proxy_read(const guint8 *bytes, gsize length, WireProxy *proxy)
{
    *proxy = (WireProxy){ .bytes = 0 };
    const gboolean is_line = begins_like(bytes, length, line_start, sizeof line_start - 1);
    if (!is_line && !begins_like(bytes, length, signature, sizeof signature))
        return WIRE_BAD_PROXY;
    if (length < (is_line ? sizeof line_start - 1 : sizeof signature))
        return WIRE_MORE;
    return is_line ? read_line(bytes, length, proxy) : read_binary(bytes, length, proxy);
}
