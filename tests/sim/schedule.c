#include "tests/sim/schedule.h"
#include <string.h>

static const struct {
    const gchar *word;
    guint weight;
} op_table[OPS] = {
#define OP(name, word_, weight_) [OP_##name] = { .word = word_, .weight = weight_ },
#include "tests/sim/ops.def"
};

guint64 sim_random(guint64 *state)
{
    guint64 z = *state += G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void schedule_init(Schedule *schedule) { schedule->ops = g_array_new(FALSE, FALSE, sizeof(Op)); }
void schedule_clear(Schedule *schedule) { g_array_unref(schedule->ops); }

static OpKind draw_kind(guint64 *random)
{
    guint sum = 0;
    for (guint i = 0; i < OPS; i++)
        sum += op_table[i].weight;
    guint drawn = (guint)(sim_random(random) % sum);
    guint kind = 0;
    while (drawn >= op_table[kind].weight)
        drawn -= op_table[kind++].weight;
    return (OpKind)kind;
}

void schedule_generate(Schedule *schedule, guint64 seed)
{
    guint64 random = seed;
    const guint n = 16 + (guint)(sim_random(&random) % (SCHEDULE_MOST_OPS - 16));
    g_array_set_size(schedule->ops, 0);
    for (guint i = 0; i < n; i++) {
        Op op = { .kind = i == 0 ? OP_SETTINGS : draw_kind(&random) };
        for (guint k = 0; k < OP_PARAMETERS; k++)
            op.p[k] = (guint32)(sim_random(&random) % 1000);
        g_array_append_val(schedule->ops, op);
    }
}

/* --- text -------------------------------------------------------------------------------- */

gchar *schedule_text(const Schedule *schedule)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < schedule->ops->len; i++) {
        const Op *op = &g_array_index(schedule->ops, Op, i);
        g_string_append(out, op_table[op->kind].word);
        for (guint k = 0; k < OP_PARAMETERS; k++)
            g_string_append_printf(out, " %u", op->p[k]);
        g_string_append_c(out, '\n');
    }
    return g_string_free(out, FALSE);
}

static gboolean read_line(const gchar *line, Op *op)
{
    g_auto(GStrv) parts = g_strsplit(line, " ", -1);
    const guint n = g_strv_length(parts);
    memset(op, 0, sizeof *op);
    for (op->kind = 0; op->kind < OPS && !g_str_equal(parts[0], op_table[op->kind].word);)
        op->kind++;
    if (op->kind == OPS || n > 1 + OP_PARAMETERS)
        return FALSE;
    for (guint k = 1; k < n; k++) {
        guint64 number;
        if (!g_ascii_string_to_unsigned(parts[k], 10, 0, G_MAXUINT32, &number, NULL))
            return FALSE;
        op->p[k - 1] = (guint32)number;
    }
    return TRUE;
}

gboolean schedule_read(Schedule *schedule, const gchar *text, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_array_set_size(schedule->ops, 0);
    for (guint i = 0; lines[i] != NULL; i++) {
        Op op;
        if (lines[i][0] == '\0' || lines[i][0] == '#')
            continue;
        if (!read_line(lines[i], &op)) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "line %u: \"%s\" is no operation",
                        i + 1, lines[i]);
            return FALSE;
        }
        g_array_append_val(schedule->ops, op);
    }
    return TRUE;
}

/* --- shorter ----------------------------------------------------------------------------- */

/* Without `n` operations from `at` on. */
static gboolean try_without(Schedule *schedule, guint at, guint n, ScheduleFails fails,
                            gpointer user)
{
    g_autoptr(GArray) whole = g_array_copy(schedule->ops);
    g_array_remove_range(schedule->ops, at, n);
    if (fails(schedule, user))
        return TRUE;
    GArray *shorter = schedule->ops;
    schedule->ops = g_array_ref(whole);
    g_array_unref(shorter);
    return FALSE;
}

/* Delta debugging (Zeller and Hildebrandt 2002), from large chunks to single operations. */
static void shrink_length(Schedule *schedule, ScheduleFails fails, gpointer user)
{
    for (guint n = MAX(schedule->ops->len / 2, 1); n > 0; n /= 2) {
        guint at = 1; /* the settings stay */
        while (at + n <= schedule->ops->len)
            if (!try_without(schedule, at, n, fails, user))
                at += n;
    }
}

static void shrink_numbers(Schedule *schedule, ScheduleFails fails, gpointer user)
{
    for (guint i = 0; i < schedule->ops->len * OP_PARAMETERS; i++) {
        guint32 *number = &g_array_index(schedule->ops, Op, i / OP_PARAMETERS).p[i % OP_PARAMETERS];
        const guint32 was = *number;
        for (guint32 smaller = 0; smaller < was; smaller = smaller * 2 + 1) {
            *number = smaller;
            if (fails(schedule, user))
                break;
            *number = was;
        }
    }
}

void schedule_shrink(Schedule *schedule, ScheduleFails fails, gpointer user)
{
    for (guint before = 0; before != schedule->ops->len;) {
        before = schedule->ops->len;
        shrink_length(schedule, fails, user);
    }
    shrink_numbers(schedule, fails, user);
    shrink_length(schedule, fails, user);
}
