"""The diagrams and plots of the documentation, as SVG made from text: ``python -m tests.docs.diagrams`` writes them.

They need no other file and no font, are readable where a page is 400 pixels wide, and follow the reader's choice of
light or dark. Each brings its own background, because a page may be of the other kind.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from tests.docs.blocks import CHECKOUT, DOCS

PICTURES = DOCS / "images"
FIGURES = CHECKOUT / "benchmarks" / "README.md"
WIDTH = 480
LINE = 18  # height of a line of text
STYLE = """
text { font: 14px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #1f2730; }
.title { font-weight: 600; }
.small { font-size: 12.5px; fill: #4a5561; }
.ground { fill: #ffffff; }
.box { fill: #eef2f6; stroke: #8a97a5; }
.frame { fill: none; stroke: #8a97a5; stroke-dasharray: 4 4; }
.ours { fill: #dcebff; stroke: #4a86d8; }
.kill { fill: #fdeceb; stroke: #d0645c; }
.line { fill: none; stroke: #5b6672; stroke-width: 1.5; }
.head { fill: #5b6672; }
.bar { fill: #4a86d8; }
.other { fill: #b6bfc9; }
@media (prefers-color-scheme: dark) {
  text { fill: #e3e8ee; }
  .small { fill: #b3bdc8; }
  .ground { fill: #14181d; }
  .box { fill: #242b33; stroke: #6d7a88; }
  .frame { stroke: #6d7a88; }
  .ours { fill: #1d3557; stroke: #5f9bea; }
  .kill { fill: #452321; stroke: #d9776f; }
  .line { stroke: #a3afbb; }
  .head { fill: #a3afbb; }
  .bar { fill: #5f9bea; }
  .other { fill: #5f6b78; }
}
""".strip()


@dataclasses.dataclass(frozen=True)
class Box:
    """A box with lines of text, of which the first is its title.

    :param kind: Its class in `STYLE`.
    """

    x: int
    y: int
    width: int
    height: int
    lines: Sequence[str]
    kind: str = "box"

    def svg(self) -> str:
        """The box and its text."""
        first = self.y + 22
        texts = [
            _text(self.x + 12, first + number * LINE, line, "title" if number == 0 else "small")
            for number, line in enumerate(self.lines)
        ]
        return "\n".join([_rectangle(self.x, self.y, self.width, self.height, self.kind), *texts])


@dataclasses.dataclass(frozen=True)
class Arrow:
    """A straight arrow with a text beside it.

    :param both: Whether it points to both ends.
    """

    start: tuple[int, int]
    end: tuple[int, int]
    text: str = ""
    both: bool = False

    def svg(self) -> str:
        """The line, its heads and its text."""
        (x1, y1), (x2, y2) = self.start, self.end
        heads = 'marker-end="url(#head)"' + (' marker-start="url(#head)"' if self.both else "")
        line = f'<line class="line" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" {heads}/>'
        return line + (_text((x1 + x2) // 2 + 10, (y1 + y2) // 2, self.text, "small") if self.text else "")


def architecture() -> str:
    """The parts, and what passes between them."""
    return _picture(
        "Architecture",
        "The DAG processor imports only operators. On a worker an operator asks the hook for a client, which signs "
        "requests to Encord. The worker writes files to your storage. The triggerer waits for jobs.",
        414,
        [
            Box(12, 12, 456, 242, ["Airflow"], "frame"),
            Box(26, 46, 204, 70, ["DAG processor", "imports operators only;", "no HTTP library, no SDK"]),
            Box(250, 46, 204, 70, ["Connection, XCom", "the credential;", "ids, counts and URIs"]),
            Box(
                26,
                136,
                204,
                98,
                ["Worker", "operator: what to do", "hook: connection, masking", "client: checks, signs, retries"],
                "ours",
            ),
            Box(
                250, 136, 204, 98, ["Triggerer", "waits for long jobs", "with the same client,", "asynchronous"], "ours"
            ),
            Box(26, 330, 204, 72, ["Your storage", "labels, manifests, reports:", "disk, S3, GCS, Azure, ..."]),
            Box(250, 330, 204, 72, ["Encord", "api.encord.com", "or the emulator"]),
            Arrow((80, 238), (80, 326), "files", both=True),
            Arrow((205, 238), (270, 326), "signed requests", both=True),
            Arrow((400, 238), (400, 326), "polls", both=True),
        ],
    )


EXPORT_STEPS = (
    ("1  List the rows", "Encord is asked once.", "Nothing is written:", "a retry starts over."),
    ("2  plan.json", "Says who owns the directory.", "An owner without rows:", "a retry makes a new plan."),
    ("3  listing-*, plan-*", "What to read, in order.", "The plan is complete:", "a retry goes by it."),
    ("4  labels-*, part-*", "Files, and how far they are.", "Complete files stay;", "the other rows are read."),
    ("5  manifest.json", "Now the export is complete.", "All files are there:", "a retry writes it."),
    ("6  Tidy up", "plan*.json and part-* go.", "The export is complete:", "a retry tidies up."),
)
"""Title and meaning of a step; what a task that is killed before the end of it leaves, and what the retry does."""


def life_of_an_export() -> str:
    """The steps of an export, and what a retry does after a kill at each."""
    height, gap = 52, 22
    parts: list[Box | Arrow] = []
    for number, (title, meaning, left, retry) in enumerate(EXPORT_STEPS):
        y = 44 + number * (height + gap)
        parts += [
            Box(12, y, 222, height, [title, meaning], "ours"),
            Box(256, y, 212, height, [left, retry], "kill"),
        ]
        if number:
            parts.append(Arrow((123, y - gap + 2), (123, y - 4)))
    heads = [_text(12, 30, "Step", "title"), _text(256, 30, "Killed here", "title")]
    text = "Six steps of an export. " + " ".join(f"{step[0]}: {step[2]} {step[3]}" for step in EXPORT_STEPS)
    return _picture("Life of an export", text, 44 + len(EXPORT_STEPS) * (height + gap), parts, heads)


def figures(heading: str, unit: str, size: str) -> dict[str, float]:
    """Figures of the benchmarks, by contender.

    :param heading: Of the section.
    :param unit: Head of the column.
    :param size: Cell of the second column.
    """
    section = FIGURES.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    column = table[0].index(unit)
    rows = [row for row in table[2:] if row[1] == size]
    return {row[0]: float(re.sub(r"[^\d.]", "", row[column])) for row in rows}


def rows_per_second() -> str:
    """Export of 10,000 rows: speed."""
    return _bars("Export of 10,000 label rows: rows per second", "rows per second", "higher is better")


def peak_memory() -> str:
    """Export of 10,000 rows: memory."""
    return _bars("Export of 10,000 label rows: peak memory, MB", "peak memory, MB", "lower is better")


def _bars(title: str, unit: str, better: str) -> str:
    values = figures("What an export costs", unit, "10,000")
    most, room = max(values.values()), 250
    parts = [_text(12, 28, title, "title"), _text(12, 46, better, "small")]
    for number, (name, value) in enumerate(values.items()):
        y = 62 + number * 34
        width, kind = max(2, round(value / most * room)), "bar" if name == "ours" else "other"
        parts += [
            _text(12, y + 17, name if name != "ours" else "this provider"),
            f'<rect class="{kind}" x="124" y="{y}" width="{width}" height="24" rx="3"/>',
            _text(124 + width + 8, y + 17, f"{value:,.0f}"),
        ]
    text = f"{title}, {better}: " + ", ".join(f"{name} {value:,.0f}" for name, value in values.items())
    return _picture(title, text, 62 + len(values) * 34 + 8, [], parts)


def _picture(title: str, text: str, height: int, parts: Iterable[Box | Arrow], more: Sequence[str] = ()) -> str:
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'role="img" aria-labelledby="title text">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="text">{escape(text)}</desc>',
        f"<style>\n{STYLE}\n</style>",
        '<defs><marker id="head" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path class="head" d="M0 0 10 5 0 10z"/></marker></defs>',
        f'<rect class="ground" width="{WIDTH}" height="{height}" rx="8"/>',
        *(part.svg() for part in parts),
        *more,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _rectangle(x: int, y: int, width: int, height: int, kind: str) -> str:
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>'


def _text(x: int, y: int, text: str, kind: str = "") -> str:
    return f'<text x="{x}" y="{y}"{f" class={chr(34)}{kind}{chr(34)}" if kind else ""}>{escape(text)}</text>'


DIAGRAMS = {
    "architecture.svg": architecture,
    "life-of-an-export.svg": life_of_an_export,
    "export-rows-per-second.svg": rows_per_second,
    "export-memory.svg": peak_memory,
}


def write_diagrams(folder: Path = PICTURES) -> None:
    """Write all of them."""
    for name, make in DIAGRAMS.items():
        (folder / name).write_text(make())


if __name__ == "__main__":
    write_diagrams()
