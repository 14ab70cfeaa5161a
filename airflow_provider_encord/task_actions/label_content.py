"""What the labels of a data unit contain: classes, and annotators."""

from __future__ import annotations

import collections
from collections.abc import Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.api.labels import LabelRow
from airflow_provider_encord.exports.formats.annotations import Annotation, annotations_of, readable

CLASS = "class"
ANNOTATOR = "annotator"


def classes_in(row: Mapping[str, Any]) -> set[str]:
    """The names of the objects and classifications of a label row.

    :raises UnexpectedResponseError: The row does not have the form of Encord's label rows; the error names it.
    """
    return {label.name for label in _labels(row).values() if label.name is not None}


def most_frequent(row: Mapping[str, Any], stratify_by: str) -> str | None:
    """The most frequent class, or annotator, of a label row; of several, the first by name.

    :raises UnexpectedResponseError: The row does not have the form of Encord's label rows; the error names it.
    """
    counts: collections.Counter[str] = collections.Counter()
    for label in _labels(row).values():
        value = label.name if stratify_by == CLASS else label.created_by
        if value is not None:
            counts[str(value)] += 1
    return min(counts, key=lambda name: (-counts[name], name), default=None)


def _labels(row: Mapping[str, Any]) -> dict[tuple[str, str], Annotation]:
    """The objects and classifications of a label row, without deleted ones; each once, as on its last frame."""
    ids = LabelRow(label_hash=str(row.get("label_hash")), data_hash=str(row.get("data_hash")), content=msgspec.Raw())
    with readable(ids):
        return {(item.kind, item.hash): item for item in annotations_of(row) if isinstance(item, Annotation)}
