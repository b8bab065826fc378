/* networks.h - networks by their addresses: "10.0.0.0/8; 2001:db8::/32; 127.0.0.1; unix".
 *
 * Thread: any; no state.                                                                     */
#pragma once
#include <glib.h>

#define NETWORKS_FORMS "ADDRESS[/BITS] or unix, several separated by ';', or nothing"

typedef struct {
    gint family;        /* AF_INET, AF_INET6 or AF_UNIX, which is everybody there */
    guint8 address[16]; /* as the network has it */
    guint bits;
} Network;

/* Replaces *field (transfer full, of Network; NULL for nothing).  FALSE leaves it as it was. */
gboolean networks_parse(const gchar *text, GArray **field, GError **error);
gboolean networks_equal(const GArray *a, const GArray *b);

/* Whether a host, which is the text of an address or begins with "unix:", is in one of them.
 * An IPv4 address in IPv6's clothes is one of IPv4. */
gboolean networks_have(const GArray *networks, const gchar *host);
