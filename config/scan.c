/* scan.c - see scan.h. */
#include "config/scan.h"
#include <string.h>

/* The scan under way. */
typedef struct {
    Scan *scan;
    Problems *problems;
    guint line;
    ScanGroup *group; /* of the keys that come; NULL before the first group */
    gboolean is_lost; /* after a broken group line nobody knows whose the keys are */
} Scanner;

static void group_free(gpointer data)
{
    ScanGroup *group = data;
    g_ptr_array_unref(group->entries);
    g_hash_table_unref(group->by_key);
    g_free(group);
}

void scan_free(Scan *scan)
{
    g_ptr_array_unref(scan->groups);
    g_hash_table_unref(scan->by_name);
    g_string_chunk_free(scan->strings);
    g_free(scan);
}

const ScanGroup *scan_find_group(const Scan *scan, const gchar *name)
{
    return g_hash_table_lookup(scan->by_name, name);
}

const ScanEntry *scan_find_entry(const ScanGroup *group, const gchar *key)
{
    return g_hash_table_lookup(group->by_key, key);
}

static const gchar *keep(Scanner *scanner, const gchar *text)
{
    return g_string_chunk_insert(scanner->scan->strings, text);
}

static void add_line_problem(Scanner *scanner, const gchar *line, const gchar *what,
                             const gchar *allowed)
{
    Place place = { .line = scanner->line, .text = line };
    problems_add(scanner->problems, &place, what, allowed);
}

static void add_duplicate_problem(Scanner *scanner, const Place *place, const Place *first)
{
    g_autofree gchar *what = g_strdup_printf("already in line %u", first->line);
    problems_add(scanner->problems, place, what, NULL);
}

static ScanGroup *add_group(Scan *scan, const Place *place)
{
    ScanGroup *group = g_new0(ScanGroup, 1);
    group->place = *place;
    group->entries = g_ptr_array_new_with_free_func(g_free);
    group->by_key = g_hash_table_new(g_str_hash, g_str_equal);
    g_ptr_array_add(scan->groups, group);
    g_hash_table_insert(scan->by_name, (gpointer)place->group, group);
    return group;
}

static void scan_group_line(Scanner *scanner, const gchar *line)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    scanner->is_lost = !g_key_file_load_from_data(file, line, strlen(line), G_KEY_FILE_NONE, NULL);
    if (scanner->is_lost) {
        add_line_problem(scanner, line, "not a group",
                         "[daemon], [service NAME], [method NAME.METHOD], [settings NAME]");
        return;
    }
    g_autofree gchar *name = g_key_file_get_start_group(file);
    Place place = { .line = scanner->line, .group = keep(scanner, name) };
    scanner->group = g_hash_table_lookup(scanner->scan->by_name, name);
    if (scanner->group != NULL)
        add_duplicate_problem(scanner, &place, &scanner->group->place);
    else
        scanner->group = add_group(scanner->scan, &place);
}

static void add_entry(Scanner *scanner, const Place *place, const gchar *value)
{
    const ScanEntry *first = scan_find_entry(scanner->group, place->key);
    if (first != NULL) {
        add_duplicate_problem(scanner, place, &first->place);
        return;
    }
    ScanEntry *entry = g_new0(ScanEntry, 1);
    entry->place = *place;
    entry->value = value;
    g_ptr_array_add(scanner->group->entries, entry);
    g_hash_table_insert(scanner->group->by_key, (gpointer)place->key, entry);
}

/* The one key of `file`, or NULL: a translated one, key[de], means nothing here. */
static gchar *only_key(GKeyFile *file)
{
    g_auto(GStrv) keys = g_key_file_get_keys(file, "x", NULL, NULL);
    if (keys == NULL || keys[0] == NULL || strchr(keys[0], '[') != NULL)
        return NULL;
    return g_strdup(keys[0]);
}

/* Asked before GKeyFile is: of two bad escapes in a value it makes a warning of GLib's own. */
static gboolean has_known_escapes(const gchar *text)
{
    for (const gchar *at = strchr(text, '\\'); at != NULL; at = strchr(at + 2, '\\'))
        if (at[1] == '\0' || strchr("stnr\\", at[1]) == NULL)
            return FALSE;
    return TRUE;
}

static void scan_key_line(Scanner *scanner, const gchar *line)
{
    g_autofree gchar *data = g_strconcat("[x]\n", line, NULL);
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree gchar *key = NULL;
    if (g_key_file_load_from_data(file, data, strlen(data), G_KEY_FILE_KEEP_TRANSLATIONS, NULL))
        key = only_key(file);
    if (key == NULL) {
        add_line_problem(scanner, line, "not understood", "[group], key = value, # comment");
        return;
    }
    if (scanner->is_lost)
        return;
    if (scanner->group == NULL) {
        add_line_problem(scanner, line, "before any group", NULL);
        return;
    }
    g_autofree gchar *text = g_key_file_get_value(file, "x", key, NULL);
    Place place = { .line = scanner->line,
                    .group = scanner->group->place.group,
                    .key = keep(scanner, key),
                    .text = keep(scanner, text) };
    if (!has_known_escapes(text)) {
        problems_add(scanner->problems, &place, "unknown escape", "\\s, \\t, \\n, \\r, \\\\");
        return;
    }
    g_autofree gchar *value = g_key_file_get_string(file, "x", key, NULL);
    add_entry(scanner, &place, keep(scanner, value));
}

/* Also FALSE when there is a zero byte, so nothing can hide behind one. */
static gboolean is_plain_text(const gchar *bytes, gsize n_bytes)
{
    if (!g_utf8_validate(bytes, (gssize)n_bytes, NULL))
        return FALSE;
    for (gsize i = 0; i < n_bytes; i++)
        if (g_ascii_iscntrl(bytes[i]) && bytes[i] != '\t')
            return FALSE;
    return TRUE;
}

static void scan_line(Scanner *scanner, const gchar *bytes, gsize n_bytes)
{
    if (n_bytes > 0 && bytes[n_bytes - 1] == '\r')
        n_bytes--;
    if (!is_plain_text(bytes, n_bytes)) {
        add_line_problem(scanner, NULL, "not plain text in UTF-8", NULL);
        return;
    }
    g_autofree gchar *line = g_strndup(bytes, n_bytes);
    g_strstrip(line);
    if (line[0] == '[')
        scan_group_line(scanner, line);
    else if (line[0] != '\0' && line[0] != '#')
        scan_key_line(scanner, line);
}

Scan *scan_new(const gchar *text, gsize n_bytes, Problems *problems)
{
    Scan *scan = g_new0(Scan, 1);
    scan->groups = g_ptr_array_new_with_free_func(group_free);
    scan->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    scan->strings = g_string_chunk_new(4096);

    Scanner scanner = { .scan = scan, .problems = problems };
    for (gsize at = 0, length; at < n_bytes; at += length + 1) {
        const gchar *newline = memchr(text + at, '\n', n_bytes - at);
        length = newline != NULL ? (gsize)(newline - (text + at)) : n_bytes - at;
        scanner.line++;
        scan_line(&scanner, text + at, length);
    }
    scan->n_lines = scanner.line;
    return scan;
}
