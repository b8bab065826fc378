/* peer.h - who is at the other end of a connection, as text. */
#pragma once
#include "daemon/wire/proxy.h"
#include <glib.h>

typedef struct {
    gchar name[64]; /* "tcp://192.0.2.7:53124", "unix:pid=4711,uid=1000" */
    gchar host[64]; /* the part that stays the same over its connections */
} Peer;

Peer peer_of(int fd);
/* Whom a proxy speaks for: IPV4 or IPV6. */
Peer peer_of_proxied(const WireProxy *proxy);
