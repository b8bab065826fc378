/* runner.h - what each tests/unit/test_*.c defines: its one suite. */
#pragma once
#include <check.h>

Suite *test_suite(void);
