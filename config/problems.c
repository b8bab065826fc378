/* problems.c - see problems.h. */
#include "config/problems.h"
#include "config/config.h"

#define MAX_SHOWN_CHARS 64 /* of a name or value: a message is read by people */

struct Problems {
    gchar *file_name;
    GPtrArray *all; /* of Problem */
};

typedef struct {
    guint line;
    gchar *message;
} Problem;

static void problem_free(gpointer data)
{
    Problem *problem = data;
    g_free(problem->message);
    g_free(problem);
}

Problems *problems_new(const gchar *file_name)
{
    Problems *problems = g_new0(Problems, 1);
    problems->file_name = g_strdup(file_name);
    problems->all = g_ptr_array_new_with_free_func(problem_free);
    return problems;
}

void problems_free(Problems *problems)
{
    g_ptr_array_unref(problems->all);
    g_free(problems->file_name);
    g_free(problems);
}

static void append_shown(GString *out, const gchar *text)
{
    const gchar *end = text;
    for (guint i = 0; i < MAX_SHOWN_CHARS && *end != '\0'; i++)
        end = g_utf8_next_char(end);
    g_string_append_len(out, text, end - text);
    if (*end != '\0')
        g_string_append(out, "...");
}

/* Ends with a colon, unless the place is just a line. */
static void append_place(GString *out, const Place *place)
{
    if (place->group == NULL && place->text == NULL)
        return;
    if (place->group != NULL) {
        g_string_append_c(out, '[');
        append_shown(out, place->group);
        g_string_append_c(out, ']');
    }
    if (place->key != NULL) {
        g_string_append_c(out, ' ');
        append_shown(out, place->key);
        g_string_append(out, " = ");
    }
    if (place->text != NULL)
        append_shown(out, place->text);
    g_string_append(out, ": ");
}

void problems_add(Problems *problems, const Place *place, const gchar *what, const gchar *allowed)
{
    GString *message = g_string_new(NULL);
    g_string_append_printf(message, "%s:%u: ", problems->file_name, place->line);
    append_place(message, place);
    g_string_append(message, what);
    if (allowed != NULL)
        g_string_append_printf(message, "; allowed: %s", allowed);

    Problem *problem = g_new0(Problem, 1);
    problem->line = place->line;
    problem->message = g_string_free(message, FALSE);
    g_ptr_array_add(problems->all, problem);
}

static gint compare_lines(gconstpointer a, gconstpointer b)
{
    const Problem *first = *(const Problem *const *)a;
    const Problem *second = *(const Problem *const *)b;
    return (first->line > second->line) - (first->line < second->line);
}

gboolean problems_none(const Problems *problems, GError **error)
{
    if (problems->all->len == 0)
        return TRUE;
    /* Stable: errors of one line stay in the order in which they were found. */
    g_ptr_array_sort(problems->all, compare_lines);

    g_autoptr(GString) messages = g_string_new(NULL);
    for (guint i = 0; i < problems->all->len; i++) {
        const Problem *problem = problems->all->pdata[i];
        g_string_append_printf(messages, "%s%s", i == 0 ? "" : "\n", problem->message);
    }
    g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, messages->str);
    return FALSE;
}
