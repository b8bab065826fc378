/* proxy.h - the PROXY protocol: before its own bytes a proxy says on whose behalf it connects.
 *
 *   1   "PROXY TCP4 192.0.2.7 198.51.100.1 53124 9090\r\n"
 *   2   12 bytes of signature | 2v | family | u16 length | addresses, and more that we skip
 *
 * As HAProxy's proxy-protocol.txt has it.
 *
 * Thread: any; pure.                                                                     */
#pragma once
#include "daemon/wire/wire_verdict.h"

/* A header with more in it is refused; the addresses need 52, certificates and the like follow. */
#define WIRE_PROXY_MAX_BYTES 4096u

typedef enum {
    WIRE_PROXY_ITSELF, /* the connection is the proxy's own, or from nowhere that has an address */
    WIRE_PROXY_IPV4,
    WIRE_PROXY_IPV6,
} WireProxyFamily;

typedef struct {
    gsize bytes; /* of the header: behind it begins what the client sent */
    WireProxyFamily family;
    guint8 address[16]; /* the client's, as the network has it; IPV4: the first four */
    guint16 port;
} WireProxy;

/* WIRE_MORE: all of `bytes` belongs to the header, and it goes on.  WIRE_BAD_PROXY: it is none. */
WireVerdict wire_proxy_read(const guint8 *bytes, gsize length, WireProxy *proxy);
