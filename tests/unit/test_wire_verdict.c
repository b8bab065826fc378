/* test_wire_verdict.c - promises of daemon/wire/wire_verdict.h. */
#include "daemon/wire/wire_verdict.h"
#include "tests/unit/runner.h"

START_TEST(every_verdict_has_a_label_of_its_own_and_a_text)
{
    g_autoptr(GHashTable) labels = g_hash_table_new(g_str_hash, g_str_equal);
    for (WireVerdict verdict = 0; verdict < WIRE_VERDICT_COUNT; verdict++) {
        const gchar *label = wire_verdict_name(verdict);
        ck_assert(g_regex_match_simple("^[a-z_]+$", label, 0, 0));
        ck_assert_msg(g_hash_table_add(labels, (gpointer)label), "%s is there twice", label);
        ck_assert_str_ne(wire_verdict_text(verdict), "");
    }
}
END_TEST

START_TEST(at_the_end_only_missing_bytes_mean_something_else)
{
    for (WireVerdict verdict = 0; verdict < WIRE_VERDICT_COUNT; verdict++)
        ck_assert_int_eq(wire_verdict_at_end(verdict),
                         verdict == WIRE_MORE ? WIRE_TRUNCATED : verdict);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("wire_verdict");
    TCase *verdicts = tcase_create("verdicts");
    tcase_add_test(verdicts, every_verdict_has_a_label_of_its_own_and_a_text);
    tcase_add_test(verdicts, at_the_end_only_missing_bytes_mean_something_else);
    suite_add_tcase(suite, verdicts);
    return suite;
}
