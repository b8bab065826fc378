"""The lint of this tree: `python3 tests/lint`, or `tests/check lint`.

Runs the checks on the tree, then the tests that show that each of them can fail.  Ends with
`N passed, N failed`."""
import sys
import unittest
from pathlib import Path

import documents
import forbidden
import includes
import sizes
import tables
import tools
from source import Tree

CHECKS = [
    includes.include_directions,
    includes.own_header_first,
    tools.headers_compile_alone,
    tools.formatted,
    tools.python_compiles,
    sizes.file_sizes,
    sizes.function_sizes,
    forbidden.banned_functions,
    forbidden.no_goto,
    forbidden.whitespace,
    forbidden.machine_paths,
    tables.rows_are_used,
    tables.settings_are_read,
    tables.counters_are_well_named,
    documents.readmes,
]


def main():
    here = Path(__file__).parent
    tree = Tree(here.parent.parent)
    failed = 0
    for check in CHECKS:
        problems = list(check(tree))
        if problems:
            print(f"FAILED {check.__name__}: {check.__doc__}", *problems, sep="\n  ")
            failed += 1
    tests = unittest.TestLoader().discover(str(here))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=0).run(tests)
    red = len(result.failures) + len(result.errors)
    print(f"{len(CHECKS) - failed + result.testsRun - red} passed, {failed + red} failed")
    return 1 if failed + red else 0


sys.exit(main())
