"""includes.py - who may include what: the rules are lines of include.rules."""
import os
import re

from source import folder_of, line_of

RULES = "tests/lint/include.rules"
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.MULTILINE)
ANYTHING = "*"


def included(tree, path):
    """(line, is it quoted, name) of every include of a file, in order."""
    text = tree.text(path)
    return [(line_of(text, match.start()), match[1] == '"', match[2])
            for match in INCLUDE.finditer(text)]


def read_rules(tree):
    """folder -> folders it may include from, and <prefix of outside headers -> folders."""
    inside, outside = {}, {}
    for line in tree.text(RULES).splitlines():
        if not line or line.startswith("#"):
            continue
        left, _, right = line.partition(":")
        rules = outside if left.startswith("<") else inside
        rules[left.strip().lstrip("<")] = right.split()
    return inside, outside


def generated_headers(tree):
    """The names of the headers that `thrift --gen c_glib` makes of the .thrift files."""
    names = set()
    for path in tree.paths(".thrift"):
        text = tree.without_comments(path)
        namespace = re.search(r"^namespace\s+c_glib\s+(\w+)", text, re.MULTILINE)
        prefix = namespace[1] + "_" if namespace else ""
        names.add(prefix + os.path.basename(path).removesuffix(".thrift") + "_types.h")
        for service in re.findall(r"^service\s+(\w+)", text, re.MULTILINE):
            names.add(prefix + re.sub(r"(?<!^)([A-Z])", r"_\1", service).lower() + ".h")
    return names


def include_directions(tree):
    """Folders include only what include.rules lets them."""
    inside, outside = read_rules(tree)
    generated = generated_headers(tree)
    for path in tree.paths(".c", ".h"):
        folder = folder_of(path)
        if folder not in inside:
            yield f"{path}:1: folder {folder}/ has no line in {RULES}"
            continue
        for line, quoted, name in included(tree, path):
            if quoted:
                refusal = refuse_inside(folder, name, inside[folder], generated)
            else:
                refusal = refuse_outside(folder, name, outside)
            if refusal:
                yield f"{path}:{line}: {refusal}"


def refuse_inside(folder, name, allowed, generated):
    if name in generated or ANYTHING in allowed or folder_of(name) in [folder, *allowed]:
        return None
    if "/" not in name:
        return f'"{name}" is not generated from a .thrift file; write {folder}/{name}'
    return f'{folder}/ may not include "{name}"; {RULES} allows it {" ".join(allowed) or "nothing"}'


def refuse_outside(folder, name, outside):
    for prefix, folders in outside.items():
        if name.startswith(prefix) and folder not in folders:
            return f"{folder}/ may not include <{name}>; {RULES} allows that in {' '.join(folders)}"
    return None


def own_header_first(tree):
    """x.c includes x.h before anything else, which shows that x.h needs nothing before it."""
    for path in tree.paths(".c"):
        own = path.removesuffix(".c") + ".h"
        includes = included(tree, path)
        if own in tree.all and includes and includes[0][2] != own:
            yield f'{path}:{includes[0][0]}: the first include is not its own header "{own}"'
