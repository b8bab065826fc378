/* version_two.c - version_two.thrift, after it. */
#define VERSION "two"
#define WITH_MORE
#include "tests/plugins/version.h"
