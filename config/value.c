/* value.c - see value.h. */
#include "config/value.h"
#include "config/config.h"
#include "config/networks.h"
#include "config/origins.h"
#include <string.h>

#define USER_NAME_MOST  32
#define USER_NAME_CHARS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.-"

typedef struct {
    const gchar *text; /* NULL ends a list */
    guint64 value;
} Word;

static const Word truths[] = { { "false", FALSE }, { "true", TRUE }, { NULL, 0 } };

/* In GLib's words: its ERROR aborts the program, so ours is its CRITICAL. */
static const Word log_levels[] = {
    { "error", G_LOG_LEVEL_CRITICAL }, { "warning", G_LOG_LEVEL_WARNING },
    { "notice", G_LOG_LEVEL_MESSAGE }, { "info", G_LOG_LEVEL_INFO },
    { "debug", G_LOG_LEVEL_DEBUG },    { NULL, 0 },
};

static const Word no_units[] = { { "", 1 }, { NULL, 0 } };

static const Word size_units[] = {
    { "", 1 }, { "K", 1 << 10 }, { "M", 1 << 20 }, { "G", 1 << 30 }, { NULL, 0 },
};

static const Word duration_units[] = {
    { "us", 1 },
    { "ms", G_TIME_SPAN_MILLISECOND },
    { "s", G_TIME_SPAN_SECOND },
    { "m", G_TIME_SPAN_MINUTE },
    { "h", G_TIME_SPAN_HOUR },
    { NULL, 0 },
};

/* How a value is written, for people. */
static const gchar *const syntaxes[] = {
    [VALUE_BOOL] = "true or false",
    [VALUE_SIZE] = "in bytes or with K, M or G",
    [VALUE_DURATION] = "with us, ms, s, m or h",
    [VALUE_LOG_LEVEL] = "error, warning, notice, info or debug",
    [VALUE_PATH] = "an absolute path",
    [VALUE_PLUGIN] = "a file name or an absolute path",
    [VALUE_FILE] = "an absolute path, or nothing",
    [VALUE_USER] = "a user's name, or nothing",
    [VALUE_ORIGINS] = ORIGINS_FORMS,
    [VALUE_NETWORKS] = NETWORKS_FORMS,
    [VALUE_LISTENERS] = "tcp://HOST:PORT, tls://HOST:PORT or unix:/PATH, several separated by ';'",
    [VALUE_ADMIN] = "http://HOST:PORT, or nothing to turn it off",
    [VALUE_RANGE] = "or two such numbers as in 2..16",
    [VALUE_RATE] = RATE_FORMS,
    [VALUE_KEY] = KEY_FORMS,
    [VALUE_CANARY] = CANARY_FORMS,
};

static gboolean fail(GError **error, const gchar *what)
{
    g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, what);
    return FALSE;
}

static const Word *find_word(const Word *words, const gchar *text)
{
    for (const Word *word = words; word->text != NULL; word++)
        if (g_str_equal(word->text, text))
            return word;
    return NULL;
}

static const Word *units_of(ValueType type)
{
    if (type == VALUE_SIZE)
        return size_units;
    return type == VALUE_DURATION ? duration_units : no_units;
}

static gboolean parse_number(ValueType type, const gchar *text, guint64 *number, GError **error)
{
    gsize n_digits = strspn(text, "0123456789");
    if (n_digits == 0)
        return fail(error, "not a number");

    const gchar *suffix = text + n_digits;
    g_autofree gchar *digits = g_strndup(text, n_digits);
    guint64 count = 0;
    gboolean fits = g_ascii_string_to_unsigned(digits, 10, 0, G_MAXINT64, &count, NULL);
    if (fits && count == 0 && suffix[0] == '\0') { /* nothing is nothing in every unit */
        *number = 0;
        return TRUE;
    }

    const Word *unit = find_word(units_of(type), suffix);
    if (unit == NULL)
        return fail(error, suffix[0] == '\0' ? "no unit" : "not understood after the digits");
    if (!fits || !g_uint64_checked_mul(number, count, unit->value) || *number > G_MAXINT64)
        return fail(error, "too large");
    return TRUE;
}

static gboolean parse_ranged(const ValueRule *rule, const gchar *text, guint64 *number,
                             GError **error)
{
    guint64 min, max;
    gboolean is_rule_sound = parse_number(rule->type, rule->min, &min, NULL) &&
                             parse_number(rule->type, rule->max, &max, NULL);
    g_assert(is_rule_sound);

    if (!parse_number(rule->type, text, number, error))
        return FALSE;
    return (*number >= min && *number <= max) || fail(error, "out of range");
}

static gboolean parse_word(const Word *words, const gchar *text, guint64 *value, GError **error)
{
    const Word *word = find_word(words, text);
    if (word == NULL)
        return fail(error, "unknown word");
    *value = word->value;
    return TRUE;
}

