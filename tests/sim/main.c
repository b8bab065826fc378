/* main.c - plays schedules against the factory until one breaks what must hold.
 *
 *   sim [--schedules N] [--seed S] [--out FILE] [--replay FILE...]   random schedules, or files
 *   sim-faults [--schedules N] [--seed S]                            each fault must be found
 *
 * A schedule that fails is printed with its seed, then shrunk, printed again and written to
 * FILE.  The last line is `N passed, N failed`.                                             */
#include "actor/factory/fault.h"
#include "tests/sim/oracle.h"
#include "tests/sim/world.h"
#include <stdio.h>
#include <stdlib.h>

#define REACHED (FACTORY_ACTIONS + REASONS)
/* From so many schedules on, everything that can be reached has been. */
#define ENOUGH_TO_REACH_ALL 20000

static gint n_schedules = 1000;
static gint64 first_seed = 1;
static gchar *out_file;
static gchar **files;
static guint64 n_ops;

/* FALSE: something did not hold; `broken` (may be NULL) says what. */
static gboolean play(const Schedule *schedule, GString *broken, guint64 *counts)
{
    static World world; /* large, and used again and again */
    Oracle oracle;
    oracle_init(&oracle);
    world_init(&world, &oracle, counts);
    for (guint i = 0; i < schedule->ops->len && oracle.broken->len == 0; i++)
        world_play(&world, &g_array_index(schedule->ops, Op, i));
    if (oracle.broken->len == 0)
        world_finish(&world);
    const gboolean held = oracle.broken->len == 0;
    if (broken != NULL)
        g_string_assign(broken, oracle.broken->str);
    world_clear(&world);
    oracle_clear(&oracle);
    return held;
}

static gboolean fails(const Schedule *schedule, gpointer user)
{
    (void)user;
    return !play(schedule, NULL, NULL);
}

#ifdef WITH_FAULTS

static const gchar *const fault_names[FACTORY_FAULTS] = {
#define FAULT_POINT(name, invariant) [FAULT_##name] = #name,
#include "actor/factory/fault.def"
};

/* FALSE: no schedule shows it. */
static gboolean find_fault(FactoryFault fault)
{
    Schedule schedule;
    gboolean found = FALSE;
    factory_fault = fault;
    schedule_init(&schedule);
    for (gint i = 0; i < n_schedules && !found; i++) {
        schedule_generate(&schedule, (guint64)first_seed + (guint64)i);
        if (play(&schedule, NULL, NULL))
            continue;
        g_autoptr(GString) broken = g_string_new(NULL);
        schedule_shrink(&schedule, fails, NULL);
        play(&schedule, broken, NULL);
        printf("%-14s found by schedule %d, shrunk to %u operations: %s", fault_names[fault], i + 1,
               schedule.ops->len, broken->str);
        found = TRUE;
    }
    if (!found)
        printf("FAILED: %s was not found in %d schedules\n", fault_names[fault], n_schedules);
    schedule_clear(&schedule);
    return found;
}

static guint run(guint *passed)
{
    guint failed = 0;
    for (guint fault = FAULT_NONE + 1; fault < FACTORY_FAULTS; fault++)
        find_fault((FactoryFault)fault) ? (*passed)++ : failed++;
    return failed;
}

#else

static guint64 reached[REACHED];

static void report(Schedule *schedule, guint64 seed, const gchar *what)
{
    g_autoptr(GString) broken = g_string_new(NULL);
    printf("FAILED: seed %" G_GUINT64_FORMAT ": %s", seed, what);
    schedule_shrink(schedule, fails, NULL);
    play(schedule, broken, NULL);
    g_autofree gchar *text = schedule_text(schedule);
    printf("shrunk to %u operations: %s%s", schedule->ops->len, broken->str, text);
    if (out_file != NULL) {
        g_autoptr(GError) error = NULL;
        g_strdelimit(broken->str, "\n", ';');
        g_autofree gchar *file =
            g_strdup_printf("# seed %" G_GUINT64_FORMAT ": %s\n%s", seed, broken->str, text);
        if (!g_file_set_contents(out_file, file, -1, &error))
            printf("%s\n", error->message);
    }
}

