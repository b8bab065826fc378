"""tools.py - what the compiler, clang-format and Python say about single files."""
import os
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor

# Nobody but a check asks the Makefile for this, so the rule stands here.
PRINT_RULE = ("print: ; @:$(info $(COMPILE) $(WARNINGS) $(GEN_DIRS))"
              "$(info $(GENERATED:%=$(BUILD)/gen/%/stamp))")


def compile_command(root, build):
    """The words with which the Makefile compiles a file, without the file; makes the headers
    that are generated."""
    make = ["make", "-s", f"BUILD={build}"]
    said = subprocess.run([*make, f"--eval={PRINT_RULE}", "print"], cwd=root,
                          stdout=subprocess.PIPE, text=True, check=True)
    command, generated = said.stdout.splitlines()
    if generated:
        subprocess.run([*make, *generated.split()], cwd=root, stdout=subprocess.PIPE, check=True)
    return shlex.split(command)


def headers_compile_alone(tree):
    """Every header can be the first include of a file."""
    command = compile_command(tree.root, os.environ.get("BUILD", "build"))

    def complaints(path):
        return run(tree, [*command, "-fsyntax-only", "-x", "c", "-"], f'#include "{path}"\n')

    yield from first_lines(tree.paths(".h"), complaints, "does not compile alone")


def formatted(tree):
    """Every C file is as clang-format would write it."""

    def complaints(path):
        return run(tree, ["clang-format", "--dry-run", "-Werror", path])

    yield from first_lines(tree.paths(".c", ".h"), complaints, "run clang-format -i on it")


def run(tree, command, text=""):
    done = subprocess.run(command, cwd=tree.root, input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout if done.returncode != 0 else ""


def first_lines(paths, complaints, what):
    """One problem for each file that a program complains about: its first error."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, output in zip(paths, pool.map(complaints, paths)):
            if output:
                error = re.search(r"^\S+?:(\d+):\d+: (?:fatal )?error: (.*)", output, re.MULTILINE)
                where, why = error.groups() if error else (1, output.strip())
                yield f"{path}:{where}: {what}: {why}"


def python_compiles(tree):
    """Every Python file, with or without an ending, is Python."""
    for path in tree.all:
        text = tree.text(path)
        if path.endswith(".py") or re.match(r"#!.*python", text):
            try:
                compile(text, path, "exec")
            except SyntaxError as error:
                yield f"{path}:{error.lineno}: {error.msg}"
