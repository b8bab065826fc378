/* test_host_types.c - types registered through handlers/host/gtype_interpose.c.
 *
 * Classes are named by a letter and stacked to towers, written most derived first:
 *   a b   finalize does not chain up, as generated code does it
 *   x y   finalize chains up, as it should
 *   i     has no finalize of its own
 *   f     chains up, and was registered past the interposer
 *
 * no tsan: what generated code does when threads race for a type is a race, on purpose. */
#include "tests/unit/runner.h"
#include "crash_crash.h"
#include "outcomes_outcomes.h"
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <signal.h>
#include <thrift/c_glib/thrift_application_exception.h>

typedef struct {
    GObject parent;
    GObject *child; /* let go of in finalize */
} Node;

static GString *trace; /* a letter for each finalize that ran, a dot for GObject's own */
static void (*next_finalize)(GObject *object);

static void traced_base_finalize(GObject *object)
{
    g_string_append_c(trace, '.');
    next_finalize(object);
}

#define LEVEL(letter, chains)                                 \
    static GObjectClass *parent_of_##letter;                  \
    static void finalize_##letter(GObject *object)            \
    {                                                         \
        g_string_append(trace, #letter);                      \
        g_clear_object(&((Node *)object)->child);             \
        if (chains)                                           \
            parent_of_##letter->finalize(object);             \
    }                                                         \
    static void init_##letter(gpointer class, gpointer data)  \
    {                                                         \
        (void)data;                                           \
        parent_of_##letter = g_type_class_peek_parent(class); \
        G_OBJECT_CLASS(class)->finalize = finalize_##letter;  \
    }
LEVEL(a, FALSE)
LEVEL(b, FALSE)
LEVEL(x, TRUE)
LEVEL(y, TRUE)
LEVEL(f, TRUE)

typedef GType (*Register)(GType, const gchar *, const GTypeInfo *, GTypeFlags);

static GType register_letter(GType parent, gchar letter, guint instance_bytes)
{
    static const struct {
        gchar letter;
        GClassInitFunc init;
    } inits[] = {
        { 'a', init_a }, { 'b', init_b }, { 'x', init_x }, { 'y', init_y }, { 'f', init_f },
    };
    GTypeInfo info = { .class_size = sizeof(GObjectClass),
                       .instance_size = (guint16)instance_bytes };
    for (gsize i = 0; i < G_N_ELEMENTS(inits); i++)
        if (inits[i].letter == letter)
            info.class_init = inits[i].init;
    Register do_register = letter == 'f' ? (Register)dlsym(RTLD_NEXT, "g_type_register_static")
                                         : g_type_register_static;
    g_autofree gchar *name = g_strdup_printf("Test-%c", letter);
    return do_register(parent, name, &info, 0);
}

static GType register_tower(const gchar *tower)
{
    /* Before any other class copies it. */
    GObjectClass *base = g_type_class_ref(G_TYPE_OBJECT);
    GType type = G_TYPE_OBJECT;
    for (gsize i = strlen(tower); i > 0; i--)
        type = register_letter(type, tower[i - 1], sizeof(Node));
    next_finalize = base->finalize;
    base->finalize = traced_base_finalize;
    trace = g_string_new(NULL);
    return type;
}

static const gchar *const towers[] = {
    "a",  "x",  "i",  "f",  "ab",  "ax",  "xa",   "xy",   "ia",   "ix",   "ai",
    "af", "fa", "xf", "fx", "aib", "afb", "axby", "xayb", "afiy", "iaxf", "abxyf",
};

START_TEST(every_finalize_of_an_object_runs_once_in_order)
{
    GType type = register_tower(towers[_i]);
    g_object_unref(g_object_new(type, NULL));

    g_autoptr(GString) expected = g_string_new(towers[_i]);
    g_string_replace(expected, "i", "", 0);
    g_string_append_c(expected, '.');
    ck_assert_str_eq(trace->str, expected->str);
}
END_TEST

START_TEST(an_object_finalized_inside_another_ones_finalize_has_a_chain_of_its_own)
{
    GType type = register_tower("ax");
    Node *outer = g_object_new(type, NULL);
    outer->child = g_object_new(type, NULL);
    g_object_unref(outer);
    ck_assert_str_eq(trace->str, "aax.x.");
}
END_TEST

START_TEST(libthrifts_own_objects_reach_gobjects_finalize)
{
    register_tower("a");
    g_object_unref(g_object_new(THRIFT_TYPE_APPLICATION_EXCEPTION, NULL));
    ck_assert_str_eq(trace->str, ".");
}
END_TEST

START_TEST(the_same_type_registered_again_is_the_same_type)
{
    GType first = register_letter(G_TYPE_OBJECT, 'a', sizeof(Node));
    ck_assert_uint_ne(first, 0);
    ck_assert_uint_eq(register_letter(G_TYPE_OBJECT, 'a', sizeof(Node)), first);
}
END_TEST

START_TEST(another_size_under_the_same_name_ends_the_process)
{
    register_letter(G_TYPE_OBJECT, 'a', sizeof(Node));
    register_letter(G_TYPE_OBJECT, 'a', sizeof(Node) + sizeof(gpointer));
}
END_TEST

START_TEST(another_parent_under_the_same_name_ends_the_process)
{
    GType parent = register_letter(G_TYPE_OBJECT, 'x', sizeof(Node));
    register_letter(G_TYPE_OBJECT, 'a', sizeof(Node));
    register_letter(parent, 'a', sizeof(Node));
}
END_TEST

/* Fault 18.  Each round is a process of its own, in which no type has been used yet. */
#define RACE_ROUNDS  100
#define RACE_THREADS 8

static GType (*const first_uses[])(void) = {
    outcomes_item_get_type,
    outcomes_base_item_args_get_type,
    outcomes_base_item_result_get_type,
    outcomes_base_if_get_type,
    outcomes_outcomes_if_get_type,
    outcomes_outcomes_words_args_get_type,
    crash_declared_get_type,
    crash_crash_if_get_type,
    crash_crash_ping_args_get_type,
    crash_crash_ping_result_get_type,
};

typedef struct {
    pthread_barrier_t *start;
    GType seen[G_N_ELEMENTS(first_uses)];
} Racer;

static gpointer race(gpointer data)
{
    Racer *racer = data;
    for (gsize i = 0; i < G_N_ELEMENTS(first_uses); i++) {
        pthread_barrier_wait(racer->start);
        racer->seen[i] = first_uses[i]();
    }
    return NULL;
}

START_TEST(threads_that_race_for_a_types_first_use_all_get_it)
{
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, RACE_THREADS);
    Racer racers[RACE_THREADS];
    GThread *threads[RACE_THREADS];
    for (guint i = 0; i < RACE_THREADS; i++) {
        racers[i].start = &start;
        threads[i] = g_thread_new("racer", race, &racers[i]);
    }
    for (guint i = 0; i < RACE_THREADS; i++)
        g_thread_join(threads[i]);
    for (gsize type = 0; type < G_N_ELEMENTS(first_uses); type++) {
        ck_assert_uint_ne(first_uses[type](), 0);
        for (guint i = 0; i < RACE_THREADS; i++)
            ck_assert_uint_eq(racers[i].seen[type], first_uses[type]());
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("host types");
    TCase *tcase = tcase_create("finalize");
    tcase_add_loop_test(tcase, every_finalize_of_an_object_runs_once_in_order, 0,
                        G_N_ELEMENTS(towers));
    tcase_add_test(tcase, an_object_finalized_inside_another_ones_finalize_has_a_chain_of_its_own);
    tcase_add_test(tcase, libthrifts_own_objects_reach_gobjects_finalize);
    suite_add_tcase(suite, tcase);

    tcase = tcase_create("registration");
    tcase_add_test(tcase, the_same_type_registered_again_is_the_same_type);
    tcase_add_test_raise_signal(tcase, another_size_under_the_same_name_ends_the_process, SIGTRAP);
    tcase_add_test_raise_signal(tcase, another_parent_under_the_same_name_ends_the_process,
                                SIGTRAP);
    tcase_add_loop_test(tcase, threads_that_race_for_a_types_first_use_all_get_it, 0, RACE_ROUNDS);
    suite_add_tcase(suite, tcase);
    return suite;
}
