"""What a hook checks of the text files that a commit changes, and a test of all: line ends, and that data can be read.

It stands here because the usual hooks are fetched from the network.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.packaging.environments import ROOT

TEXT = {".cfg", ".css", ".html", ".json", ".md", ".py", ".rst", ".toml", ".txt", ".yaml", ".yml"}
NAMES = {".gitignore", "Makefile", "run"}
READ: dict[str, Callable[[str], Any]] = {
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".yaml": yaml.safe_load,
    ".yml": yaml.safe_load,
}
_CONFLICT = ("<<<<<<< ", ">>>>>>> ")


def tracked_files() -> list[Path]:
    """The files that git knows."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def problems(files: Iterable[Path]) -> Iterator[str]:
    """What is wrong with the text files among these, one line each."""
    for file in files:
        if file.suffix in TEXT or file.name in NAMES:
            yield from (f"{file}: {problem}" for problem in _of_text(file.read_bytes().decode(), file.suffix))


def _of_text(text: str, suffix: str) -> Iterator[str]:
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        yield "does not end in exactly one line end"
    if "\r" in text:
        yield "has a carriage return"
    for number, line in enumerate(text.split("\n"), start=1):
        if line != line.rstrip():
            yield f"line {number} ends in blanks"
        if line.startswith(_CONFLICT):
            yield f"line {number} is the mark of a merge conflict"
    if suffix in READ:
        try:
            READ[suffix](text)
        except (ValueError, yaml.YAMLError) as error:
            yield f"cannot be read: {error}"


def main(arguments: list[str]) -> int:
    """Check the files that the arguments name, or all; the exit status is 1 if anything is wrong."""
    found = list(problems([Path(argument) for argument in arguments] or tracked_files()))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
