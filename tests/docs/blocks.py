"""The code blocks of the README and of ``docs/``, and what the comment above each says about running it.

A block is a fence of backticks with a language. A comment right above it (HTML, so that no reader sees it) may say:

``<!-- not run: reason -->``    it cannot be run here
``<!-- file: path -->``         it is the content of this file, which a later block of the page uses
``<!-- result: task -->``       it is the shape of what this task returned, in the last run of the page
``<!-- checked: what -->``      a test of its own looks at it, by this name
``<!-- output -->``             each line stands in what the block before it printed; ``...`` stands for anything
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
DOCS = CHECKOUT / "docs"
DOCUMENTS = [CHECKOUT / "README.md", *sorted(DOCS.rglob("*.md"))]

_OPENING = re.compile(r"(?P<indent> *)(?P<fence>`{3,})(?P<info>.*)")
_MARKER = re.compile(r"<!-- (?P<name>not run|file|result|output|checked)(?:: (?P<value>.+?))? -->")
DIRECTIVE = re.compile(r"\{[\w:-]+\}.*")


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block.

    :param line: Of its opening fence, from 1.
    :param language: What follows the fence: a language, or a directive of Sphinx, or nothing.
    :param marker: What the comment above it says, and its value.
    """

    document: Path
    line: int
    language: str
    text: str
    marker: str = ""
    value: str = ""

    def __str__(self) -> str:
        return f"{self.document.relative_to(CHECKOUT)}:{self.line}"

    @property
    def is_directive(self) -> bool:
        """Whether it is an instruction to Sphinx, and no code."""
        return DIRECTIVE.fullmatch(self.language) is not None

    @property
    def runs(self) -> bool:
        """Whether it is to be run."""
        return self.marker != "not run" and not self.is_directive


def blocks_of(document: Path) -> list[Block]:
    """The blocks of a document, in order."""
    return list(_blocks(document, document.read_text()))


def all_blocks() -> list[Block]:
    """The blocks of all documents."""
    return [block for document in DOCUMENTS for block in blocks_of(document)]


def _blocks(document: Path, text: str) -> Iterator[Block]:
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        opening = _OPENING.fullmatch(lines[number])
        if opening is None:
            number += 1
            continue
        end = _end(document, lines, number, opening["fence"])
        marker = _MARKER.fullmatch(lines[number - 1].strip()) if number else None
        content = [line.removeprefix(opening["indent"]) for line in lines[number + 1 : end]]
        yield Block(
            document=document,
            line=number + 1,
            language=opening["info"].strip(),
            text="\n".join([*content, ""]),
            marker=marker["name"] if marker else "",
            value=(marker["value"] or "").strip() if marker else "",
        )
        number = end + 1


def _end(document: Path, lines: list[str], start: int, fence: str) -> int:
    for number in range(start + 1, len(lines)):
        if lines[number].strip() == fence:
            return number
    raise ValueError(f"{document}:{start + 1}: this block does not end.")
