/* stream.h - the bytes of one client, as its socket gives and takes them, plain or in TLS.
 *
 *   PLAIN   as they are
 *   MIXED   the first byte, which stays unread until then, says which of the others it is
 *   TLS     the handshake is part of receiving
 *
 * Never waits: what cannot be done now says EAGAIN.  What TLS finds wrong says EPROTO, and
 * stream_problem() what it is.
 *
 * Thread: the loop's.   Owns: the socket.                                                    */
#pragma once
#include "daemon/base/fd.h"
#include "daemon/front/tls_context.h"
#include <sys/types.h>
#include <sys/uio.h>

typedef enum { STREAM_PLAIN, STREAM_MIXED, STREAM_TLS } StreamKind;

typedef struct {
    Fd fd;
    StreamKind kind;
    TlsContext *tls; /* MIXED: for when it shows */
    SSL *ssl;        /* TLS */
    const gchar *problem;
    gboolean wants_write; /* receiving can go on when the socket takes bytes */
} Stream;

/* Takes `fd`; `tls` is needed unless it is PLAIN.  FALSE: no memory for TLS, and `fd` is still
 * the caller's. */
gboolean stream_open(Stream *stream, int fd, StreamKind kind, TlsContext *tls);

/* As recv(): 0 is the client's end, -1 and errno no bytes. */
ssize_t stream_receive(Stream *stream, guint8 *into, gsize room);
/* As sendmsg(): how much of `parts` is out, or -1 and errno.  After EAGAIN the next call's parts
 * begin with the same bytes, and are no fewer. */
ssize_t stream_send(Stream *stream, const struct iovec *parts, gsize n_parts);
/* Tells the client that nothing more comes.  FALSE: it has gone. */
gboolean stream_end(Stream *stream);
/* How many bytes have come that nobody has received; in TLS as they came, no fewer than that. */
gsize stream_unread_bytes(const Stream *stream);
/* Bytes are there that the socket will not report as readable. */
gboolean stream_has_buffered(const Stream *stream);
gboolean stream_is_in_handshake(const Stream *stream);
gboolean stream_is_resumed(const Stream *stream); /* TLS after its handshake */
const gchar *stream_problem(const Stream *stream);
void stream_close(Stream *stream);
