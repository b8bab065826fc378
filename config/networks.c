#include "config/networks.h"
#include "config/config.h"
#include <arpa/inet.h>
#include <string.h>

#define IPV4_BITS 32u
#define IPV6_BITS 128u

static const guint8 mapped[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* The address, whole. */
static gboolean read_address(const gchar *text, Network *network)
{
    *network = (Network){ .family = AF_INET, .bits = IPV4_BITS };
    if (inet_pton(AF_INET, text, network->address) == 1)
        return TRUE;
    network->family = AF_INET6;
    network->bits = IPV6_BITS;
    if (inet_pton(AF_INET6, text, network->address) != 1)
        return FALSE;
    if (memcmp(network->address, mapped, sizeof mapped) == 0) {
        memmove(network->address, network->address + sizeof mapped, 4);
        network->family = AF_INET;
        network->bits = IPV4_BITS;
    }
    return TRUE;
}

static gboolean is_in(const Network *network, const guint8 *address)
{
    const guint whole = network->bits / 8, rest = network->bits % 8;
    const guint8 mask = (guint8)(0xff00u >> rest);
    return memcmp(network->address, address, whole) == 0 &&
           (rest == 0 || ((network->address[whole] ^ address[whole]) & mask) == 0);
}

/* FALSE also where bits are set behind the network's: who writes that means something else. */
static gboolean read_network(const gchar *text, Network *network)
{
    const gchar *slash = strchr(text, '/');
    g_autofree gchar *address =
        g_strndup(text, slash != NULL ? (gsize)(slash - text) : strlen(text));
    guint64 bits;
    if (g_str_equal(text, "unix")) {
        *network = (Network){ .family = AF_UNIX };
        return TRUE;
    }
    if (!read_address(address, network))
        return FALSE;
    if (slash == NULL)
        return TRUE;
    if (!g_ascii_string_to_unsigned(slash + 1, 10, 0, network->bits, &bits, NULL))
        return FALSE;
    for (guint bit = (guint)bits; bit < network->bits; bit++)
        if ((network->address[bit / 8] & 0x80u >> bit % 8) != 0)
            return FALSE;
    network->bits = (guint)bits;
    return TRUE;
}

gboolean networks_parse(const gchar *text, GArray **field, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ";", -1);
    g_autoptr(GArray) networks = g_array_new(FALSE, FALSE, sizeof(Network));
    for (guint i = 0; text[0] != '\0' && parts[i] != NULL; i++) {
        Network network;
        g_strstrip(parts[i]);
        if (!read_network(parts[i], &network)) {
            g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, "\"%s\" is not a network",
                        parts[i]);
            return FALSE;
        }
        g_array_append_val(networks, network);
    }
    g_clear_pointer(field, g_array_unref);
    *field = networks->len > 0 ? g_steal_pointer(&networks) : NULL;
    return TRUE;
}

gboolean networks_equal(const GArray *a, const GArray *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return a->len == b->len && memcmp(a->data, b->data, a->len * sizeof(Network)) == 0;
}

gboolean networks_have(const GArray *networks, const gchar *host)
{
    Network whole = { .family = AF_UNIX };
    if (networks == NULL || (!g_str_has_prefix(host, "unix:") && !read_address(host, &whole)))
        return FALSE;
    for (guint i = 0; i < networks->len; i++) {
        const Network *network = &g_array_index(networks, Network, i);
        if (network->family == whole.family && is_in(network, whole.address))
            return TRUE;
    }
    return FALSE;
}
