/* test_wire_proxy.c - headers of both versions, however they come, and what is none. */
#include "daemon/wire/proxy.h"
#include "tests/unit/runner.h"
#include <string.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4        "\xc0\0\x02\x07\xc6\x33\x64\x01\xcf\x84\x23\x82"
#define V6_SOURCE "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
#define V6        V6_SOURCE V6_SOURCE "\xcf\x84\x23\x82"

#define BYTES(text) (const guint8 *)(text), sizeof(text) - 1

static const struct {
    const guint8 *bytes;
    gsize length;
    WireProxyFamily family;
    const gchar *address;
    guint16 port;
} whole[] = {
    { BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 53124 9090\r\n"), WIRE_PROXY_IPV4, "\xc0\0\x02\x07",
      53124 },
    { BYTES("PROXY TCP6 2001:db8::1 2001:db8::1 53124 9090\r\n"), WIRE_PROXY_IPV6, V6_SOURCE,
      53124 },
    { BYTES("PROXY UNKNOWN\r\n"), WIRE_PROXY_ITSELF, "", 0 },
    { BYTES("PROXY UNKNOWN ffff:f...f:ffff ffff 65535 65535\r\n"), WIRE_PROXY_ITSELF, "", 0 },
    { BYTES(SIGNATURE "\x21\x11\0\x0c" V4), WIRE_PROXY_IPV4, "\xc0\0\x02\x07", 53124 },
    { BYTES(SIGNATURE "\x21\x11\0\x10" V4 "\x04\0\x01x"), WIRE_PROXY_IPV4, "\xc0\0\x02\x07",
      53124 },
    { BYTES(SIGNATURE "\x21\x21\0\x24" V6), WIRE_PROXY_IPV6, V6_SOURCE, 53124 },
    { BYTES(SIGNATURE "\x20\0\0\0"), WIRE_PROXY_ITSELF, "", 0 },
    { BYTES(SIGNATURE "\x20\x11\0\x0c" V4), WIRE_PROXY_ITSELF, "", 0 },
    { BYTES(SIGNATURE "\x21\0\0\x03"
                      "abc"),
      WIRE_PROXY_ITSELF, "", 0 },
};

START_TEST(a_header_is_read_to_its_end_and_no_further)
{
    g_autofree guint8 *more = g_malloc(whole[_i].length + 5);
    WireProxy proxy;
    memcpy(more, whole[_i].bytes, whole[_i].length);
    memcpy(more + whole[_i].length, "PROXY", 5);
    ck_assert_int_eq(wire_proxy_read(more, whole[_i].length + 5, &proxy), WIRE_OK);
    ck_assert_uint_eq(proxy.bytes, whole[_i].length);
    ck_assert_int_eq(proxy.family, whole[_i].family);
    ck_assert_uint_eq(proxy.port, whole[_i].port);
    const gsize bytes = proxy.family == WIRE_PROXY_IPV6   ? 16
                        : proxy.family == WIRE_PROXY_IPV4 ? 4
                                                          : 0;
    ck_assert(memcmp(proxy.address, whole[_i].address, bytes) == 0);
}
END_TEST

START_TEST(every_beginning_wants_more)
{
    for (gsize n = 1; n < whole[_i].length; n++) {
        g_autofree guint8 *part = g_memdup2(whole[_i].bytes, n);
        WireProxy proxy;
        ck_assert_int_eq(wire_proxy_read(part, n, &proxy), WIRE_MORE);
    }
}
END_TEST

static const struct {
    const guint8 *bytes;
    gsize length;
} hostile[] = {
    { BYTES("x") },
    { BYTES("PROXX") },
    { BYTES("\r\n\r\n\r") },
    { BYTES("\x80\x01\0\x01") },
    { BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 53124 9090\n") },
    { BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 53124\r\n") },
    { BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 53124 9090 1\r\n") },
    { BYTES("PROXY TCP4 192.0.2.7  198.51.100.1 53124 9090\r\n") },
    { BYTES("PROXY TCP4 192.0.2.256 198.51.100.1 53124 9090\r\n") },
    { BYTES("PROXY TCP4 2001:db8::1 2001:db8::1 53124 9090\r\n") },
    { BYTES("PROXY TCP4 192.0.2.7 x 53124 9090\r\n") },
    { BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 65536 9090\r\n") },
    { BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 53124 -1\r\n") },
    { BYTES("PROXY TCP5 192.0.2.7 198.51.100.1 53124 9090\r\n") },
    { BYTES("PROXY \r\n") },
    { BYTES("PROXY UNKNOWN\0\r\n") },
    { BYTES("PROXY UNKNOWN                                                                       "
            "                       ") },
    { BYTES(SIGNATURE "\x11\x11\0\x0c" V4) },
    { BYTES(SIGNATURE "\x22\x11\0\x0c" V4) },
    { BYTES(SIGNATURE "\x21\x11\0\x0b" V4) },
    { BYTES(SIGNATURE "\x21\x21\0\x0c" V4) },
    { BYTES(SIGNATURE "\x21\x11\x0f\xf1") },
    { BYTES(SIGNATURE "\x21\x11\xff\xff") },
};

START_TEST(what_is_no_header_is_refused)
{
    g_autofree guint8 *bytes = g_memdup2(hostile[_i].bytes, hostile[_i].length);
    WireProxy proxy;
    ck_assert_int_eq(wire_proxy_read(bytes, hostile[_i].length, &proxy), WIRE_BAD_PROXY);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("wire_proxy");
    TCase *tcase = tcase_create("proxy");
    tcase_add_loop_test(tcase, a_header_is_read_to_its_end_and_no_further, 0, G_N_ELEMENTS(whole));
    tcase_add_loop_test(tcase, every_beginning_wants_more, 0, G_N_ELEMENTS(whole));
    tcase_add_loop_test(tcase, what_is_no_header_is_refused, 0, G_N_ELEMENTS(hostile));
    suite_add_tcase(suite, tcase);
    return suite;
}
