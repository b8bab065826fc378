"""source.py - the tree that the checks read, and what all of them need of C."""
import fnmatch
import os
import re
from pathlib import Path

COMMENT = r"/\*.*?\*/|//[^\n]*"
STRING = r'"(?:\\.|[^"\\\n])*"|' + r"'(?:\\.|[^'\\\n])*'"
TOKENS = re.compile(f"(?P<comment>{COMMENT})|(?P<string>{STRING})", re.DOTALL)


class Tree:
    """The text files below a folder: all but .git and what its .gitignore names.

    Read from the file system, so that it works before a commit and in an unpacked archive."""

    def __init__(self, root):
        self.root = Path(root)
        ignore = self.root / ".gitignore"
        self.ignored = [".git/"] + (ignore.read_text().split() if ignore.exists() else [])
        self.texts = dict(sorted(self._read()))
        self.all = list(self.texts)

    def _read(self):
        for path in self._walk():
            content = (self.root / path).read_bytes()
            if b"\0" not in content:  # else it is no text
                yield path, content.decode()

    def _walk(self):
        for folder, below, names in os.walk(self.root):
            here = Path(folder).relative_to(self.root)
            below[:] = [name for name in below if not self._is_ignored(here / name)]
            yield from ((here / name).as_posix() for name in names)

    def _is_ignored(self, folder):
        """The two forms of line that .gitignore has: `name/` anywhere and `/name/` at the root."""
        return any(fnmatch.fnmatch(f"/{folder}/" if line.startswith("/") else f"{folder.name}/", line)
                   for line in self.ignored)

    def paths(self, *endings):
        """The files whose names end so; all files without an ending."""
        return [path for path in self.all if path.endswith(endings or "")]

    def text(self, path):
        return self.texts[path]

    def code(self, path):
        """The text with comments and the insides of strings blanked; lines and columns stay."""
        return TOKENS.sub(lambda token: blank(token.group()), self.text(path))

    def without_comments(self, path):
        return TOKENS.sub(lambda token: blank(token.group()) if token["comment"] else token.group(),
                          self.text(path))


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def folder_of(path):
    return os.path.dirname(path)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1
