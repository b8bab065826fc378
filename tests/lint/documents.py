"""documents.py - what a reader finds in each folder."""
import os

from source import folder_of

README_LINES = 40


def readmes(tree):
    """Every folder has a README.md of under 40 lines; one further down may be named by that above."""
    folders = {parent for path in tree.all for parent in parents(path)}
    for folder in sorted(folders):
        above, name = os.path.split(folder)
        explained_above = above and f"{name}/" in tree.texts.get(f"{above}/README.md", "")
        if f"{folder}/README.md" not in tree.all and not explained_above:
            yield f"{folder}/README.md:1: does not exist, nor is {name}/ named by the README.md above"
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
