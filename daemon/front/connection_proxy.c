#include "daemon/front/connection_proxy.h"
#include "daemon/front/peer.h"
#include "daemon/wire/proxy.h"
#include <errno.h>
#include <sys/socket.h>

void connection_expect_proxy(Connection *connection)
{
    connection->proxy = g_byte_array_new();
    connection_note_begun(connection); /* it has the time of a frame */
}

static void rename_peer(Connection *connection, const WireProxy *header)
{
    const Peer peer = peer_of_proxied(header);
    g_ref_string_release(connection->peer);
    g_ref_string_release(connection->host);
    connection->peer = g_ref_string_new(peer.name);
    connection->host = g_ref_string_new_intern(peer.host);
}

static void take_over(Connection *connection, const WireProxy *header)
{
    g_clear_pointer(&connection->proxy, g_byte_array_unref);
    connection->idle_since = loop_now_usec();
    if (connection->stream.kind != STREAM_TLS)
        connection->frame_since = 0;
    if (header->family != WIRE_PROXY_ITSELF)
        rename_peer(connection, header);
    if (!connection_enter_host(connection))
        connection_end(connection, CTR_CLOSED_HOST); /* it has sent more, and is not reset */
}

static void refuse(Connection *connection, WireVerdict verdict)
{
    g_clear_pointer(&connection->proxy, g_byte_array_unref);
    connection_refuse_bytes(connection, verdict);
}

static gsize peek(Connection *connection, guint8 *bytes, gsize room)
{
    const ssize_t got = recv(connection->stream.fd, bytes, room, MSG_PEEK | MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        connection_close(connection, CTR_CLOSED_BY_CLIENT);
    return got > 0 ? (gsize)got : 0;
}

/* Bytes that were only looked at would make the socket readable for ever: what belongs to the
 * header is taken out. */
gboolean connection_take_proxy(Connection *connection)
{
    guint8 bytes[WIRE_PROXY_MAX_BYTES];
    WireProxy header;
    if (connection->proxy == NULL)
        return TRUE;
    const gsize before = connection->proxy->len;
    const gsize got = peek(connection, bytes, sizeof bytes - before);
    if (got == 0)
        return FALSE;
    g_byte_array_append(connection->proxy, bytes, (guint)got);
    const WireVerdict verdict =
        wire_proxy_read(connection->proxy->data, connection->proxy->len, &header);
    const gsize taken = verdict == WIRE_OK ? header.bytes - before : got;
    if (recv(connection->stream.fd, bytes, taken, MSG_DONTWAIT) != (ssize_t)taken) {
        connection_close(connection, CTR_CLOSED_BY_CLIENT);
        return FALSE;
    }
    connection_count(connection, CTR_BYTES_RECEIVED, (gint64)taken);
    if (verdict == WIRE_OK)
        take_over(connection, &header);
    else if (verdict != WIRE_MORE)
        refuse(connection, verdict);
    return verdict == WIRE_OK && connection->state == CONNECTION_OPEN;
}
