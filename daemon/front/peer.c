#include "daemon/front/peer.h"
#include "actor/fault/fault_point.h"
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
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

static const Peer nobody = { "tcp://?", "?" };

static Peer internet_peer(const struct sockaddr_storage *address, socklen_t length)
{
    Peer peer = nobody;
    gchar port[8];
    if (getnameinfo((const struct sockaddr *)address, length, peer.host, sizeof peer.host, port,
                    sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        g_snprintf(peer.name, sizeof peer.name,
                   address->ss_family == AF_INET6 ? "tcp://[%.45s]:%.5s" : "tcp://%.45s:%.5s",
                   peer.host, port);
    return peer;
}

Peer peer_of(int fd)
{
    struct sockaddr_storage address = { 0 };
    socklen_t length = sizeof address;
    if (FAULT_AT(PEER_NAME) || getpeername(fd, (struct sockaddr *)&address, &length) != 0)
        return nobody; /* it has gone already; the first read says so */
    if (address.ss_family == AF_UNIX)
        return unix_peer(fd);
    return internet_peer(&address, length);
}

Peer peer_of_proxied(const WireProxy *proxy)
{
    struct sockaddr_storage address = { 0 };
    if (proxy->family == WIRE_PROXY_IPV6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = g_htons(proxy->port);
        memcpy(&v6->sin6_addr, proxy->address, sizeof v6->sin6_addr);
        return internet_peer(&address, sizeof *v6);
    }
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    v4->sin_family = AF_INET;
    v4->sin_port = g_htons(proxy->port);
    memcpy(&v4->sin_addr, proxy->address, sizeof v4->sin_addr);
    return internet_peer(&address, sizeof *v4);
}
