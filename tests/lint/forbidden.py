"""forbidden.py - what may not stand in a file, and what to write instead."""
import re

from source import line_of

# The code that must never wait but for an event with a deadline.  A handler may.
MUST_NOT_SLEEP = ("actor/", "config/", "daemon/", "handlers/host/", "tests/")

BANNED = [
    ("strcpy strcat strncpy strncat", "g_strlcpy, GString or g_strdup_printf", ""),
    ("sprintf vsprintf", "g_snprintf or g_strdup_printf", ""),
    ("gets", "getline", ""),
    ("strtok strtok_r", "g_strsplit", ""),
    ("atoi atol atoll atof", "g_ascii_string_to_signed, which says what is wrong", ""),
    ("system popen", "posix_spawn", ""),
    ("tmpnam tempnam mktemp", "memfd_create, mkstemp or g_mkdtemp", ""),
    ("alloca g_alloca g_newa", "g_autofree", ""),
    ("rand srand random srandom", "a seeded GRand", ""),
    ("signal", "sigaction or a signal event of the loop", ""),
    ("select", "an event of the loop, or poll", ""),
    ("sleep usleep nanosleep g_usleep", "an event, or a timer of the loop", MUST_NOT_SLEEP),
]


def banned_functions(tree):
    """Functions that overflow, lose errors or wait blindly are not called."""
    for names, instead, where in BANNED:
        call = re.compile(r"(?<![\w.>])(" + "|".join(names.split()) + r")\s*\(")
        for path in tree.paths(".c", ".h"):
            code = tree.code(path) if path.startswith(where) else ""
            for match in call.finditer(code):
                yield f"{path}:{line_of(code, match.start())}: {match[1]}() is banned; use {instead}"


def no_goto(tree):
    """No goto."""
    for path in tree.paths(".c", ".h"):
        code = tree.code(path)
        for match in re.finditer(r"\bgoto\b", code):
            yield f"{path}:{line_of(code, match.start())}: goto; return early and use g_autoptr"


def whitespace(tree):
    """No trailing blanks anywhere, no tabs but in makefiles and Go, one newline at the end."""
    for path in tree.all:
        text = tree.text(path)
        for number, line in enumerate(text.splitlines(), start=1):
            if line != line.rstrip():
                yield f"{path}:{number}: blanks at the end of the line"
            if "\t" in line and "Makefile" not in path and not path.endswith(".go"):
                yield f"{path}:{number}: a tab; indent with spaces"
        if text and (not text.endswith("\n") or text.endswith("\n\n")):
            yield f"{path}:{text.count(chr(10))}: the file does not end in exactly one newline"


def machine_paths(tree):
    """No path of the machine where something was built or written."""
    machine = re.compile(r"(?<![\w.-])/(?:work|home|root|tmp/b)[/\w-]*")
    for path in tree.all:
        for number, line in enumerate(tree.text(path).splitlines(), start=1):
            for found in machine.findall(line):
                yield f"{path}:{number}: {found} is a path of one machine; write it relative to the tree"
