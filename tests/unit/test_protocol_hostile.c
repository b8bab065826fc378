/* test_protocol_hostile.c - bytes that hang, crash or fill a process which reads them with
 * Thrift's own protocols are refused with a text, and the next call is none the worse. */
#include "tests/unit/protocol_everything.h"
#include "tests/unit/runner.h"

typedef struct {
    RingProtocol kind;
    const gchar *hex;
    const gchar *text;
} Vector;

static void assert_all_refused(const Vector *vectors, gsize count)
{
    for (gsize v = 0; v < count; v++)
        assert_refused(vectors[v].kind, from_hex(vectors[v].hex), vectors[v].text);
}

START_TEST(a_frame_that_ends_early_does_not_hang)
{
    static const Vector vectors[] = {
        { RING_BINARY, "08",
          "field header at byte 0 is cut off: it needs 2 more bytes and 0 are left" },
        { RING_BINARY, "08 0004 0001",
          "i32 at byte 3 is cut off: it needs 4 more bytes and 2 are left" },
        { RING_COMPACT, "45", "varint at byte 1 is cut off: it needs 1 more bytes and 0 are left" },
        { RING_COMPACT, "45 80",
          "varint at byte 1 is cut off: it needs 1 more bytes and 0 are left" },
        { RING_COMPACT, "67 0000",
          "double at byte 1 is cut off: it needs 8 more bytes and 2 are left" },
    };
    assert_all_refused(vectors, G_N_ELEMENTS(vectors));
}
END_TEST

START_TEST(a_frame_without_any_byte_does_not_hang)
{
    g_autoptr(ThriftProtocol) protocol = frame_protocol_new(_i);
    ck_assert_str_eq(refusal(protocol, (const guint8 *)"", 0),
                     "field header at byte 0 is cut off: it needs 1 more bytes and 0 are left");
    assert_next_call_works(protocol, _i);
}
END_TEST

START_TEST(a_negative_length_of_a_binary_field_is_refused)
{
    static const Vector vectors[] = {
        { RING_BINARY, "0b 0008 ffffffff 6100",
          "string length 4294967295 at byte 3 is more than the 2 bytes left" },
        { RING_COMPACT, "88 ffffffff0f 6100",
          "string length 4294967295 at byte 1 is more than the 2 bytes left" },
    };
    assert_all_refused(vectors, G_N_ELEMENTS(vectors));
}
END_TEST

START_TEST(a_skipped_string_with_half_a_length_frees_nothing_it_has_not)
{
    static const Vector vectors[] = {
        { RING_BINARY, "0b 03e7 0000",
          "string length at byte 3 is cut off: it needs 4 more bytes and 2 are left" },
        { RING_COMPACT, "08 ce0f 80",
          "varint at byte 3 is cut off: it needs 1 more bytes and 0 are left" },
    };
    assert_all_refused(vectors, G_N_ELEMENTS(vectors));
}
END_TEST

START_TEST(the_greatest_string_length_is_refused)
{
    static const Vector vectors[] = {
        { RING_BINARY, "0b 0007 7fffffff 616263",
          "string length 2147483647 at byte 3 is more than the 3 bytes left" },
        { RING_COMPACT, "78 ffffffff07 616263",
          "string length 2147483647 at byte 1 is more than the 3 bytes left" },
    };
    assert_all_refused(vectors, G_N_ELEMENTS(vectors));
}
END_TEST

/* Thrift's own passes it on, and a handler takes "a" and "a\0b" for the same. */
START_TEST(a_string_with_a_nul_in_it_is_refused_and_a_binary_is_not)
{
    static const Vector vectors[] = {
        { RING_BINARY, "0b 0007 00000003 610062 00",
          "string at byte 3 has a NUL at its byte 1, and C code would see it end there" },
        { RING_COMPACT, "78 03 616200 00",
          "string at byte 1 has a NUL at its byte 2, and C code would see it end there" },
        { RING_BINARY, "0b 0008 00000001 00  0b 0008 00000001 62 00",
          "field 8 at byte 8 is there twice" }, /* so the first one was good */
    };
    assert_all_refused(vectors, G_N_ELEMENTS(vectors));
}
END_TEST

/* --- fields ------------------------------------------------------------------------------ */

