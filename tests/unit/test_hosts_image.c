/* test_hosts_image.c - the copy of a plugin is what was read, whatever becomes of the file. */
#include "daemon/hosts/plugin_image.h"
#include "tests/unit/runner.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static gchar *directory;
static gchar *path;

static void make_directory(void)
{
    directory = g_dir_make_tmp("sluice-XXXXXX", NULL);
    path = g_build_filename(directory, "plugin.so", NULL);
}

static void remove_directory(void)
{
    g_remove(path);
    ck_assert_int_eq(g_rmdir(directory), 0);
    g_free(directory);
    g_free(path);
}

static void write_plugin(gchar letter, gsize bytes)
{
    g_autofree gchar *text = g_strnfill(bytes, letter);
    ck_assert(
        g_file_set_contents_full(path, text, (gssize)bytes, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

static int open_image(void)
{
    g_autoptr(GError) error = NULL;
    const int image = plugin_image_open(path, &error);
    ck_assert_msg(image >= 0, "%s", error != NULL ? error->message : "no error told");
    return image;
}

static void assert_holds(int image, gchar letter, gsize bytes)
{
    g_autofree gchar *text = g_malloc(bytes + 1);
    ck_assert_int_eq(pread(image, text, bytes + 1, 0), (gssize)bytes);
    gsize same = 0;
    while (same < bytes && text[same] == letter)
        same++;
    ck_assert_uint_eq(same, bytes);
}

static const gsize sizes[] = { 0, 1, 4096, 5000001 };

START_TEST(an_image_holds_the_whole_file)
{
    write_plugin('a', sizes[_i]);
    const int image = open_image();
    assert_holds(image, 'a', sizes[_i]);
    close(image);
}
END_TEST

/* In place, as cp and linkers do it. */
START_TEST(a_file_overwritten_or_cut_afterwards_does_not_change_the_image)
{
    write_plugin('a', 10000);
    const int image = open_image();
    write_plugin('b', 10000);
    assert_holds(image, 'a', 10000);
    ck_assert_int_eq(truncate(path, 0), 0);
    ck_assert_int_eq(g_unlink(path), 0);
    assert_holds(image, 'a', 10000);
    close(image);
}
END_TEST

START_TEST(an_image_can_be_changed_by_nobody)
{
    write_plugin('a', 100);
    const int image = open_image();
    ck_assert_int_eq(pwrite(image, "b", 1, 0), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(ftruncate(image, 10), -1);
    ck_assert_ptr_eq(mmap(NULL, 100, PROT_WRITE, MAP_SHARED, image, 0), MAP_FAILED);
    close(image);
}
END_TEST

/* --- what is no plugin ------------------------------------------------------------------- */

static void assert_refused(GFileError code)
{
    g_autoptr(GError) error = NULL;
    ck_assert_int_eq(plugin_image_open(path, &error), -1);
    ck_assert(g_error_matches(error, G_FILE_ERROR, (gint)code));
    ck_assert_ptr_nonnull(strstr(error->message, path));
}

START_TEST(a_missing_file_is_refused) { assert_refused(G_FILE_ERROR_NOENT); }
END_TEST

START_TEST(a_directory_is_refused)
{
    ck_assert_int_eq(g_mkdir(path, 0700), 0);
    assert_refused(G_FILE_ERROR_INVAL);
}
END_TEST

/* Opening one for reading would wait for a writer that never comes. */
START_TEST(a_fifo_is_refused_without_waiting)
{
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    assert_refused(G_FILE_ERROR_INVAL);
}
END_TEST

START_TEST(a_device_is_refused)
{
    ck_assert_int_eq(symlink("/dev/zero", path), 0);
    assert_refused(G_FILE_ERROR_INVAL);
}
END_TEST

START_TEST(a_plugin_without_a_directory_is_in_the_handler_directory)
{
    g_autofree gchar *relative = plugin_image_path("/usr/lib/handlers", "calc.so");
    g_autofree gchar *absolute = plugin_image_path("/usr/lib/handlers", "/opt/calc.so");
    ck_assert_str_eq(relative, "/usr/lib/handlers/calc.so");
    ck_assert_str_eq(absolute, "/opt/calc.so");
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("hosts image");
    TCase *tcase = tcase_create("image");
    tcase_add_checked_fixture(tcase, make_directory, remove_directory);
    tcase_add_loop_test(tcase, an_image_holds_the_whole_file, 0, G_N_ELEMENTS(sizes));
    tcase_add_test(tcase, a_file_overwritten_or_cut_afterwards_does_not_change_the_image);
    tcase_add_test(tcase, an_image_can_be_changed_by_nobody);
    tcase_add_test(tcase, a_missing_file_is_refused);
    tcase_add_test(tcase, a_directory_is_refused);
    tcase_add_test(tcase, a_fifo_is_refused_without_waiting);
    tcase_add_test(tcase, a_device_is_refused);
    tcase_add_test(tcase, a_plugin_without_a_directory_is_in_the_handler_directory);
    suite_add_tcase(suite, tcase);
    return suite;
}
