#include "daemon/front/stream.h"
#include "actor/fault/fault_point.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define TLS_HANDSHAKE    0x16 /* the type of the record that a client begins with */
#define TLS_RECORD_BYTES ((gsize)16 * 1024)

gboolean stream_open(Stream *stream, int fd, StreamKind kind, TlsContext *tls)
{
    *stream = (Stream){ .fd = fd, .kind = kind };
    if (kind == STREAM_MIXED)
        stream->tls = tls_context_ref(tls);
    if (kind == STREAM_TLS && (stream->ssl = tls_context_accept(tls, fd)) == NULL)
        stream->fd = -1;
    return stream->fd >= 0;
}

/* --- TLS --------------------------------------------------------------------------------- */

/* What a call of OpenSSL has come to, as a system call would say it. */
static ssize_t tls_failed(Stream *stream, int result)
{
    switch (SSL_get_error(stream->ssl, result)) {
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_WANT_WRITE:
        stream->wants_write = TRUE;
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_WANT_READ:
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_SYSCALL:
        if (errno == 0 || errno == EAGAIN)
            errno = ECONNRESET;
        return -1;
    default:
        stream->problem = ERR_reason_error_string(ERR_peek_last_error());
        if (stream->problem == NULL)
            stream->problem = "unknown";
        errno = EPROTO;
        return -1;
    }
}

static ssize_t tls_receive(Stream *stream, guint8 *into, gsize room)
{
    stream->wants_write = FALSE;
    ERR_clear_error(); /* they are the thread's, and other connections leave theirs */
    const int got = SSL_read(stream->ssl, into, (int)MIN(room, G_MAXINT));
    return got > 0 ? got : tls_failed(stream, got);
}

static int tls_write(Stream *stream, gconstpointer bytes, gsize length)
{
    ERR_clear_error();
    return SSL_write(stream->ssl, bytes, (int)MIN(length, G_MAXINT));
}

/* Small replies go out in one record: each has its own header and checksum. */
static ssize_t tls_send(Stream *stream, const struct iovec *parts, gsize n_parts)
{
    guint8 record[TLS_RECORD_BYTES];
    gsize used = 0;
    int sent;
    if (n_parts == 1 || parts[0].iov_len >= TLS_RECORD_BYTES) {
        sent = tls_write(stream, parts[0].iov_base, parts[0].iov_len);
    } else {
        for (gsize i = 0; i < n_parts && used < TLS_RECORD_BYTES; i++) {
            const gsize n = MIN(parts[i].iov_len, TLS_RECORD_BYTES - used);
            memcpy(record + used, parts[i].iov_base, n);
            used += n;
        }
        sent = tls_write(stream, record, used);
    }
    if (sent > 0)
        return sent;
    const ssize_t failed = tls_failed(stream, sent);
    stream->wants_write = FALSE; /* who sends waits for that anyway */
    if (failed == 0)
        errno = EPIPE;
    return -1;
}

/* FALSE: there is no first byte yet, or no memory; errno says which. */
static gboolean resolve(Stream *stream)
{
    guint8 first;
    const ssize_t got = recv(stream->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0)
        return FALSE;
    stream->kind = STREAM_PLAIN;
    if (got == 1 && first == TLS_HANDSHAKE) {
        stream->kind = STREAM_TLS;
        stream->ssl = tls_context_accept(stream->tls, stream->fd);
    }
    g_clear_pointer(&stream->tls, tls_context_unref);
    errno = ENOMEM;
    return stream->kind == STREAM_PLAIN || stream->ssl != NULL;
}

/* --- bytes ------------------------------------------------------------------------------- */

ssize_t stream_receive(Stream *stream, guint8 *into, gsize room)
{
    if (FAULT_AT(CLIENT_RECV_RESET) || FAULT_AT(CLIENT_RECV_AGAIN))
        return -1;
    if (stream->kind == STREAM_MIXED && !resolve(stream))
        return -1;
    if (stream->ssl != NULL)
        return tls_receive(stream, into, room);
    return recv(stream->fd, into, room, MSG_DONTWAIT);
}

ssize_t stream_send(Stream *stream, const struct iovec *parts, gsize n_parts)
{
    if (FAULT_AT(CLIENT_SEND_AGAIN) || FAULT_AT(CLIENT_SEND_BROKEN))
        return -1;
    if (stream->ssl != NULL)
        return tls_send(stream, parts, n_parts);
    if (FAULT_AT(CLIENT_SEND_SHORT))
        return send(stream->fd, parts[0].iov_base, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    const struct msghdr packet = { .msg_iov = (struct iovec *)parts, .msg_iovlen = n_parts };
    return sendmsg(stream->fd, &packet, MSG_NOSIGNAL | MSG_DONTWAIT);
}

gboolean stream_end(Stream *stream)
{
    if (stream->ssl != NULL) {
        ERR_clear_error();
        (void)SSL_shutdown(stream->ssl); /* all is out: there is room, or the client is stuck */
    }
    return !FAULT_AT(CLIENT_SHUTDOWN) && shutdown(stream->fd, SHUT_WR) == 0;
}

gsize stream_unread_bytes(const Stream *stream)
{
    int bytes = 0;
    const gsize waiting = ioctl(stream->fd, FIONREAD, &bytes) == 0 ? (gsize)bytes : 0;
    return waiting + (stream->ssl != NULL ? (gsize)SSL_pending(stream->ssl) : 0);
}

gboolean stream_has_buffered(const Stream *stream)
{
    return stream->ssl != NULL && SSL_pending(stream->ssl) > 0;
}

gboolean stream_is_in_handshake(const Stream *stream)
{
    return stream->ssl != NULL && !SSL_is_init_finished(stream->ssl);
}

gboolean stream_is_resumed(const Stream *stream) { return SSL_session_reused(stream->ssl) == 1; }
const gchar *stream_problem(const Stream *stream) { return stream->problem; }

void stream_close(Stream *stream)
{
    g_clear_pointer(&stream->ssl, SSL_free);
    g_clear_pointer(&stream->tls, tls_context_unref);
    ERR_clear_error();
    fd_close(&stream->fd);
}
