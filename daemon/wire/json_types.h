/* json_types.h - what Thrift's JSON encoding calls the types of the binary one.
 *
 * Thread: any; constants.                                                                */
#pragma once
#include <glib.h>

typedef enum {
    JSON_BOOL = 2,
    JSON_I8 = 3,
    JSON_DOUBLE = 4,
    JSON_I16 = 6,
    JSON_I32 = 8,
    JSON_I64 = 10,
    JSON_TEXT = 11,
    JSON_STRUCT = 12,
    JSON_MAP = 13,
    JSON_SET = 14,
    JSON_LIST = 15,
    JSON_TYPES,
} JsonType;

#define JSON_TYPE_NAME_BYTES 3u /* at most */

static const gchar *const json_type_names[JSON_TYPES] = {
    [JSON_BOOL] = "tf", [JSON_I8] = "i8",   [JSON_DOUBLE] = "dbl", [JSON_I16] = "i16",
    [JSON_I32] = "i32", [JSON_I64] = "i64", [JSON_TEXT] = "str",   [JSON_STRUCT] = "rec",
    [JSON_MAP] = "map", [JSON_SET] = "set", [JSON_LIST] = "lst",
};

#define JSON_NAN            "NaN"
#define JSON_INFINITY       "Infinity"
#define JSON_MINUS_INFINITY "-Infinity"
