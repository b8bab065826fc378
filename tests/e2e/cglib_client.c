/* cglib_client.c - calls every method of the Calculator with Apache's own c_glib client.
 *
 *   cglib_client framed|buffered binary|compact tcp HOST PORT
 *   cglib_client framed|buffered binary|compact unix PATH
 *
 * Prints each question with its answer; exit status 1 when a call fails.  Stock socket,
 * transport and protocol: it shows that what sluiced says is what Apache's library reads, so
 * nothing of Sluice may be linked in.                                                        */
#include "calc_calculator.h"
#include <stdlib.h>
#include <string.h>
#include <thrift/c_glib/protocol/thrift_binary_protocol.h>
#include <thrift/c_glib/protocol/thrift_compact_protocol.h>
#include <thrift/c_glib/transport/thrift_buffered_transport.h>
#include <thrift/c_glib/transport/thrift_framed_transport.h>
#include <thrift/c_glib/transport/thrift_socket.h>

static void require(gboolean success, const gchar *what, const GError *error)
{
    if (success && error == NULL)
        return;
    g_printerr("%s: %s\n", what, error != NULL ? error->message : "failed without saying why");
    exit(EXIT_FAILURE);
}

static ThriftTransport *socket_new(gchar **address)
{
    if (strcmp(address[0], "unix") == 0)
        return g_object_new(THRIFT_TYPE_SOCKET, "path", address[1], NULL);
    const guint port = (guint)g_ascii_strtoull(address[2], NULL, 10);
    return g_object_new(THRIFT_TYPE_SOCKET, "hostname", address[1], "port", port, NULL);
}

static void call_ping(calcCalculatorIf *client)
{
    g_autoptr(GError) error = NULL;
    require(calc_calculator_if_ping(client, &error), "ping", error);
    g_print("ping()\n");
}

static void call_add(calcCalculatorIf *client)
{
    g_autoptr(GError) error = NULL;
    gint32 sum;
    require(calc_calculator_if_add(client, &sum, 2, 3, &error), "add", error);
    g_print("add(2, 3) = %d\n", sum);
}

static void call_fact(calcCalculatorIf *client, gint32 n)
{
    g_autoptr(GError) error = NULL;
    calcOutOfRange *refused = NULL;
    gint64 product;
    const gboolean success = calc_calculator_if_fact(client, &product, n, &refused, &error);
    if (refused == NULL) {
        require(success, "fact", error);
        g_print("fact(%d) = %" G_GINT64_FORMAT "\n", n, product);
        return;
    }
    g_print("fact(%d) throws OutOfRange: %s\n", n, refused->message);
    g_object_unref(refused);
}

static void call_echo(calcCalculatorIf *client)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) data = g_byte_array_new_take(g_memdup2("a\0b", 3), 3);
    g_autoptr(GByteArray) same = NULL;
    require(calc_calculator_if_echo(client, &same, data, &error), "echo", error);
    g_print("echo(3 bytes) = %u %s bytes\n", same->len,
            memcmp(same->data, data->data, 3) == 0 ? "equal" : "other");
}

static void call_sleep(calcCalculatorIf *client)
{
    g_autoptr(GError) error = NULL;
    require(calc_calculator_if_sleep(client, 1, &error), "sleep", error);
    g_print("sleep(1)\n");
}

static void call_note(calcCalculatorIf *client)
{
    g_autoptr(GError) error = NULL;
    require(calc_calculator_if_note(client, "from c_glib", &error), "note", error);
    g_print("note(from c_glib)\n");
}

int main(int argc, char **argv)
{
    if (argc < 5 || (strcmp(argv[3], "tcp") == 0 && argc < 6)) {
        g_printerr("usage: %s framed|buffered binary|compact tcp HOST PORT | unix PATH\n", argv[0]);
        return EXIT_FAILURE;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(GObject) socket = G_OBJECT(socket_new(argv + 3));
    g_autoptr(GObject) transport =
        g_object_new(strcmp(argv[1], "framed") == 0 ? THRIFT_TYPE_FRAMED_TRANSPORT
                                                    : THRIFT_TYPE_BUFFERED_TRANSPORT,
                     "transport", socket, NULL);
    g_autoptr(GObject) protocol =
        g_object_new(strcmp(argv[2], "compact") == 0 ? THRIFT_TYPE_COMPACT_PROTOCOL
                                                     : THRIFT_TYPE_BINARY_PROTOCOL,
                     "transport", transport, NULL);
    g_autoptr(GObject) client = g_object_new(CALC_TYPE_CALCULATOR_CLIENT, "input_protocol",
                                             protocol, "output_protocol", protocol, NULL);
    require(thrift_transport_open(THRIFT_TRANSPORT(transport), &error), "open", error);
    call_ping(CALC_CALCULATOR_IF(client));
    call_add(CALC_CALCULATOR_IF(client));
    call_fact(CALC_CALCULATOR_IF(client), 20);
    call_fact(CALC_CALCULATOR_IF(client), 21);
    call_echo(CALC_CALCULATOR_IF(client));
    call_sleep(CALC_CALCULATOR_IF(client));
    call_note(CALC_CALCULATOR_IF(client));
    call_ping(CALC_CALCULATOR_IF(client));
    require(thrift_transport_close(THRIFT_TRANSPORT(transport), &error), "close", error);
    return EXIT_SUCCESS;
}
