"""The data card of a training set, as Markdown and as a page with plots. Both are made of its record alone."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Sequence

from airflow_provider_encord.plots import histogram, stacked_bars
from airflow_provider_encord.training.record import LEFT_OUT, TrainingSet

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:left;border-bottom:1px solid #ddd}"
    "svg{max-width:100%;height:auto;font:12px system-ui,sans-serif;fill:#222}.number{text-align:right}"
)
_PARQUET = "parquet"


def card_of(record: TrainingSet) -> str:
    """The data card as Markdown."""
    return "\n".join([*_for_datasets(record), *_markdown(record)]) + "\n"


def page_of(record: TrainingSet) -> str:
    """The data card as a page in HTML that needs nothing else."""
    return "\n".join(_page(record)) + "\n"


def _for_datasets(record: TrainingSet) -> Iterator[str]:
    """What the library ``datasets`` reads of a card: which files a split has."""
    if record.format == _PARQUET:
        yield "---"
        yield "configs:"
        yield "- config_name: default"
        yield "  data_files:"
        for name, counts in record.splits.items():
            if counts.images:
                yield f'  - split: "{name}"'
                yield f'    path: "data/{name}-*"'
        yield "---"
        yield ""


def _facts(record: TrainingSet) -> list[tuple[str, str]]:
    return [
        ("Form", record.format),
        ("Encord project", record.project_id),
        ("Label branch", record.branch or "all"),
        ("Last edit of the labels", record.watermark or "none"),
        ("Export", record.labels),
        ("Images", str(record.images)),
        ("Labels", str(record.objects)),
        ("Split by", record.split_by),
        *([("Stratified by", record.stratify_by)] if record.stratify_by else []),
        *(("Filter: " + name, json.dumps(value, ensure_ascii=False)) for name, value in record.filters.items()),
        ("Fingerprint", record.fingerprint),
    ]


def _rows(record: TrainingSet) -> Iterator[tuple[str, list[int]]]:
    """Names and a number for each split."""
    splits = list(record.splits.values())
    yield "images", [counts.images for counts in splits]
    yield "images without labels", [counts.empty_images for counts in splits]
    for name in record.classes:
        yield name, [counts.objects.get(name, 0) for counts in splits]


def _markdown(record: TrainingSet) -> Iterator[str]:
    yield "# Training set"
    yield ""
    yield from _markdown_table(("", ""), [(name, [_escaped(value)]) for name, value in _facts(record)])
    yield "## Classes and splits"
    yield ""
    head = ("", *record.splits, "all")
    rows = [(_escaped(name), [*map(str, numbers), str(sum(numbers))]) for name, numbers in _rows(record)]
    yield from _markdown_table(head, rows)
    yield "## Left out"
    yield ""
    if not record.left_out:
        yield "Nothing was left out."
        return
    yield f"`{LEFT_OUT}` lists each of them."
    yield ""
    yield from _markdown_table(
        ("reason", "labels"), [(_escaped(reason), [str(number)]) for reason, number in record.left_out.items()]
    )


def _markdown_table(head: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for name, values in rows:
        yield f"| {' | '.join([name, *values])} |"
    yield ""


def _escaped(text: str) -> str:
    """A text that is no Markdown, on one line of a table."""
    for character in "\\`*_[]<>|#":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())


def _page(record: TrainingSet) -> Iterator[str]:
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Training set</title>'
    yield f"<style>{_STYLE}</style></head><body><h1>Training set</h1><table>"
    for name, value in _facts(record):
        yield f"<tr><th>{name}</th><td>{html.escape(value)}</td></tr>"
    yield "</table>"
    heads = "".join(f"<th>{html.escape(name)}</th>" for name in record.splits)
    yield f"<h2>Classes and splits</h2><table><tr><th></th>{heads}</tr>"
    for name, numbers in _rows(record):
        cells = "".join(f'<td class="number">{number}</td>' for number in numbers)
        yield f"<tr><th>{html.escape(name)}</th>{cells}</tr>"
    yield "</table>"
    yield from _plots(record)
    yield "<h2>Left out</h2>"
    if not record.left_out:
        yield "<p>Nothing was left out.</p></body></html>"
        return
    yield "<table>"
    for reason, number in record.left_out.items():
        yield f'<tr><th>{html.escape(reason)}</th><td class="number">{number}</td></tr>'
    yield "</table></body></html>"


def _plots(record: TrainingSet) -> Iterator[str]:
    classes = {name: [counts.objects.get(name, 0) for counts in record.splits.values()] for name in record.classes}
    yield "<h2>Labels of each class</h2>"
    yield from stacked_bars("classes", "Number of labels of each class in each split", list(record.splits), classes)
    if record.image_sizes:
        yield "<h2>Sizes of images</h2>"
        about = "Images by the longer side in pixels"
        yield from histogram("images", "Sizes of images", about, record.image_sizes)
    if record.box_sizes:
        yield "<h2>Sizes of boxes</h2>"
        about = "Boxes by the side of a square with their area, in pixels"
        yield from histogram("boxes", "Sizes of boxes", about, record.box_sizes)
