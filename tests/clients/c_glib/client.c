/* Sluice's conformance service called by Apache Thrift's C library: HOST PORT TLS_PORT CA. */
#include "cnf_conformance.h"
#include <math.h>
#include <stdio.h>
#include <thrift/c_glib/protocol/thrift_binary_protocol.h>
#include <thrift/c_glib/protocol/thrift_compact_protocol.h>
#include <thrift/c_glib/transport/thrift_buffered_transport.h>
#include <thrift/c_glib/transport/thrift_framed_transport.h>
#include <thrift/c_glib/transport/thrift_socket.h>
#include <thrift/c_glib/transport/thrift_ssl_socket.h>

#define REQUIRE(what) \
    if (!(what))      \
        return #what;

static const gchar *check_refusal(cnfConformanceIf *client)
{
    g_autoptr(GError) error = NULL;
    cnfRefused *refused = NULL;
    REQUIRE(!cnf_conformance_if_refuse(client, 7,
                                       "gr\xc3\xb6\xc3\x9f"
                                       "er",
                                       &refused, &error));
    REQUIRE(refused != NULL && refused->code == 7);
    REQUIRE(g_str_equal(refused->why, "gr\xc3\xb6\xc3\x9f"
                                      "er"));
    g_object_unref(refused);
    return NULL;
}

static const gchar *check_sample(cnfConformanceIf *client, cnfEverything *sample)
{
    gchar *text = NULL;
    cnfPainted *painted = g_object_new(CNF_TYPE_PAINTED, NULL);
    painted->colour = (cnfColour)77;
    painted->__isset_colour = TRUE;
    cnfPainted *again = g_object_new(CNF_TYPE_PAINTED, NULL);
    cnfEverything *echoed = g_object_new(CNF_TYPE_EVERYTHING, NULL);
    REQUIRE(sample->yes && !sample->no);
    REQUIRE(sample->least_i8 == G_MININT8 && sample->most_i64 == G_MAXINT64);
    REQUIRE(isnan(sample->not_a_number) && isinf(sample->infinity));
    REQUIRE(g_str_equal(sample->planes, "a \" \\ / \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"));
    REQUIRE(sample->every_byte->len == 256 && sample->every_byte->data[255] == 255);
    REQUIRE(sample->colour == CNF_COLOUR_GREEN && g_str_equal(sample->choice->text, "chosen"));
    REQUIRE(g_hash_table_size(sample->primes) == 2 && !sample->__isset_absent);
    REQUIRE(cnf_conformance_if_echo(client, &echoed, sample, NULL));
    REQUIRE(cnf_conformance_if_difference(client, &text, echoed, NULL));
    REQUIRE(g_str_equal(text, ""));
    g_clear_pointer(&text, g_free);
    sample->least_i32++;
    REQUIRE(cnf_conformance_if_difference(client, &text, sample, NULL));
    REQUIRE(g_str_equal(text, "least_i32"));
    REQUIRE(cnf_conformance_if_echo_painted(client, &again, painted, NULL));
    REQUIRE((gint)again->colour == 77);
    gdouble negated = 0;
    REQUIRE(cnf_conformance_if_negated(client, &negated, INFINITY, NULL));
    REQUIRE(isinf(negated) && negated < 0);
    REQUIRE(cnf_conformance_if_note(client, "from C", NULL));
    g_free(text);
    g_object_unref(echoed);
    g_object_unref(painted);
    g_object_unref(again);
    return check_refusal(client);
}

static const gchar *check(cnfConformanceIf *client)
{
    gchar *text = NULL;
    REQUIRE(cnf_base_if_ping(CNF_BASE_IF(client), NULL));
    REQUIRE(cnf_base_if_name(CNF_BASE_IF(client), &text, NULL));
    REQUIRE(g_str_equal(text, "conformance"));
    g_free(text);
    cnfEverything *sample = g_object_new(CNF_TYPE_EVERYTHING, NULL);
    REQUIRE(cnf_conformance_if_sample(client, &sample, NULL));
    const gchar *problem = check_sample(client, sample);
    g_object_unref(sample);
    return problem;
}

static guint port_of(const gchar *text)
{
    guint64 port = 0;
    if (!g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT16, &port, NULL))
        g_error("no port: %s", text);
    return (guint)port;
}

static ThriftTransport *connect_to(gchar **arguments, gboolean secure)
{
    GError *error = NULL;
    if (!secure)
        return g_object_new(THRIFT_TYPE_SOCKET, "hostname", arguments[1], "port",
                            port_of(arguments[2]), NULL);
    ThriftSSLSocket *socket =
        thrift_ssl_socket_new_with_host(SSLTLS, arguments[1], port_of(arguments[3]), &error);
    if (socket == NULL || !thrift_ssl_load_cert_from_file(socket, arguments[4]))
        g_error("no TLS: %s", error != NULL ? error->message : arguments[4]);
    return THRIFT_TRANSPORT(socket);
}

static const gchar *try(gchar **arguments, GType transport, GType protocol, gboolean secure)
{
    static gchar text[512];
    GError *error = NULL;
    g_autoptr(GObject) socket = G_OBJECT(connect_to(arguments, secure));
    g_autoptr(GObject) below = g_object_new(transport, "transport", socket, NULL);
    if (!thrift_transport_open(THRIFT_TRANSPORT(below), &error)) {
        g_snprintf(text, sizeof text, "open: %s", error != NULL ? error->message : "?");
        g_clear_error(&error);
        return text;
    }
    g_autoptr(GObject) wire = g_object_new(protocol, "transport", below, NULL);
    g_autoptr(GObject) client = g_object_new(CNF_TYPE_CONFORMANCE_CLIENT, "input_protocol", wire,
                                             "output_protocol", wire, NULL);
    const gchar *problem = check(CNF_CONFORMANCE_IF(client));
    thrift_transport_close(THRIFT_TRANSPORT(below), NULL);
    return problem;
}

int main(G_GNUC_UNUSED int argc, char **arguments)
{
    const GType transports[] = { THRIFT_TYPE_BUFFERED_TRANSPORT, THRIFT_TYPE_FRAMED_TRANSPORT };
    const GType protocols[] = { THRIFT_TYPE_BINARY_PROTOCOL, THRIFT_TYPE_COMPACT_PROTOCOL };
    static const gchar *const names[][2] = { { "buffered", "framed" }, { "binary", "compact" } };
    int failures = 0;
    thrift_ssl_socket_initialize_openssl();
    for (guint i = 0; i < 8; i++) {
        const guint t = i / 2 % 2, p = i % 2;
        const gboolean secure = i >= 4;
        const gchar *problem = try(arguments, transports[t], protocols[p], secure);
        failures += problem != NULL;
        printf("%s %s %s %s %s\n", problem != NULL ? "FAILED" : "ok", names[0][t], names[1][p],
               secure ? "tls" : "plain", problem != NULL ? problem : "");
    }
    return failures > 0;
}
