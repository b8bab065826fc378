/* address.c - see address.h. */
#include "config/address.h"
#include "config/config.h"
#include <string.h>
#include <sys/un.h>

#define MAX_NAME_BYTES 253 /* of a name in the DNS */
#define MAX_PATH_BYTES (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

#define DIGITS     "0123456789"
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS ".-_"

static gboolean consists_of(const gchar *text, const gchar *chars)
{
    return text[strspn(text, chars)] == '\0';
}

/* What nobody could resolve is refused here, where its line is known: also 127.0.0.256,
 * which as a name would only fail much later. */
static gboolean is_name_or_ipv4(const gchar *host)
{
    if (host[0] == '\0' || strlen(host) > MAX_NAME_BYTES || !consists_of(host, NAME_CHARS))
        return FALSE;
    return !consists_of(host, DIGITS ".") || g_hostname_is_ip_address(host);
}

static gchar *parse_host(const gchar *text)
{
    if (text[0] != '[')
        return is_name_or_ipv4(text) ? g_strdup(text) : NULL;

    gsize n_bytes = strlen(text);
    if (text[n_bytes - 1] != ']')
        return NULL;
    g_autofree gchar *host = g_strndup(text + 1, n_bytes - 2);
    if (strchr(host, ':') == NULL || !g_hostname_is_ip_address(host))
        return NULL;
    return g_steal_pointer(&host);
}

static gboolean parse_host_and_port(Address *address, const gchar *text, GError **error)
{
    address->kind = ADDRESS_TCP;
    const gchar *colon = strrchr(text, ':');
    guint64 port;
    if (colon == NULL || !g_ascii_string_to_unsigned(colon + 1, 10, 0, G_MAXUINT16, &port, NULL)) {
        g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
                            "no port from 0 to 65535 at the end");
        return FALSE;
    }
    address->port = (guint16)port;

    g_autofree gchar *host = g_strndup(text, (gsize)(colon - text));
    address->host = parse_host(host);
    if (address->host == NULL)
        g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
                            "the host is neither a name, an IPv4 nor an IPv6 in brackets");
    return address->host != NULL;
}

static gboolean parse_path(Address *address, const gchar *text, GError **error)
{
    address->kind = ADDRESS_UNIX;
    if (!g_path_is_absolute(text) || strlen(text) > MAX_PATH_BYTES) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
                    "the path is not absolute, or longer than %" G_GSIZE_FORMAT " bytes",
                    MAX_PATH_BYTES);
        return FALSE;
    }
    address->path = g_strdup(text);
    return TRUE;
}

static Address *address_parse(const gchar *text, const gchar *scheme,
                              gboolean (*parse_rest)(Address *, const gchar *, GError **),
                              GError **error)
{
    g_autoptr(Address) address = g_new0(Address, 1);
    address->text = g_strdup(text);
    if (!parse_rest(address, text + strlen(scheme), error))
        return NULL;
    return g_steal_pointer(&address);
}

Address *address_parse_listener(const gchar *text, GError **error)
{
    if (g_str_has_prefix(text, "tcp://"))
        return address_parse(text, "tcp://", parse_host_and_port, error);
    if (g_str_has_prefix(text, "tls://")) {
        Address *address = address_parse(text, "tls://", parse_host_and_port, error);
        if (address != NULL)
            address->is_tls = TRUE;
        return address;
    }
    if (g_str_has_prefix(text, "unix:"))
        return address_parse(text, "unix:", parse_path, error);
    g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
                        "starts with none of tcp://, tls:// and unix:");
    return NULL;
}

Address *address_parse_admin(const gchar *text, GError **error)
{
    if (g_str_has_prefix(text, "http://"))
        return address_parse(text, "http://", parse_host_and_port, error);
    g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, "does not start with http://");
    return NULL;
}

gboolean address_equal(const Address *a, const Address *b)
{
    if (a->kind != b->kind)
        return FALSE;
    if (a->kind == ADDRESS_UNIX)
        return g_str_equal(a->path, b->path);
    return a->port == b->port && g_ascii_strcasecmp(a->host, b->host) == 0;
}

void address_free(Address *address)
{
    if (address == NULL)
        return;
    g_free(address->host);
    g_free(address->path);
    g_free(address->text);
    g_free(address);
}
