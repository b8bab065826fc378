"""tables.py - the .def tables: every row is used, and every counter is fit for Prometheus."""
import re

from source import folder_of, line_of

ROW = re.compile(r"^([A-Z_]+)\(", re.MULTILINE)
# A macro that makes something of the rows, with its continuation lines.
DEFINE = re.compile(r"^#define (\w+)\(([\w, ]+)\)((?:.*\\\n)*.*)", re.MULTILINE)
PASTE = re.compile(r"\b(\w+)##(\w+)")


def rows(tree, path):
    """(macro, line, columns) of every row of a table."""
    text = tree.without_comments(path)
    for match in ROW.finditer(text):
        yield match[1], line_of(text, match.start()), columns(text, match.end())


def columns(text, start):
    """The columns of the row whose parenthesis was opened just before `start`."""
    found, depth, begin = [], 1, start
    for token in re.finditer(r'"(?:\\.|[^"\\])*"|[(),]', text[start:]):
        depth += {"(": 1, ")": -1}.get(token.group(), 0)
        if (token.group() == "," and depth == 1) or depth == 0:
            found.append(text[begin:start + token.start()].strip())
            begin = start + token.end()
        if depth == 0:
            break
    return found


def pastes(tree):
    """(table, macro, prefix, column): a macro that makes PREFIX_value of a column of a table."""
    for path in tree.paths(".c", ".h"):
        code = tree.without_comments(path)
        for define in DEFINE.finditer(code):
            table = re.search(r'#include "(\S+\.def)"', code[define.end():])
            parameters = [name.strip() for name in define[2].split(",")]
            for prefix, parameter in PASTE.findall(define[3]):
                if table and parameter in parameters:
                    yield table[1], define[1], prefix, parameters.index(parameter)


def rows_are_used(tree):
    """Every state, verdict and counter of a table is named by the program, not only defined."""
    named, named_in_tests = set(), set()
    for path in tree.paths(".c", ".h"):
        words = named_in_tests if path.startswith("tests/") else named
        words.update(re.findall(r"\w+", tree.code(path)))
        words.update(named_by_macros(tree, path))
    defined = {}
    for table, macro, prefix, column in set(pastes(tree)):
        for row_macro, line, row in rows(tree, table) if table in tree.all else []:
            if row_macro == macro and column == 0:
                defined[prefix + row[0]] = f"{table}:{line}"
            elif row_macro == macro:
                named.add(prefix + row[column])
    for name, where in sorted(defined.items()):
        if name not in named and not (where.startswith("tests/") and name in named_in_tests):
            yield f"{where}: no code uses {name}; use it or remove the row"


def named_by_macros(tree, path):
    """PREFIX_x for each MACRO(x) of the file, where MACRO(name) is defined with PREFIX_##name."""
    macros = {}
    for header in tree.paths(".h"):
        for define in DEFINE.finditer(tree.without_comments(header)):
            for prefix, parameter in PASTE.findall(define[3]):
                if define[2].strip() == parameter:
                    macros.setdefault(define[1], prefix)
    for macro, prefix in macros.items():
        for argument in re.findall(rf"\b{macro}\((\w+)\)", tree.code(path)):
            yield prefix + argument


def settings_are_read(tree):
    """Every setting of options.def is read by the program outside config/."""
    code = [tree.code(path) for path in tree.paths(".c", ".h")
            if folder_of(path) != "config" and not path.startswith("tests/")]
    for path in tree.paths("options.def"):
        for _, line, row in rows(tree, path):
            if not any(re.search(rf"\b{row[0]}\b", text) for text in code):
                yield f"{path}:{line}: no code outside config/ reads {row[0]}; use it or remove the row"


def counters_are_well_named(tree):
    """The metrics of counters.def follow the rules of Prometheus and are explained."""
    for path in tree.paths("counters.def"):
        families, last = {}, None
        for _, line, (_, metric, label, kind, help_text) in rows(tree, path):
            family = (kind, help_text)
            for fault in name_faults(metric.strip('"'), kind):
                yield f"{path}:{line}: {metric} {fault}"
            if not re.fullmatch(r'""|"[a-z_]+=\\"[a-z_]+\\""', label):
                yield f'{path}:{line}: label {label} is not of the form name="value"'
            if re.fullmatch(r'""|".*\."', help_text):
                yield f"{path}:{line}: the help of {metric} is empty or ends in a full stop"
            if families.setdefault(metric, family) != family:
                yield f"{path}:{line}: the rows of {metric} differ in kind or help"
            elif last != metric and list(families)[-1] != metric:
                yield f"{path}:{line}: the rows of {metric} do not stand together"
            last = metric


def name_faults(metric, kind):
    words = metric.removesuffix("_total").split("_")
    if not re.fullmatch(r"sluice(_[a-z0-9]+)+", metric):
        yield "is not sluice_ and lower-case words"
    if (kind == "TOTAL") != metric.endswith("_total"):
        yield "must end in _total exactly when its kind is TOTAL"
    if set(words) & {"ms", "msec", "us", "usec", "minutes", "kb", "mb", "kib", "mib", "percent"}:
        yield "has a unit other than seconds, bytes or ratio"
    if set(words[:-1]) & {"bytes", "seconds", "ratio"}:
        yield "has its unit elsewhere than at the end"
