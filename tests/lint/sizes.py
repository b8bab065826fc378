"""sizes.py - files and functions that have grown beyond what is read in one go."""
import re

FILE_LINES = 400
FUNCTION_LINES = 60
EXCEPTIONS = "tests/lint/size.exceptions"


def file_sizes(tree):
    """A C file has at most 400 lines, but for those that size.exceptions gives a reason for."""
    excused = dict(read_exceptions(tree))
    for path in tree.paths(".c", ".h"):
        lines = tree.text(path).count("\n")
        if lines > FILE_LINES and path not in excused:
            yield (f"{path}:{FILE_LINES}: {lines} lines; split it (at most {FILE_LINES}), "
                   f"or give the reason in {EXCEPTIONS}")
        if lines <= FILE_LINES and path in excused:
            yield f"{EXCEPTIONS}:{excused.pop(path)}: {path} needs no exception: it has {lines} lines"
    for path, line in excused.items():
        if path not in tree.all:
            yield f"{EXCEPTIONS}:{line}: {path} does not exist"


def read_exceptions(tree):
    """(path, line) of each `path: reason`."""
    if EXCEPTIONS not in tree.all:
        return
    for number, line in enumerate(tree.text(EXCEPTIONS).splitlines(), start=1):
        path, _, reason = line.partition(":")
        if reason.strip() and not line.startswith("#"):
            yield path, number


def function_sizes(tree):
    """A function has at most 60 lines, from its name to its closing brace (45 is the aim)."""
    # clang-format puts the braces of functions, and of nothing else, alone in the first column.
    function = re.compile(r"^(\S[^;{}\n]*(?:\n[^;{}\n]+)*)\n\{\n.*?^\}", re.MULTILINE | re.DOTALL)
    for path in tree.paths(".c", ".h"):
        code = tree.code(path)
        for match in function.finditer(code):
            lines = match.group().count("\n") + 1
            if lines > FUNCTION_LINES:
                start = code.count("\n", 0, match.start()) + 1
                yield f"{path}:{start}: a function of {lines} lines; at most {FUNCTION_LINES}, better 45"
