"""The words that `make check` refuses in messages, docstrings, comments and documents.

They belong to no text that Airflow's or Encord's documentation would print. A line that quotes one on purpose ends with
a comment that says so: ``quoted``.
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHECKED = (
    *(
        "airflow_provider_encord",
        "benchmarks",
        "demo",
        "docs",
        "emulator",
        "example_dags",
        "newsfragments",
        "playground",
    ),
    "tests",
    "*.md",
)
WORDS = (
    "told",  # quoted
    "tells",  # quoted
    "anew",  # quoted
    "whoever",  # quoted
    "nobody",  # quoted
    "there is none",  # quoted
    "what there is",  # quoted
    "became of",  # quoted
    "came to",  # quoted
    "comes to",  # quoted
    "under way",  # quoted
    "gone on with",  # quoted
    "goes on with",  # quoted
    "the try before",  # quoted
    "the export before",  # quoted
    "fares",  # quoted
    "so for",  # quoted
    "may be had",  # quoted
    "put on each other",  # quoted
    "one by one",  # quoted
    "of one's own",  # quoted
    "for good",  # quoted
    "in its own",  # quoted
    "Surprise",  # quoted
)
QUOTED = "# quoted"
_WORDS = re.compile(r"\b(" + "|".join(WORDS).replace(" ", r"[\s#]+") + r")\b", re.IGNORECASE)


def found_in(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that have one of the words, with the word.

    :param path: A Python file, of which strings, comments and names of tests count; or a document, which counts whole.
    """
    text = path.read_text()
    for line, part in _parts(text) if path.suffix == ".py" else [(1, text)]:
        for match in _WORDS.finditer(part):
            number = line + part.count("\n", 0, match.start())
            if QUOTED not in text.splitlines()[number - 1]:
                yield number, match[0]


def _parts(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.STRING, tokenize.COMMENT) or tokenize.tok_name[token.type] == "FSTRING_MIDDLE":
            yield token.start[0], token.string
        elif token.type == tokenize.NAME and token.string.startswith("test_"):
            yield token.start[0], token.string.replace("_", " ")


def checked_files() -> list[Path]:
    """Every file that is checked."""
    places = [place for name in CHECKED for place in ROOT.glob(name)]
    return [
        file
        for place in places
        for file in ([place] if place.is_file() else sorted(place.rglob("*")))
        if file.suffix in (".py", ".md")
    ]


def main() -> int:
    """Print what is found; the exit status says whether anything was."""
    found = [f"{file.relative_to(ROOT)}:{line}: {word}" for file in checked_files() for line, word in found_in(file)]
    print("\n".join([*found, f"{len(found)} words of no plain English in {len(checked_files())} files"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
