/* test_host_methods.c - what handlers/host/method_table.c finds, and what it refuses. */
#include "tests/unit/runner.h"
#include "handlers/host/method_table.h"
#include "tests/unit/test_host_outcomes.h"
#include <string.h>
#include <thrift/c_glib/processor/thrift_multiplexed_processor.h>

static void assert_refused(ThriftProcessor *processor, const gchar *why)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(method_table_new(processor, &error));
    ck_assert(g_error_matches(error, METHOD_TABLE_ERROR, METHOD_TABLE_ERROR_LAYOUT));
    ck_assert_msg(strstr(error->message, why) != NULL, "%s", error->message);
    g_object_unref(processor);
}

START_TEST(methods_of_the_service_and_of_the_one_it_extends_are_found)
{
    g_autoptr(GObject) processor = G_OBJECT(echo_processor());
    g_autoptr(MethodTable) table = method_table_new(THRIFT_PROCESSOR(processor), NULL);
    static const gchar *const methods[] = { "item", "note", "words", "doubles", "kinds" };
    for (gsize i = 0; i < G_N_ELEMENTS(methods); i++)
        ck_assert_msg(method_table_find(table, methods[i]) != NULL, "%s", methods[i]);
    ck_assert(method_table_find(table, "absent") == NULL);
    ck_assert(method_table_find(table, "") == NULL);
}
END_TEST

static gboolean another_item(ThriftDispatchProcessor *self, gint32 seqid, ThriftProtocol *in,
                             ThriftProtocol *out, GError **error)
{
    (void)self, (void)seqid, (void)in, (void)out, (void)error;
    return TRUE;
}

START_TEST(the_derived_services_function_comes_first)
{
    static const struct {
        const gchar *name;
        MethodFunction function;
    } entry = { "item", another_item };
    g_autoptr(GObject) processor = G_OBJECT(echo_processor());
    g_hash_table_insert(((outcomesOutcomesProcessor *)processor)->process_map, (gpointer)entry.name,
                        (gpointer)&entry);
    g_autoptr(MethodTable) table = method_table_new(THRIFT_PROCESSOR(processor), NULL);
    ck_assert(method_table_find(table, "item") == another_item);
}
END_TEST

START_TEST(a_processor_without_a_handler_is_refused)
{
    assert_refused(g_object_new(OUTCOMES_TYPE_OUTCOMES_PROCESSOR, NULL), "not set");
}
END_TEST

START_TEST(a_processor_that_is_not_generated_is_refused)
{
    assert_refused(g_object_new(THRIFT_TYPE_MULTIPLEXED_PROCESSOR, NULL),
                   "does not derive from ThriftDispatchProcessor");
}
END_TEST

START_TEST(a_processor_whose_struct_has_grown_is_refused)
{
    GTypeQuery query;
    g_type_query(OUTCOMES_TYPE_OUTCOMES_PROCESSOR, &query);
    GType grown = g_type_register_static_simple(
        OUTCOMES_TYPE_OUTCOMES_PROCESSOR, "GrownProcessor", query.class_size, NULL,
        query.instance_size + (guint)sizeof(gpointer), NULL, 0);
    g_autoptr(GObject) handler = g_object_new(echo_get_type(), NULL);
    assert_refused(g_object_new(grown, "handler", handler, NULL), "exactly two pointers");
}
END_TEST

START_TEST(a_processor_with_another_first_pointer_is_refused)
{
    g_autoptr(GObject) other = g_object_new(echo_get_type(), NULL);
    ThriftProcessor *processor = echo_processor();
    ((outcomesBaseProcessor *)processor)->handler = (outcomesBaseHandler *)g_object_ref(other);
    assert_refused(processor, "is not the handler");
}
END_TEST

START_TEST(a_process_map_of_something_else_is_refused)
{
    ThriftProcessor *processor = echo_processor();
    static const gchar *const entry[] = { "name", NULL };
    g_hash_table_insert(((outcomesBaseProcessor *)processor)->process_map, (gpointer) "key",
                        (gpointer)entry);
    assert_refused(processor, "does not begin with its name");
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("host methods");
    TCase *tcase = tcase_create("table");
    tcase_add_test(tcase, methods_of_the_service_and_of_the_one_it_extends_are_found);
    tcase_add_test(tcase, the_derived_services_function_comes_first);
    tcase_add_test(tcase, a_processor_without_a_handler_is_refused);
    tcase_add_test(tcase, a_processor_that_is_not_generated_is_refused);
    tcase_add_test(tcase, a_processor_whose_struct_has_grown_is_refused);
    tcase_add_test(tcase, a_processor_with_another_first_pointer_is_refused);
    tcase_add_test(tcase, a_process_map_of_something_else_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
