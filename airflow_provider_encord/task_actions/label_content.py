"""What the labels of a data unit contain: classes, and annotators."""

from __future__ import annotations

import collections
from collections.abc import Iterator, Mapping
from typing import Any

CLASS = "class"
ANNOTATOR = "annotator"


def classes_in(row: Mapping[str, Any]) -> set[str]:
    """The names of the objects and classifications of a label row."""
    return {str(label["name"]) for label in _labels(row) if label.get("name") is not None}


def most_frequent(row: Mapping[str, Any], stratify_by: str) -> str | None:
    """The most frequent class, or annotator, of a label row; of several, the first by name."""
    field = "name" if stratify_by == CLASS else "createdBy"
    found: dict[str, str] = {}
    for label in _labels(row):
        value = label.get(field)
        if value is not None:
            found[str(label.get("objectHash") or label.get("classificationHash") or id(label))] = str(value)
    counts = collections.Counter(found.values())
    return min(counts, key=lambda name: (-counts[name], name), default=None)


def _labels(row: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All objects and classifications of a label row; of a video, those of each frame."""
    for unit in (row.get("data_units") or {}).values():
        labels = unit.get("labels") or {}
        frames = [labels] if "objects" in labels or "classifications" in labels else list(labels.values())
        for frame in frames:
            yield from frame.get("objects") or ()
            yield from frame.get("classifications") or ()