static gboolean parse_choice(const gchar *choices, const gchar *text, guint *value, GError **error)
{
    g_auto(GStrv) words = g_strsplit(choices, "|", -1);
    for (guint i = 0; words[i] != NULL; i++) {
        if (g_str_equal(words[i], text)) {
            *value = i;
            return TRUE;
        }
    }
    return fail(error, "unknown word");
}

gchar *value_choice_name(const ValueRule *rule, guint value)
{
    g_auto(GStrv) words = g_strsplit(rule->min, "|", -1);
    g_assert(value < g_strv_length(words));
    return g_strdup(words[value]);
}

static gboolean store_text(gboolean is_good, const gchar *text, gchar **field, GError **error)
{
    if (!is_good)
        return fail(error, text[0] == '\0' ? "empty" : "a relative path");
    g_free(*field);
    *field = g_strdup(text);
    return TRUE;
}

static gboolean add_listener(GPtrArray *listeners, const gchar *text, GError **error)
{
    Address *address = address_parse_listener(text, error);
    if (address == NULL)
        return FALSE;
    g_ptr_array_add(listeners, address);
    for (guint i = 0; i + 1 < listeners->len; i++)
        if (address_equal(listeners->pdata[i], address))
            return fail(error, "the same as one before it");
    return TRUE;
}

static gboolean parse_listeners(const gchar *text, GPtrArray **field, GError **error)
{
    if (text[0] == '\0')
        return fail(error, "empty");
    g_autoptr(GPtrArray) listeners = g_ptr_array_new_with_free_func((GDestroyNotify)address_free);
    g_auto(GStrv) parts = g_strsplit(text, ";", -1);
    for (guint i = 0; parts[i] != NULL; i++) {
        if (!add_listener(listeners, g_strstrip(parts[i]), error)) {
            g_prefix_error(error, "address %u: ", i + 1);
            return FALSE;
        }
    }
    g_clear_pointer(field, g_ptr_array_unref);
    *field = g_steal_pointer(&listeners);
    return TRUE;
}

static gboolean parse_admin(const gchar *text, Address **field, GError **error)
{
    Address *address = NULL;
    if (text[0] != '\0' && (address = address_parse_admin(text, error)) == NULL)
        return FALSE;
    address_free(*field);
    *field = address;
    return TRUE;
}

/* Whether there is such a file is for those to find out who read it. */
static gboolean parse_file(const gchar *text, gchar **field, GError **error)
{
    if (text[0] != '\0' && !g_path_is_absolute(text))
        return fail(error, "not an absolute path");
    g_free(*field);
    *field = text[0] != '\0' ? g_strdup(text) : NULL;
    return TRUE;
}

/* Whether there is such a user is for the host to find out. */
static gboolean parse_user(const gchar *text, gchar **field, GError **error)
{
    if (strlen(text) > USER_NAME_MOST || strspn(text, USER_NAME_CHARS) != strlen(text))
        return fail(error, "not a user's name");
    g_free(*field);
    *field = text[0] != '\0' ? g_strdup(text) : NULL;
    return TRUE;
}

static gboolean is_plugin_file(const gchar *text)
{
    return g_path_is_absolute(text) || (text[0] != '\0' && strchr(text, '/') == NULL);
}

gboolean value_parse(const ValueRule *rule, const gchar *text, gpointer field, GError **error)
{
    guint64 number;
    switch (rule->type) {
    case VALUE_BOOL:
        if (!parse_word(truths, text, &number, error))
            return FALSE;
        *(gboolean *)field = (gboolean)number;
        return TRUE;
    case VALUE_LOG_LEVEL:
        if (!parse_word(log_levels, text, &number, error))
            return FALSE;
        *(GLogLevelFlags *)field = (GLogLevelFlags)number;
        return TRUE;
    case VALUE_UINT:
        if (!parse_ranged(rule, text, &number, error))
            return FALSE;
        *(guint *)field = (guint)number;
        return TRUE;
    case VALUE_SIZE:
        if (!parse_ranged(rule, text, &number, error))
            return FALSE;
        *(guint64 *)field = number;
        return TRUE;
    case VALUE_DURATION:
        if (!parse_ranged(rule, text, &number, error))
            return FALSE;
        *(gint64 *)field = (gint64)number;
        return TRUE;
    case VALUE_PATH:
        return store_text(g_path_is_absolute(text), text, field, error);
    case VALUE_PLUGIN:
        return store_text(is_plugin_file(text), text, field, error);
    case VALUE_FILE:
        return parse_file(text, field, error);
    case VALUE_USER:
        return parse_user(text, field, error);
    case VALUE_ORIGINS:
        return origins_parse(text, field, error);
    case VALUE_NETWORKS:
        return networks_parse(text, field, error);
    case VALUE_LISTENERS:
        return parse_listeners(text, field, error);
    case VALUE_ADMIN:
        return parse_admin(text, field, error);
    case VALUE_CHOICE:
        return parse_choice(rule->min, text, field, error);
    case VALUE_RANGE:
        return range_parse(text, (guint)g_ascii_strtoull(rule->max, NULL, 10), field, error);
    case VALUE_RATE:
        return rate_parse(text, field, error);
    case VALUE_KEY:
        return key_source_parse(text, field, error);
    case VALUE_CANARY:
        return canary_parse(text, field, error);
    }
    g_assert_not_reached();
}

