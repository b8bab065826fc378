/* test_config_types.c - ranges, rates and places of keys: their text, and what is none. */
#include "tests/unit/runner.h"
#include "config/config.h"
#include "config/value.h"
#include <string.h>

static const ValueRule any_rate = { VALUE_RATE, NULL, NULL };
static const ValueRule some_workers = { VALUE_RANGE, "1", "64" };
static const ValueRule any_key = { VALUE_KEY, NULL, NULL };
static const ValueRule any_canary = { VALUE_CANARY, NULL, NULL };
static const ValueRule any_user = { VALUE_USER, NULL, NULL };
static const ValueRule colour = { VALUE_CHOICE, "red|green|blue", NULL };

static const struct {
    const gchar *text;
    guint64 count;
    gint64 per_usec;
    guint64 burst;
} rates[] = {
    { "none", 0, 1000000, 1 },
    { "1/ms", 1, 1000, 1 },
    { "100/s", 100, 1000000, 100 },
    { "5/100ms", 5, 100000, 5 },
    { "1000/m burst 50", 1000, 60000000, 50 },
    { "1/24h burst 1000000000", 1, G_GINT64_CONSTANT(86400000000), 1000000000 },
    { "1000000000/1000us", 1000000000, 1000, 1000000000 },
};

static const struct {
    const ValueRule *rule;
    const gchar *text, *wrong;
} bad[] = {
    { &any_rate, "", "no rate" },
    { &any_rate, "5", "no rate" },
    { &any_rate, "None", "no rate" },
    { &any_rate, "/s", "not a number" },
    { &any_rate, "-1/s", "not a number" },
    { &any_rate, "1e3/s", "not a number" },
    { &any_rate, "0/s", "out of range" },
    { &any_rate, "1000000001/s", "out of range" },
    { &any_rate, "99999999999999999999/s", "out of range" },
    { &any_rate, "1/", "not a number" },
    { &any_rate, "1/1", "no unit" },
    { &any_rate, "1/us", "out of range" },
    { &any_rate, "1/25h", "out of range" },
    { &any_rate, "1/day", "not understood after the digits" },
    { &any_rate, "1/s/s", "not understood after the digits" },
    { &any_rate, "1/s burst", "not understood after the digits" },
    { &any_rate, "1/s burst 0", "out of range" },
    { &any_rate, "1/s burst x", "not a number" },
    { &any_rate, " burst 5", "no rate" },
    { &some_workers, "", "not a number" },
    { &some_workers, "..", "not a number" },
    { &some_workers, "1..", "not a number" },
    { &some_workers, "..4", "not a number" },
    { &some_workers, "1...4", "not a number" },
    { &some_workers, "0..4", "out of range" },
    { &some_workers, "1..65", "out of range" },
    { &some_workers, "4..1", "the wrong way round" },
    { &some_workers, "1 ..4", "not a number" },
    { &some_workers, "18446744073709551617", "out of range" },
    { &any_key, "", "not a place of a key" },
    { &any_key, "arg", "not a place of a key" },
    { &any_key, "Peer", "not a place of a key" },
    { &any_key, "arg:", "no field number" },
    { &any_key, "arg:x", "not a field number" },
    { &any_key, "arg:1.", "not a field number" },
    { &any_key, "arg:.1", "not a field number" },
    { &any_key, "arg:32768", "not a field number" },
    { &any_key, "arg:1.1.1.1.1.1.1.1.1", "more than 8 fields deep" },
    { &any_key, "header:", "not a header's name" },
    { &any_key, "header:a b", "not a header's name" },
    { &any_key, "header:a:b", "not a header's name" },
    { &any_canary, "", "no share and time" },
    { &any_canary, "5%", "no share and time" },
    { &any_canary, "5 30s", "no percentage" },
    { &any_canary, "0% 30s", "out of range" },
    { &any_canary, "101% 30s", "out of range" },
    { &any_canary, "100.1% 30s", "out of range" },
    { &any_canary, "0.05% 30s", "more than one digit behind the point, or none" },
    { &any_canary, "5.% 30s", "more than one digit behind the point, or none" },
    { &any_canary, "-5% 30s", "not a number" },
    { &any_canary, "5% 30", "no unit" },
    { &any_canary, "5% 30s max-errors=1", "no percentage" },
    { &any_canary, "5% 30s max-crashes=-1", "not a number" },
    { &any_canary, "5% 30s max-crashes=1001", "out of range" },
    { &any_canary, "5% 30s  max-crashes=1", "neither max-errors nor max-crashes" },
    { &any_canary, "5% 30s errors=1%", "neither max-errors nor max-crashes" },
    { &any_user, "two words", "not a user's name" },
    { &any_user, "a=b", "not a user's name" },
    { &any_user, "a-name-that-is-longer-than-32-bytes", "not a user's name" },
    { &colour, "", "unknown word" },
    { &colour, "yellow", "unknown word" },
    { &colour, "red|green", "unknown word" },
    { &colour, "Red", "unknown word" },
};

/* Large enough for every type, and recognisable. */
typedef union {
    guint8 bytes[sizeof(KeySource)];
    KeySource key;
} Field;

START_TEST(what_is_no_value_is_told_and_changes_nothing)
{
    g_autoptr(GError) error = NULL;
    Field field, before;
    memset(&field, 0, sizeof field);
    before = field;
    ck_assert(!value_parse(bad[_i].rule, bad[_i].text, &field, &error));
    ck_assert_str_eq(error->message, bad[_i].wrong);
    ck_assert_mem_eq(&field, &before, sizeof field);
}
END_TEST

