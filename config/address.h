/* address.h - an address as the configuration writes it.
 *
 * Only the form is checked here: names are resolved and sockets bound by those who listen.
 *
 * Thread: an Address never changes; any thread may read one.
 * Never:  asks a name server, touches a socket or the file system.                            */
#pragma once
#include <glib.h>

typedef enum { ADDRESS_TCP, ADDRESS_UNIX } AddressKind;

typedef struct {
    AddressKind kind;
    gchar *host; /* TCP: a name, an IPv4, or an IPv6 without its brackets; else NULL */
    guint16 port;
    gboolean is_tls; /* TCP */
    gchar *path;     /* UNIX: absolute; else NULL */
    gchar *text;     /* as it was written */
} Address;

/* tcp://HOST:PORT, tls://HOST:PORT or unix:/PATH; the caller owns what is returned. */
Address *address_parse_listener(const gchar *text, GError **error);

/* http://HOST:PORT, as an ADDRESS_TCP; the caller owns what is returned. */
Address *address_parse_admin(const gchar *text, GError **error);

/* Whether they need the same socket: TLS is not asked for. */
gboolean address_equal(const Address *a, const Address *b);
void address_free(Address *address); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Address, address_free)
