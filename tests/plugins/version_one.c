/* version_one.c - version_one.thrift, before a reload. */
#define VERSION "one"
#include "tests/plugins/version.h"