START_TEST(a_rate_is_a_count_a_time_and_a_burst)
{
    Rate rate;
    ck_assert(value_parse(&any_rate, rates[_i].text, &rate, NULL));
    ck_assert_uint_eq(rate.count, rates[_i].count);
    ck_assert_int_eq(rate.per_usec, rates[_i].per_usec);
    ck_assert_uint_eq(rate.burst, rates[_i].burst);
}
END_TEST

START_TEST(a_range_may_be_one_number)
{
    Range range;
    ck_assert(value_parse(&some_workers, "7", &range, NULL));
    ck_assert_uint_eq(range.min, 7);
    ck_assert_uint_eq(range.max, 7);
    ck_assert(value_parse(&some_workers, "1..64", &range, NULL));
    ck_assert_uint_eq(range.min, 1);
    ck_assert_uint_eq(range.max, 64);
}
END_TEST

START_TEST(a_key_replaces_the_one_before_and_header_names_have_no_case)
{
    KeySource key = { KEY_NONE };
    ck_assert(value_parse(&any_key, "header:X-Tenant", &key, NULL));
    ck_assert_int_eq(key.kind, KEY_HEADER);
    ck_assert_str_eq(key.header, "x-tenant");
    ck_assert(value_parse(&any_key, "arg:-32768.1.2.3.4.5.6.32767", &key, NULL));
    ck_assert_int_eq(key.kind, KEY_ARG);
    ck_assert_uint_eq(key.depth, 8);
    ck_assert_int_eq(key.path[0], -32768);
    ck_assert_int_eq(key.path[7], 32767);
    ck_assert_ptr_null(key.header);
    ck_assert(value_parse(&any_key, "peer", &key, NULL));
    ck_assert_int_eq(key.kind, KEY_PEER);
    ck_assert(value_parse(&any_key, "none", &key, NULL));
    ck_assert_int_eq(key.kind, KEY_NONE);
    value_clear(VALUE_KEY, &key);
}
END_TEST

START_TEST(a_choice_is_the_place_of_its_word)
{
    static const gchar *const words[] = { "red", "green", "blue" };
    g_autofree gchar *allowed = value_allowed(&colour);
    ck_assert_str_eq(allowed, "red, green or blue");
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        guint value;
        ck_assert(value_parse(&colour, words[i], &value, NULL));
        ck_assert_uint_eq(value, i);
        g_autofree gchar *name = value_choice_name(&colour, value);
        ck_assert_str_eq(name, words[i]);
    }
}
END_TEST

START_TEST(a_method_belongs_to_its_service_wherever_it_stands)
{
    g_autoptr(Config) config =
        config_parse("[method a.b.buy]\npriority = high\ndeadline = 5s\nrate-limit = 1/s\n"
                     "idempotent = true\ndiscardable = false\nkey = arg:1.-2\n"
                     "[service a.b]\nplugin = x.so\n[service a]\nplugin = x.so\n[method a.sell]\n",
                     "s.conf", NULL);
    const ServiceConfig *service = config->services[0];
    ck_assert_str_eq(service->name, "a.b");
    ck_assert_uint_eq(service->n_methods, 1);
    const MethodConfig *buy = service->methods[0];
    ck_assert_str_eq(buy->name, "buy");
    ck_assert_uint_eq(buy->priority, 1);
    ck_assert_int_eq(buy->deadline_usec, 5000000);
    ck_assert_uint_eq(buy->rate_limit.count, 1);
    ck_assert(buy->idempotent && !buy->discardable);
    ck_assert_int_eq(buy->key.kind, KEY_ARG);
    ck_assert_uint_eq(buy->key.depth, 2);
    ck_assert_int_eq(buy->key.path[0], 1);
    ck_assert_int_eq(buy->key.path[1], -2);
    const MethodConfig *sell = config->services[1]->methods[0];
    ck_assert_str_eq(sell->name, "sell");
    ck_assert_uint_eq(sell->priority, 3);
    ck_assert_int_eq(sell->deadline_usec, 0);
    ck_assert(sell->discardable && !sell->idempotent);
    ck_assert_int_eq(sell->key.kind, KEY_NONE);
}
END_TEST

START_TEST(a_canary_is_read_with_what_it_leaves_out)
{
    static const struct {
        const gchar *text;
        Canary canary;
    } good[] = {
        { "none", { 0, 0, 10, 0 } },
        { "5% 30s", { 50, 30000000, 10, 0 } },
        { "0.5% 1m max-errors=0%", { 5, 60000000, 0, 0 } },
        { "100% 1h max-errors=2.5% max-crashes=3", { 1000, G_GINT64_CONSTANT(3600000000), 25, 3 } },
        { "5% 30s max-crashes=3 max-errors=1%", { 50, 30000000, 10, 3 } },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        Canary canary;
        ck_assert(value_parse(&any_canary, good[i].text, &canary, NULL));
        ck_assert_msg(value_equal(VALUE_CANARY, &canary, &good[i].canary), "%s", good[i].text);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("config types");
    TCase *tcase = tcase_create("types");
    tcase_add_loop_test(tcase, what_is_no_value_is_told_and_changes_nothing, 0, G_N_ELEMENTS(bad));
    tcase_add_loop_test(tcase, a_rate_is_a_count_a_time_and_a_burst, 0, G_N_ELEMENTS(rates));
    tcase_add_test(tcase, a_range_may_be_one_number);
    tcase_add_test(tcase, a_key_replaces_the_one_before_and_header_names_have_no_case);
    tcase_add_test(tcase, a_choice_is_the_place_of_its_word);
    tcase_add_test(tcase, a_method_belongs_to_its_service_wherever_it_stands);
    tcase_add_test(tcase, a_canary_is_read_with_what_it_leaves_out);
    suite_add_tcase(suite, tcase);
    return suite;
}