static gboolean equal_listeners(const GPtrArray *a, const GPtrArray *b)
{
    gboolean equal = a->len == b->len;
    for (guint i = 0; equal && i < a->len; i++)
        equal = address_equal(a->pdata[i], b->pdata[i]);
    return equal;
}

static gboolean equal_keys(const KeySource *a, const KeySource *b)
{
    return a->kind == b->kind && a->depth == b->depth && g_strcmp0(a->header, b->header) == 0 &&
           memcmp(a->path, b->path, a->depth * sizeof a->path[0]) == 0;
}

static gboolean equal_canaries(const Canary *a, const Canary *b)
{
    return a->share_permille == b->share_permille && a->window_usec == b->window_usec &&
           a->errors_permille == b->errors_permille && a->crashes == b->crashes;
}

static gboolean equal_addresses(const Address *a, const Address *b)
{
    return a == NULL || b == NULL ? a == b : address_equal(a, b);
}

gboolean value_equal(ValueType type, gconstpointer a, gconstpointer b)
{
    switch (type) {
    case VALUE_BOOL:
    case VALUE_UINT:
    case VALUE_CHOICE:
    case VALUE_LOG_LEVEL:
        return *(const guint *)a == *(const guint *)b;
    case VALUE_SIZE:
    case VALUE_DURATION:
        return *(const guint64 *)a == *(const guint64 *)b;
    case VALUE_PATH:
    case VALUE_PLUGIN:
    case VALUE_FILE:
    case VALUE_USER:
        return g_strcmp0(*(gchar *const *)a, *(gchar *const *)b) == 0;
    case VALUE_ORIGINS:
        return origins_equal(*(gchar * *const *)a, *(gchar * *const *)b);
    case VALUE_NETWORKS:
        return networks_equal(*(GArray *const *)a, *(GArray *const *)b);
    case VALUE_LISTENERS:
        return equal_listeners(*(GPtrArray *const *)a, *(GPtrArray *const *)b);
    case VALUE_ADMIN:
        return equal_addresses(*(Address *const *)a, *(Address *const *)b);
    case VALUE_RANGE:
        return memcmp(a, b, sizeof(Range)) == 0;
    case VALUE_RATE:
        return memcmp(a, b, sizeof(Rate)) == 0;
    case VALUE_KEY:
        return equal_keys(a, b);
    case VALUE_CANARY:
        return equal_canaries(a, b);
    }
    g_assert_not_reached();
}

void value_clear(ValueType type, gpointer field)
{
    switch (type) {
    case VALUE_PATH:
    case VALUE_PLUGIN:
    case VALUE_FILE:
    case VALUE_USER:
        g_clear_pointer((gchar **)field, g_free);
        return;
    case VALUE_ORIGINS:
        g_clear_pointer((gchar ***)field, g_strfreev);
        return;
    case VALUE_NETWORKS:
        g_clear_pointer((GArray **)field, g_array_unref);
        return;
    case VALUE_LISTENERS:
        g_clear_pointer((GPtrArray **)field, g_ptr_array_unref);
        return;
    case VALUE_ADMIN:
        g_clear_pointer((Address **)field, address_free);
        return;
    case VALUE_KEY:
        key_source_clear(field);
        return;
    case VALUE_BOOL:
    case VALUE_UINT:
    case VALUE_SIZE:
    case VALUE_DURATION:
    case VALUE_LOG_LEVEL:
    case VALUE_CHOICE:
    case VALUE_RANGE:
    case VALUE_RATE:
    case VALUE_CANARY:
        return;
    }
}

/* "a, b or c" */
static gchar *allowed_choices(const gchar *choices)
{
    g_auto(GStrv) words = g_strsplit(choices, "|", -1);
    GString *out = g_string_new(words[0]);
    for (guint i = 1; words[i] != NULL; i++)
        g_string_append_printf(out, "%s%s", words[i + 1] == NULL ? " or " : ", ", words[i]);
    return g_string_free(out, FALSE);
}

gchar *value_allowed(const ValueRule *rule)
{
    if (rule->type == VALUE_CHOICE)
        return allowed_choices(rule->min);
    if (rule->min == NULL)
        return g_strdup(syntaxes[rule->type]);
    if (rule->type == VALUE_UINT)
        return g_strdup_printf("%s to %s", rule->min, rule->max);
    return g_strdup_printf("%s to %s, %s", rule->min, rule->max, syntaxes[rule->type]);
}
