/* stream.h - the bytes of one client, as its socket gives and takes them.
 *
 * Never waits: what cannot be done now says EAGAIN.
 *
 * Thread: the loop's.   Owns: the socket.                                                    */
#pragma once
#include "daemon/base/fd.h"
#include <sys/types.h>
#include <sys/uio.h>

typedef struct {
    Fd fd;
} Stream;

/* As recv(): 0 is the client's end, -1 and errno no bytes. */
ssize_t stream_receive(Stream *stream, guint8 *into, gsize room);
/* As sendmsg(): how much of `parts` is out, or -1 and errno. */
ssize_t stream_send(Stream *stream, const struct iovec *parts, gsize n_parts);
/* Tells the client that nothing more comes.  FALSE: it has gone. */
gboolean stream_end(Stream *stream);
/* How many bytes have come that nobody has received. */
gsize stream_unread_bytes(const Stream *stream);
void stream_close(Stream *stream);