static guint run_files(guint *passed)
{
    guint failed = 0;
    for (guint i = 0; files != NULL && files[i] != NULL; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GString) broken = g_string_new(NULL);
        g_autofree gchar *text = NULL;
        Schedule schedule;
        schedule_init(&schedule);
        if (!g_file_get_contents(files[i], &text, NULL, &error) ||
            !schedule_read(&schedule, text, &error)) {
            printf("FAILED: %s: %s\n", files[i], error->message);
            failed++;
        } else if (!play(&schedule, broken, NULL)) {
            printf("FAILED: %s: %s", files[i], broken->str);
            failed++;
        } else {
            (*passed)++;
        }
        schedule_clear(&schedule);
    }
    return failed;
}

/* What no schedule has reached is not tested by any. */
static guint check_reached(void)
{
    static const gchar *const actions[FACTORY_ACTIONS] = {
#define ACTION(name, text) [ACTION_##name] = text,
#include "actor/factory/action.def"
    };
    guint missed = 0;
    for (guint i = 0; i < REACHED; i++) {
        const gboolean is_reason = i >= FACTORY_ACTIONS;
        const FactoryReason reason = (FactoryReason)(is_reason ? i - FACTORY_ACTIONS : 0);
        const gchar *name = is_reason ? factory_reason_token(reason) : actions[i];
        /* Answers of handlers and drivers, which the factory only counts. */
        const gboolean foreign =
            is_reason && (reason == REASON_UNKNOWN_METHOD || reason == REASON_BAD_ARGUMENTS ||
                          reason == REASON_REPLY_TOO_LARGE || reason == REASON_BROKEN_HANDLER ||
                          reason == REASON_UNKNOWN_SERVICE || reason == REASON_BAD_KEY ||
                          reason == REASON_POISONED || reason == REASON_NO_MEMORY);
        printf("%s %-20s %12" G_GUINT64_FORMAT "\n", is_reason ? "end   " : "action", name,
               reached[i]);
        if (reached[i] == 0 && !foreign && n_schedules >= ENOUGH_TO_REACH_ALL) {
            printf("FAILED: no schedule has reached %s\n", name);
            missed++;
        }
    }
    return missed;
}

static guint run(guint *passed)
{
    guint failed = run_files(passed);
    g_autoptr(GString) broken = g_string_new(NULL);
    Schedule schedule;
    schedule_init(&schedule);
    for (gint i = 0; i < n_schedules && failed == 0; i++) {
        const guint64 seed = (guint64)first_seed + (guint64)i;
        schedule_generate(&schedule, seed);
        n_ops += schedule.ops->len;
        if (play(&schedule, broken, reached)) {
            (*passed)++;
            continue;
        }
        failed++;
        report(&schedule, seed, broken->str);
    }
    schedule_clear(&schedule);
    return failed + (failed == 0 && n_schedules > 0 ? check_reached() : 0);
}

#endif

int main(int argc, char **argv)
{
    static const GOptionEntry entries[] = {
        { "schedules", 0, 0, G_OPTION_ARG_INT, &n_schedules, "How many are tried", "N" },
        { "seed", 0, 0, G_OPTION_ARG_INT64, &first_seed, "Of the first one", "S" },
        { "out", 0, 0, G_OPTION_ARG_FILENAME, &out_file, "Where one that fails is written",
          "FILE" },
        { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, "FILE..." },
        G_OPTION_ENTRY_NULL
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("- simulated schedules");
    guint passed = 0;
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return 2;
    }
    const guint failed = run(&passed);
    if (n_ops > 0)
        printf("%" G_GUINT64_FORMAT " operations in %d schedules\n", n_ops, n_schedules);
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
