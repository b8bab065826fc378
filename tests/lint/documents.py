"""documents.py - what a reader finds in each folder."""
import os

from source import folder_of

README_LINES = 40


def readmes(tree):
    """Every folder is explained, by its own README.md or by a line of the one above that names it."""
    folders = {parent for path in tree.all for parent in parents(path)}
    for folder in sorted(folders):
        own, above = f"{folder}/README.md", os.path.join(folder_of(folder), "README.md")
        name = os.path.basename(folder) + "/"
        if own in tree.all or (above in tree.all and name in tree.text(above)):
            continue
        yield f"{own}:1: does not exist, and {above} does not mention {name}"
    for path in tree.paths("/README.md"):
        lines = tree.text(path).count("\n")
        if lines >= README_LINES:
            yield f"{path}:{README_LINES}: {lines} lines; a folder is explained in under {README_LINES}"


def parents(path):
    """The folders that hold a file, hidden ones left out."""
    folder = folder_of(path)
    while folder and not folder.startswith("."):
        yield folder
        folder = folder_of(folder)
