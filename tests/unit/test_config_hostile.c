/* test_config_hostile.c - whatever the file holds, it gives a snapshot or lines of errors. */
#include "tests/unit/runner.h"
#include "config/config.h"
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define SHOP "[service shop]\nplugin = shop.so\n"

/* Loads the bytes as a file: only a file can hold a zero byte. */
static Config *load_bytes(const gchar *bytes, gsize n_bytes, gchar **path, GError **error)
{
    gint fd = g_file_open_tmp("sluice-XXXXXX.conf", path, NULL);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert(g_file_set_contents(*path, bytes, (gssize)n_bytes, NULL));
    Config *config = config_load(*path, error);
    g_unlink(*path);
    return config;
}

/* FILE:LINE: and something that people can read. */
static gboolean is_placed(const gchar *line, const gchar *path)
{
    if (!g_str_has_prefix(line, path) || strlen(line) > 4096)
        return FALSE;
    for (const gchar *c = line; *c != '\0'; c++)
        if (g_ascii_iscntrl(*c) && *c != '\t')
            return FALSE;
    line += strlen(path);
    gchar *end = NULL;
    return line[0] == ':' && g_ascii_strtoull(line + 1, &end, 10) > 0 &&
           g_str_has_prefix(end, ": ");
}

static void assert_places(const gchar *message, const gchar *path)
{
    ck_assert(g_utf8_validate(message, -1, NULL));
    g_auto(GStrv) lines = g_strsplit(message, "\n", -1);
    const gchar *bad = NULL;
    for (guint i = 0; lines[i] != NULL && bad == NULL; i++)
        bad = is_placed(lines[i], path) ? NULL : lines[i];
    ck_assert_msg(bad == NULL, "%s", bad);
}

static void assert_refused_with_places(const gchar *bytes, gsize n_bytes)
{
    g_autofree gchar *path = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = load_bytes(bytes, n_bytes, &path, &error);
    ck_assert_ptr_null(config);
    ck_assert(g_error_matches(error, CONFIG_ERROR, CONFIG_ERROR_INVALID));
    assert_places(error->message, path);
}

START_TEST(random_bytes_are_refused_with_file_and_line)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    for (guint round = 0; round < 300; round++) {
        gchar bytes[512];
        gsize n_bytes = (gsize)g_rand_int_range(rand, 0, sizeof bytes);
        for (gsize i = 0; i < n_bytes; i++)
            bytes[i] = (gchar)g_rand_int_range(rand, 0, 256);
        assert_refused_with_places(bytes, n_bytes);
    }
}
END_TEST

/* Closer to a real file than random bytes, so it gets deeper. */
START_TEST(random_pieces_of_syntax_give_a_snapshot_or_errors_with_lines)
{
    static const gchar *const pieces[] = {
        "[",
        "]",
        "=",
        "#",
        "\\",
        "\n",
        "\r\n",
        " ",
        ";",
        ":",
        "0",
        "99999999999999999999",
        "-",
        "K",
        "ms",
        "h",
        "[daemon]\n",
        SHOP,
        "[service ",
        "[settings shop]\n",
        "listen = ",
        "tcp://",
        "unix:/",
        "http://",
        "[::1]",
        "workers = 4\n",
        "plugin = ",
        "deadline = ",
        "default = true\n",
        "\xc3\xa9",
        "\t",
        "x",
    };
    g_autoptr(GRand) rand = g_rand_new_with_seed(2);
    for (guint round = 0; round < 20000; round++) {
        g_autoptr(GString) text = g_string_new(NULL);
        gint n_pieces = g_rand_int_range(rand, 0, 20);
        for (gint i = 0; i < n_pieces; i++)
            g_string_append(text, pieces[g_rand_int_range(rand, 0, G_N_ELEMENTS(pieces))]);
        g_autoptr(GError) error = NULL;
        g_autoptr(Config) config = config_parse(text->str, "s.conf", &error);
        ck_assert((config == NULL) == (error != NULL));
        if (error != NULL)
            assert_places(error->message, "s.conf");
    }
}
END_TEST

START_TEST(nothing_hides_behind_a_zero_byte)
{
    static const gchar bytes[] = SHOP "workers = 4\0\nworkers = 0\n";
    g_autofree gchar *path = NULL;
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(load_bytes(bytes, sizeof bytes - 1, &path, &error));
    g_autofree gchar *message =
        g_strdup_printf("%s:3: not plain text in UTF-8\n"
                        "%s:4: [service shop] workers = 0: out of range; allowed: 1 to 1024, or "
                        "two such numbers as in 2..16",
                        path, path);
    ck_assert_str_eq(error->message, message);
}
END_TEST

START_TEST(line_ends_of_any_kind_and_none_mean_the_same)
{
    static const gchar *const texts[] = {
        SHOP "workers = 7\n",
        SHOP "workers = 7",
        "[service shop]\r\nplugin = shop.so\r\nworkers = 7\r\n",
        "\n\n  [service shop]  \n\t# x\nplugin=shop.so  \n\tworkers\t=\t7\t\r",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Config) config = config_parse(texts[i], "s.conf", &error);
        ck_assert_msg(config != NULL, "%s", error != NULL ? error->message : "");
        ck_assert_str_eq(config->services[0]->plugin, "shop.so");
        ck_assert_uint_eq(config->services[0]->workers.max, 7);
    }
}
END_TEST

START_TEST(a_long_line_gives_a_short_message)
{
    static const gchar *const heads[] = {
        "", "[", SHOP "workers = ", SHOP "workers = 1", "[service ", SHOP "[daemon]\nlisten = ",
    };
    g_autofree gchar *tail = g_strnfill(1 << 20, '7');
    for (gsize i = 0; i < G_N_ELEMENTS(heads); i++) {
        g_autofree gchar *text = g_strconcat(heads[i], tail, NULL);
        assert_refused_with_places(text, strlen(text));
    }
}
END_TEST

START_TEST(all_of_very_many_errors_are_told)
{
    static const guint n_rounds = 1000;
    g_autoptr(GString) text = g_string_new(SHOP);
    for (guint i = 0; i < n_rounds; i++)
        g_string_append_printf(text, "[service s%u]\n[service shop]\nworkers%u = 1\n", i, i);
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(config_parse(text->str, "s.conf", &error));
    assert_places(error->message, "s.conf");
    g_auto(GStrv) lines = g_strsplit(error->message, "\n", -1);
    ck_assert_uint_eq(g_strv_length(lines), 3 * n_rounds); /* no plugin, duplicate, unknown key */
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("config_hostile");
    TCase *tcase = tcase_create("hostile");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, random_bytes_are_refused_with_file_and_line);
    tcase_add_test(tcase, random_pieces_of_syntax_give_a_snapshot_or_errors_with_lines);
    tcase_add_test(tcase, nothing_hides_behind_a_zero_byte);
    tcase_add_test(tcase, line_ends_of_any_kind_and_none_mean_the_same);
    tcase_add_test(tcase, a_long_line_gives_a_short_message);
    tcase_add_test(tcase, all_of_very_many_errors_are_told);
    suite_add_tcase(suite, tcase);
    return suite;
}
