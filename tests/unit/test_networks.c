/* test_networks.c - who is in a network. */
#include "config/networks.h"
#include "tests/unit/runner.h"

static const struct {
    const gchar *networks, *host;
    gboolean has;
} rows[] = {
    { "10.0.0.0/8", "10.255.0.1", TRUE },
    { "10.0.0.0/8", "11.0.0.1", FALSE },
    { "192.0.2.4/31", "192.0.2.5", TRUE },
    { "192.0.2.4/31", "192.0.2.6", FALSE },
    { "192.0.2.7", "192.0.2.7", TRUE },
    { "192.0.2.7", "192.0.2.8", FALSE },
    { "192.0.2.7", "::ffff:192.0.2.7", TRUE },
    { "0.0.0.0/0", "203.0.113.9", TRUE },
    { "0.0.0.0/0", "2001:db8::1", FALSE },
    { "2001:db8::/33", "2001:db8:7fff::1", TRUE },
    { "2001:db8::/33", "2001:db8:8000::1", FALSE },
    { "::1", "::1", TRUE },
    { "unix", "unix:uid=0", TRUE },
    { "unix", "127.0.0.1", FALSE },
    { "127.0.0.0/8", "unix:uid=0", FALSE },
    { "127.0.0.1 ; unix", "unix:uid=0", TRUE },
    { "127.0.0.1", "?", FALSE },
    { "", "127.0.0.1", FALSE },
};

START_TEST(a_host_is_in_its_networks)
{
    GArray *networks = NULL;
    ck_assert(networks_parse(rows[_i].networks, &networks, NULL));
    ck_assert_int_eq(networks_have(networks, rows[_i].host), rows[_i].has);
    g_clear_pointer(&networks, g_array_unref);
}
END_TEST

static const gchar *const wrong[] = { "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1",
                                      "::/129",     "localhost",   "unix/0",    "10.0.0.1;;::1" };

START_TEST(what_is_no_network_is_named)
{
    GArray *networks = NULL;
    g_autoptr(GError) error = NULL;
    ck_assert(!networks_parse(wrong[_i], &networks, &error));
    ck_assert_ptr_null(networks);
    ck_assert(g_str_has_suffix(error->message, "is not a network"));
}
END_TEST

START_TEST(equal_networks_are_equal)
{
    GArray *one = NULL, *same = NULL, *other = NULL;
    networks_parse("10.0.0.0/8; unix", &one, NULL);
    networks_parse(" 10.0.0.0/8;unix ", &same, NULL);
    networks_parse("10.0.0.0/9; unix", &other, NULL);
    ck_assert(networks_equal(one, same) && !networks_equal(one, other) &&
              !networks_equal(one, NULL));
    ck_assert(networks_equal(NULL, NULL));
    g_array_unref(one);
    g_array_unref(same);
    g_array_unref(other);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("networks");
    TCase *tcase = tcase_create("networks");
    tcase_add_loop_test(tcase, a_host_is_in_its_networks, 0, G_N_ELEMENTS(rows));
    tcase_add_loop_test(tcase, what_is_no_network_is_named, 0, G_N_ELEMENTS(wrong));
    tcase_add_test(tcase, equal_networks_are_equal);
    suite_add_tcase(suite, tcase);
    return suite;
}
