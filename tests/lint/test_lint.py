"""test_lint.py - every check refuses what it is there to refuse, and lets the rest pass."""
import tempfile
import unittest
from pathlib import Path

import documents
import forbidden
import includes
import sizes
import tables
import tools
from source import Tree

RULES = """# comment
base:
front: base
tests: *
<event2/ : base
"""
MAKEFILE = "COMPILE = cc -std=c11 -I.\n"
FUNCTION = "int f(\n    void)\n{{\n{}}}\n"


def table(row, user="enum { A_ONE };\n"):
    """A table of one column with its enum, and a file that uses the enum's values."""
    return {
        "a.def": "/* ROW(name, text) */\n" + row,
        "a.h": "enum {\n#define ROW(name, text) \\\n    A_##name,\n#include \"a.def\"\n};\n",
        "a.c": user,
    }


def counter(metric="sluice_calls_total", label="", kind="TOTAL", help_text="Calls"):
    return f'DAEMON(CALLS, "{metric}", "{label}", {kind}, "{help_text}")\n'


class Lint(unittest.TestCase):
    def problems(self, check, files):
        """What a check says of a tree of these files."""
        with tempfile.TemporaryDirectory() as folder:
            for path, text in files.items():
                target = Path(folder, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(text if isinstance(text, bytes) else text.encode())
            return list(check(Tree(folder)))

    def refuses(self, check, files, *wanted):
        """One problem for each of `wanted`, which is how its line begins."""
        told = self.problems(check, files)
        self.assertEqual(len(told), len(wanted), told)
        for problem, beginning in zip(told, wanted):
            self.assertTrue(problem.startswith(beginning), problem)

    def allows(self, check, files):
        self.assertEqual(self.problems(check, files), [])


class Source(Lint):
    def test_ignored_folders_git_and_files_that_are_no_text_are_not_read(self):
        tree = {".gitignore": "/build/\n/build-*/\ncache/\n", "build/a": "", "build-x/a": "",
                "x/cache/a": "", ".git/a": "", "x/build/kept": "", "binary": b"\0"}
        self.assertEqual(self.problems(lambda tree: tree.all, tree), [".gitignore", "x/build/kept"])

    def test_comments_and_strings_are_not_code(self):
        tree = {"a.c": 'f("goto \\" goto"); /* goto\n goto */ g(\'"\'); // goto\nh("x");\n'}
        self.allows(forbidden.no_goto, tree)


class Includes(Lint):
    def include(self, path, line, more=()):
        return {includes.RULES: RULES, path: f"#include {line}\n", **dict(more)}

    def test_a_folder_includes_only_what_its_rule_names(self):
        check = includes.include_directions
        self.refuses(check, self.include("base/a.c", '"front/f.h"'), "base/a.c:1: base/ may not")
        self.allows(check, self.include("front/a.c", '"base/b.h"'))
        self.allows(check, self.include("front/a.c", '"front/b.h"'))
        self.allows(check, self.include("tests/a.c", '"front/b.h"'))

    def test_a_folder_without_a_rule_is_refused(self):
        check = includes.include_directions
        self.refuses(check, self.include("new/a.c", "<glib.h>"), "new/a.c:1: folder new/")
        self.refuses(check, self.include("base/below/a.c", "<glib.h>"), "base/below/a.c:1: folder")

    def test_an_outside_header_with_a_rule_is_only_for_the_folders_it_names(self):
        check = includes.include_directions
        self.refuses(check, self.include("front/a.c", "<event2/event.h>"), "front/a.c:1: front/ may")
        self.allows(check, self.include("base/a.c", "<event2/event.h>"))
        self.allows(check, self.include("front/a.c", "<glib.h>"))

    def test_a_name_without_a_folder_must_be_a_generated_header(self):
        check = includes.include_directions
        idl = [("idl/shop.thrift", "namespace c_glib my\nservice CornerShop {\n}\n")]
        self.refuses(check, self.include("base/a.c", '"b.h"', idl), "base/a.c:1: \"b.h\" is not gen")
        self.allows(check, self.include("base/a.c", '"my_corner_shop.h"', idl))
        self.allows(check, self.include("base/a.c", '"my_shop_types.h"', idl))

    def test_a_file_that_includes_another_header_before_its_own_is_refused(self):
        check = includes.own_header_first
        own = [("base/a.h", "")]
        self.refuses(check, self.include("base/a.c", '<glib.h>\n#include "base/a.h"', own), "base/a.c:1")
        self.allows(check, self.include("base/a.c", '"base/a.h"\n#include <glib.h>', own))


class Tools(Lint):
    def test_a_header_that_needs_another_one_first_is_refused(self):
        check = tools.headers_compile_alone
        self.refuses(check, {"Makefile": MAKEFILE, "a.h": "\nsize_t n;\n"}, "a.h:2: does not compile")
        self.allows(check, {"Makefile": MAKEFILE, "a.h": "#include <stddef.h>\nextern size_t n;\n"})

    def test_a_file_that_clang_format_would_change_is_refused(self):
        self.refuses(tools.formatted, {"a.c": "int  a;\n"}, "a.c:1: run clang-format")
        self.allows(tools.formatted, {"a.c": "int a;\n"})

    def test_a_script_that_is_not_python_is_refused(self):
        check = tools.python_compiles
        self.refuses(check, {"a.py": "x = 1\n)\n"}, "a.py:2:")
        self.refuses(check, {"a": "#!/usr/bin/python3\n)\n"}, "a:2:")
        self.allows(check, {"a.py": "x = 1\n", "b": ")\n"})


class Sizes(Lint):
    def test_a_long_file_needs_a_reason(self):
        check, long = sizes.file_sizes, "\n" * 401
        self.refuses(check, {"a.c": long}, "a.c:400: 401 lines")
        self.refuses(check, {"a.c": long, sizes.EXCEPTIONS: "a.c:\n"}, "a.c:400: 401 lines")
        self.allows(check, {"a.c": long, sizes.EXCEPTIONS: "a.c: one table\n"})
        self.allows(check, {"a.c": "\n" * 400})

    def test_an_exception_that_nothing_needs_is_refused(self):
        excuse = {sizes.EXCEPTIONS: "# why\na.c: one table\n"}
        where = f"{sizes.EXCEPTIONS}:2: a.c "
        self.refuses(sizes.file_sizes, {"a.c": "\n", **excuse}, where + "needs no")
        self.refuses(sizes.file_sizes, excuse, where + "does not exist")

    def test_a_long_function_is_refused(self):
        check = sizes.function_sizes
        text = "int a;\n\n" + FUNCTION.format("    f();\n" * 57)
        self.refuses(check, {"a.c": text}, "a.c:3: a function of 61 lines")
        self.allows(check, {"a.c": FUNCTION.format("    f();\n" * 56) * 3})


class Forbidden(Lint):
    def test_each_banned_function_is_refused_by_name(self):
        for names, instead, _ in forbidden.BANNED:
            for name in names.split():
                text = f"int x;\nint y = {name}(x);\n"
                self.refuses(forbidden.banned_functions, {"daemon/a.c": text},
                             f"daemon/a.c:2: {name}() is banned; use {instead}")

    def test_methods_other_names_and_handlers_that_sleep_are_allowed(self):
        check = forbidden.banned_functions
        self.allows(check, {"daemon/a.c": "a->select(1); b.signal(2); my_sleep(3); g_rand_int(r);\n"})
        self.allows(check, {"handlers/calculator/a.c": "g_usleep(1);\n"})

    def test_goto_is_refused(self):
        self.refuses(forbidden.no_goto, {"a.c": "\ngoto end;\n"}, "a.c:2: goto")

    def test_blanks_tabs_and_a_missing_last_newline_are_refused(self):
        check = forbidden.whitespace
        self.refuses(check, {"a.def": "a \nb\n"}, "a.def:1: blanks")
        self.refuses(check, {"a.c": "a\n\tb\n"}, "a.c:2: a tab")
        self.refuses(check, {"a.md": "a\nb"}, "a.md:1: the file does not end")
        self.refuses(check, {"a.md": "a\n\n"}, "a.md:2: the file does not end")
        self.allows(check, {"Makefile": "all:\n\ttrue\n", "empty": ""})

    def test_the_path_of_a_machine_is_refused(self):
        check = forbidden.machine_paths
        for folder in "work", "home", "root", "tmp/b":
            self.refuses(check, {"a.md": f"x\nsee /{folder}/x\n"}, f"a.md:2: /{folder}/x is a path")
        self.allows(check, {"a.md": "see ./home, framework/x, /tmp/sluice and https://a.org/home\n"})


class Tables(Lint):
    def test_a_row_that_no_code_names_is_refused(self):
        check = tables.rows_are_used
        self.refuses(check, table('ROW(ONE, "1")\nROW(TWO, "2")\n'), "a.def:3: no code uses A_TWO")
        self.refuses(check, table('ROW(ONE, "1")\n', user="/* A_ONE */\n"), "a.def:2: no code uses")
        self.allows(check, table('ROW(ONE, "1")\n'))

    def test_a_row_that_another_table_refers_to_is_used(self):
        other = {"b.def": "USE(X, ONE)\n",
                 "b.c": "#define USE(name, one) [B_##name] = A_##one,\n#include \"b.def\"\nB_X\n"}
        self.allows(tables.rows_are_used, table('ROW(ONE, "1")\n', user="\n") | other)

    def test_a_row_that_only_tests_name_is_refused(self):
        tree = table('ROW(ONE, "1")\n', user="\n") | {"tests/a.c": "A_ONE;\n"}
        self.refuses(tables.rows_are_used, tree, "a.def:2: no code uses A_ONE")

    def test_a_setting_that_only_config_reads_is_refused(self):
        check = tables.settings_are_read
        tree = {"config/options.def": '\nOPTION(limit, "limit", UINT,\n       "a, (b")\n',
                "config/config.c": "c->limit;\n"}
        self.refuses(check, tree, "config/options.def:2: no code outside config/ reads limit")
        self.allows(check, tree | {"daemon/a.c": "c->limit;\n"})

    def test_a_metric_against_the_rules_of_prometheus_is_refused(self):
        wrong = [
            (counter(metric="calls_total"), "is not sluice_"),
            (counter(metric="sluice_Calls_total"), "is not sluice_"),
            (counter(metric="sluice_calls"), "must end in _total"),
            (counter(kind="GAUGE"), "must end in _total"),
            (counter(metric="sluice_wait_usec_total"), "has a unit other"),
            (counter(metric="sluice_bytes_sent_total"), "has its unit elsewhere"),
            (counter(label="reason"), "is not of the form"),
            (counter(help_text=""), "is empty"),
            (counter(help_text="Calls."), "is empty or ends in a full stop"),
            (counter(label='a=\\"b\\"') + counter(help_text="Other"), "differ in kind or help"),
            (counter() + counter(metric="sluice_b_total") + counter(), "do not stand together"),
        ]
        for text, why in wrong:
            told = self.problems(tables.counters_are_well_named, {"counters.def": text})
            self.assertEqual(len(told), 1, told)
            self.assertRegex(told[0], r"^counters.def:\d: .*" + why)
        self.allows(tables.counters_are_well_named,
                    {"counters.def": counter(label='a=\\"b\\"') + counter(label='a=\\"c\\"')})


class Documents(Lint):
    def test_a_folder_that_nothing_explains_is_refused(self):
        check = documents.readmes
        self.refuses(check, {"README.md": "a/\n", "a/x.c": ""}, "a/README.md:1: does not exist")
        self.refuses(check, {"a/README.md": "x\n", "a/b/x.c": ""}, "a/b/README.md:1: does not exist")
        self.allows(check, {"a/README.md": "x\n", "a/x.c": "", ".ci/x": ""})
        self.allows(check, {"a/README.md": "`b/`: x\n", "a/b/x.c": ""})

    def test_a_long_readme_of_a_folder_is_refused(self):
        check = documents.readmes
        self.refuses(check, {"a/README.md": "x\n" * 40}, "a/README.md:40: 40 lines")
        self.allows(check, {"a/README.md": "x\n" * 39, "README.md": "x\n" * 99})