START_TEST(the_same_field_twice_is_refused)
{
    static const Vector vectors[] = {
        { RING_BINARY, "0b 0008 00000001 61  0b 0008 00000001 62 00",
          "field 8 at byte 8 is there twice" },
        { RING_COMPACT, "88 01 61  08 10 01 62 00", "field 8 at byte 3 is there twice" },
        { RING_BINARY, "08 03e8 00000001  08 03e8 00000001 00",
          "field 1000 at byte 7 is there twice" },
        { RING_BINARY, "08 ffff 00000001  08 ffff 00000001 00",
          "field -1 at byte 7 is there twice" },
        /* a struct with the same ids in between does not make the outer one forget */
        { RING_COMPACT, "15 02  ac 15 02 00  05 02 02 00", "field 1 at byte 6 is there twice" },
    };
    assert_all_refused(vectors, G_N_ELEMENTS(vectors));
}
END_TEST

START_TEST(the_same_id_in_another_struct_is_another_field)
{
    static const gchar *const leaves[] = {
        "0f 0011 0c 00000002  08 0001 00000001 00  08 0001 00000002 00  00",
        "09 22 2c  15 02 00  15 04 00  00"
    };
    assert_accepted(_i, from_hex(leaves[_i]));
}
END_TEST

START_TEST(a_field_of_unknown_type_is_refused)
{
    static const Vector vectors[] = {
        { RING_BINARY, "07 0001 00", "field 1 at byte 0 has an unknown type" },
        { RING_BINARY, "10 0001 00", "field 1 at byte 0 has an unknown type" },
        { RING_COMPACT, "1d 00", "field 1 at byte 0 has an unknown type" },
        { RING_COMPACT, "10 00", "field 1 at byte 0 has an unknown type" },
    };
    assert_all_refused(vectors, G_N_ELEMENTS(vectors));
}
END_TEST

START_TEST(a_field_id_past_its_type_is_refused)
{
    static const Vector vectors[] = {
        { RING_COMPACT, "05 feff03 00 15 00 00", "field id at byte 5 is beyond 32767" },
        { RING_COMPACT, "05 feff07 00 00", "varint at byte 0 does not fit 16 bits" },
    };
    assert_all_refused(vectors, G_N_ELEMENTS(vectors));
}
END_TEST

START_TEST(a_varint_longer_than_its_type_is_refused)
{
    static const Vector vectors[] = {
        { RING_COMPACT, "34 ffff04 00", "varint at byte 1 does not fit 16 bits" },
        { RING_COMPACT, "45 ffffffff10 00", "varint at byte 1 does not fit 32 bits" },
        { RING_COMPACT, "45 808080808000 00", "varint at byte 1 does not fit 32 bits" },
        { RING_COMPACT, "56 ffffffffffffffffff02 00", "varint at byte 1 does not fit 64 bits" },
        { RING_COMPACT, "78 808080808000 00", "varint at byte 1 does not fit 32 bits" },
    };
    assert_all_refused(vectors, G_N_ELEMENTS(vectors));
}
END_TEST

/* --- containers -------------------------------------------------------------------------- */

START_TEST(more_elements_than_bytes_are_refused)
{
    static const Vector vectors[] = {
        { RING_BINARY, "0f 000d 0a 40000000 00",
          "list at byte 3 of 1073741824 elements is more than the 1 bytes left" },
        { RING_BINARY, "0e 0014 08 40000000 00",
          "set at byte 3 of 1073741824 elements is more than the 1 bytes left" },
        { RING_BINARY, "0f 0013 0c ffffffff 00",
          "list at byte 3 of 4294967295 elements is more than the 1 bytes left" },
        { RING_BINARY, "0d 0016 080a 20000000 00",
          "map at byte 3 of 536870912 elements is more than the 1 bytes left" },
        { RING_BINARY, "0d 0016 080a 00000001 00000001 00000002",
          "map at byte 3 of 1 elements is more than the 8 bytes left" },
        { RING_COMPACT, "d9 f6 8080808004 00",
          "list at byte 1 of 1073741824 elements is more than the 1 bytes left" },
        { RING_COMPACT, "09 26 fc ffffffff0f 00",
          "list at byte 2 of 4294967295 elements is more than the 1 bytes left" },
        { RING_COMPACT, "0b 2c 02 56 01 02 01",
          "map at byte 2 of 2 elements is more than the 3 bytes left" },
    };
    assert_all_refused(vectors, G_N_ELEMENTS(vectors));
}
END_TEST

