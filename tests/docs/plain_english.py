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
CHECKED = ("airflow_provider_encord", "benchmarks", "demo", "docs", "example_dags", "*.md")
WORDS = (
    *("told", "tells", "anew", "whoever", "nobody", "there is none", "what there is", "became of", "came to"),
    *("comes to", "under way", "gone on with", "goes on with", "the try before", "the export before", "fares"),
    *("so for", "may be had", "put on each other", "one by one", "of one's own", "for good", "in its own", "Surprise"),
)
QUOTED = "# quoted"
_WORDS = re.compile(r"\b(" + "|".join(WORDS).replace(" ", r"[\s#]+") + r")\b", re.IGNORECASE)


def found_in(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that have one of the words, with the word.

    :param path: A Python file, of which strings and comments count, or a document, which counts whole.
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
