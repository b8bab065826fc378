/* test_config_origins.c - promises of config/origins.h. */
#include "config/origins.h"
#include "tests/unit/runner.h"

START_TEST(origins_are_taken_as_browsers_write_them)
{
    g_auto(GStrv) origins = NULL;
    g_autoptr(GError) error = NULL;
    ck_assert(origins_parse(" https://shop.example;http://localhost:3000; http://[::1]:80 ;*",
                            &origins, &error));
    ck_assert_uint_eq(g_strv_length(origins), 4);
    ck_assert_str_eq(origins[0], "https://shop.example");
    ck_assert_str_eq(origins[2], "http://[::1]:80");
    ck_assert(origins_parse("", &origins, &error));
    ck_assert_ptr_null(origins);
}
END_TEST

START_TEST(what_no_browser_sends_is_refused_and_changes_nothing)
{
    static const gchar *const wrong[] = { "shop.example",  "https://",    "://shop",
                                          "https://SHOP",  "https://a/b", "https://a; ",
                                          "https://a b",   "null",        "**",
                                          "http://a\r\nb", "https://a,b" };
    g_auto(GStrv) origins = g_strsplit("https://before", ";", -1);
    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_msg(!origins_parse(wrong[i], &origins, &error), "%s", wrong[i]);
        ck_assert_ptr_nonnull(error);
        ck_assert_str_eq(origins[0], "https://before");
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("origins");
    TCase *tcase = tcase_create("origins");
    tcase_add_test(tcase, origins_are_taken_as_browsers_write_them);
    tcase_add_test(tcase, what_no_browser_sends_is_refused_and_changes_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