START_TEST(elements_of_unknown_type_are_refused)
{
    static const Vector vectors[] = {
        { RING_BINARY, "0f 0013 07 00000001 00 00",
          "list at byte 3 has elements of an unknown type" },
        { RING_BINARY, "0d 0016 08ff 00000001 00000000 00",
          "map at byte 3 has elements of an unknown type" },
        { RING_COMPACT, "09 26 1d 00 00", "list at byte 2 has elements of an unknown type" },
        { RING_COMPACT, "0b 2c 01 50 00 00 00", "map at byte 2 has elements of an unknown type" },
    };
    assert_all_refused(vectors, G_N_ELEMENTS(vectors));
}
END_TEST

START_TEST(an_empty_container_may_announce_anything)
{
    static const gchar *const empty[] = { "0f 0013 00 00000000  0d 0016 0000 00000000  00",
                                          "09 26 00  0b 2c 00  00" };
    assert_accepted(_i, from_hex(empty[_i]));
}
END_TEST

START_TEST(elements_of_another_type_than_announced_are_refused)
{
    static const Vector vectors[] = {
        { RING_BINARY, "0f 000e 08 00000001 00000000 00",
          "value at byte 8 announced as i32 but read as string" },
        { RING_BINARY, "0f 000d 04 00000001 0000000000000000 00",
          "value at byte 8 announced as double but read as i64" },
        { RING_BINARY, "0f 000c 03 00000001 01 00",
          "value at byte 8 announced as i8 but read as bool" },
        { RING_BINARY, "0f 0010 02 00000001 01 00",
          "value at byte 8 announced as bool but read as i32" },
        { RING_BINARY, "0f 0013 0b 00000001 00000000 00",
          "value at byte 8 announced as string but read as struct" },
        { RING_BINARY, "0f 0012 0e 00000001 0800000000 00",
          "value at byte 8 announced as set but read as list" },
        { RING_BINARY, "0d 0016 0a0a 00000001 0000000000000000 0000000000000000 00",
          "value at byte 9 announced as i64 but read as i32" },
        { RING_BINARY, "0d 0016 0808 00000001 00000000 00000000 00",
          "value at byte 13 announced as i32 but read as i64" },
        { RING_COMPACT, "e9 15 02 00", "value at byte 2 announced as i32 but read as string" },
        { RING_COMPACT, "c9 13 01 00", "value at byte 2 announced as i8 but read as bool" },
        { RING_COMPACT, "09 26 18 00 00",
          "value at byte 3 announced as string but read as struct" },
        { RING_COMPACT, "0b 2c 02 55 0202 0404 00",
          "value at byte 5 announced as i32 but read as i64" },
    };
    assert_all_refused(vectors, G_N_ELEMENTS(vectors));
    assert_accepted(RING_COMPACT, from_hex("0b 2c 02 56 0202 0404 00"));
}
END_TEST

static TCase *bytes_case(void)
{
    TCase *tcase = tcase_create("bytes");
    tcase_add_test(tcase, a_frame_that_ends_early_does_not_hang);
    tcase_add_loop_test(tcase, a_frame_without_any_byte_does_not_hang, 0, KINDS);
    tcase_add_test(tcase, a_negative_length_of_a_binary_field_is_refused);
    tcase_add_test(tcase, a_skipped_string_with_half_a_length_frees_nothing_it_has_not);
    tcase_add_test(tcase, the_greatest_string_length_is_refused);
    tcase_add_test(tcase, a_varint_longer_than_its_type_is_refused);
    return tcase;
}

static TCase *structure_case(void)
{
    TCase *tcase = tcase_create("structure");
    tcase_add_test(tcase, a_string_with_a_nul_in_it_is_refused_and_a_binary_is_not);
    tcase_add_test(tcase, the_same_field_twice_is_refused);
    tcase_add_loop_test(tcase, the_same_id_in_another_struct_is_another_field, 0, KINDS);
    tcase_add_test(tcase, a_field_of_unknown_type_is_refused);
    tcase_add_test(tcase, a_field_id_past_its_type_is_refused);
    tcase_add_test(tcase, more_elements_than_bytes_are_refused);
    tcase_add_test(tcase, elements_of_unknown_type_are_refused);
    tcase_add_loop_test(tcase, an_empty_container_may_announce_anything, 0, KINDS);
    tcase_add_test(tcase, elements_of_another_type_than_announced_are_refused);
    return tcase;
}

Suite *test_suite(void)
{
    Suite *suite = suite_create("protocol_hostile");
    suite_add_tcase(suite, bytes_case());
    suite_add_tcase(suite, structure_case());
    return suite;
}
