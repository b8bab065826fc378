#include "daemon/front/peer.h"
#include "actor/fault/fault_point.h"
#include <netdb.h>
#include <sys/socket.h>

static Peer unix_peer(int fd)
{
    Peer peer = { "unix:", "unix:" };
    struct ucred who;
    socklen_t length = sizeof who;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0) {
        g_snprintf(peer.name, sizeof peer.name, "unix:pid=%d,uid=%u", (int)who.pid, who.uid);
        g_snprintf(peer.host, sizeof peer.host, "unix:uid=%u", who.uid);
    }
    return peer;
}

Peer peer_of(int fd)
{
    Peer peer = { "tcp://?", "?" };
    struct sockaddr_storage address = { 0 };
    socklen_t length = sizeof address;
    gchar port[8];
    if (FAULT_AT(PEER_NAME) || getpeername(fd, (struct sockaddr *)&address, &length) != 0)
        return peer; /* it has gone already; the first read says so */
    if (address.ss_family == AF_UNIX)
        return unix_peer(fd);
    if (getnameinfo((struct sockaddr *)&address, length, peer.host, sizeof peer.host, port,
                    sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        g_snprintf(peer.name, sizeof peer.name,
                   address.ss_family == AF_INET6 ? "tcp://[%.45s]:%.5s" : "tcp://%.45s:%.5s",
                   peer.host, port);
    return peer;
}
