#include "daemon/front/stream.h"
#include "actor/fault/fault_point.h"
#include <sys/ioctl.h>
#include <sys/socket.h>

ssize_t stream_receive(Stream *stream, guint8 *into, gsize room)
{
    if (FAULT_AT(CLIENT_RECV_RESET) || FAULT_AT(CLIENT_RECV_AGAIN))
        return -1;
    return recv(stream->fd, into, room, MSG_DONTWAIT);
}

ssize_t stream_send(Stream *stream, const struct iovec *parts, gsize n_parts)
{
    if (FAULT_AT(CLIENT_SEND_AGAIN) || FAULT_AT(CLIENT_SEND_BROKEN))
        return -1;
    if (FAULT_AT(CLIENT_SEND_SHORT))
        return send(stream->fd, parts[0].iov_base, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    const struct msghdr packet = { .msg_iov = (struct iovec *)parts, .msg_iovlen = n_parts };
    return sendmsg(stream->fd, &packet, MSG_NOSIGNAL | MSG_DONTWAIT);
}

gboolean stream_end(Stream *stream)
{
    return !FAULT_AT(CLIENT_SHUTDOWN) && shutdown(stream->fd, SHUT_WR) == 0;
}

gsize stream_unread_bytes(const Stream *stream)
{
    int bytes = 0;
    return ioctl(stream->fd, FIONREAD, &bytes) == 0 ? (gsize)bytes : 0;
}

void stream_close(Stream *stream) { fd_close(&stream->fd); }
