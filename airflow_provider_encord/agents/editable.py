"""The labels of a row as an object to edit, by the names of the ontology."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_encord.prelabels.build import labels_from
from airflow_provider_encord.prelabels.features import Features
from airflow_provider_encord.prelabels.labels import Labels, labels_of, put, substance
from airflow_provider_encord.prelabels.merging import hashes_of, merge
from airflow_provider_encord.prelabels.sources import Prelabel


class EditableLabels:
    """The labels of a label row. An agent's changes are saved when its function returns a result.

    :param row: The label row as Encord sent it. It is not changed.
    :param features: The features of the project's ontology.
    :param frames: Number of frames of the data unit; None if it is not known.
    """

    def __init__(self, row: Mapping[str, Any], features: Features, frames: int | None = None):
        self._row, self._features, self._frames = row, features, frames
        self._labels = labels_of(row)

    def __repr__(self) -> str:
        return f"EditableLabels({self._row.get('data_title')!r}, {self._labels.count} labels)"

    def __len__(self) -> int:
        return self._labels.count

    @property
    def changed(self) -> bool:
        """Whether the labels differ from those that were read."""
        return bool(substance(self._labels) != substance(labels_of(self._row)))

    @property
    def content(self) -> Labels:
        """The present labels; internal."""
        return self._labels

    def row(self) -> dict[str, Any]:
        """Return the complete label row with the present labels, as JSON."""
        return put(self._row, copy.deepcopy(self._labels), datetime.datetime.now(datetime.UTC))

    def add_object(
        self,
        feature: str,
        *,
        frame: int = 0,
        id: Any = None,  # noqa: A002 - the name in the short form
        confidence: float = 1.0,
        answers: Mapping[str, Any] | None = None,
        **geometry: Any,
    ) -> None:
        """Add an object, or the drawing of an object on another frame.

        :param feature: Name or feature hash of the object in the ontology.
        :param frame: Number of the frame, from 0.
        :param id: Identifies the object, such as the number of a track: with the same id and feature, it is one object
            on several frames. Default: the content identifies it.
        :param confidence: From 0 to 1.
        :param answers: The answers to its attributes, by their names.
        :param geometry: One geometry that matches the shape, such as ``boundingBox={"x": 0.1, "y": 0.2, "w": 0.3, "h":
            0.4}``, with fractions of width and height.
        :raises ValueError: The object does not match the ontology or the data unit.
        """
        entry = {"feature": feature, "frame": frame, "id": id, "confidence": confidence, **geometry}
        if answers is not None:
            entry["answers"] = dict(answers)
        self._replace(self._built({"objects": [entry]}))

    def add_classification(
        self,
        feature: str,
        answer: Any = None,
        *,
        answers: Mapping[str, Any] | None = None,
        frames: Sequence[Sequence[int]] | None = None,
        confidence: float = 1.0,
    ) -> None:
        """Set a classification. It replaces another answer to the same classification on these frames.

        :param feature: Name or feature hash of the classification in the ontology.
        :param answer: The answer: text, a number, or the labels of options.
        :param answers: The answers by attribute, instead of `answer`.
        :param frames: First and last frames, such as ``[[0, 9]]``. Default: the first frame.
        :param confidence: From 0 to 1.
        :raises ValueError: The classification does not match the ontology or the data unit.
        """
        entry: dict[str, Any] = {"feature": feature, "answer": answer, "confidence": confidence}
        if answers is not None:
            entry["answers"] = dict(answers)
        if frames is not None:
            entry["frames"] = [list(pair) for pair in frames]
        self._replace(self._built({"classifications": [entry]}))

    def clear(self) -> None:
        """Remove all labels, also those of people."""
        self._labels = Labels()

    def add_missing(self, labels: Mapping[str, Any]) -> int:
        """Add labels in the short form of `EncordImportLabelsOperator`. Existing labels are not changed.

        :param labels: ``{"objects": [...], "classifications": [...]}``.
        :return: The number of these labels that exist with another content, which is kept.
        :raises WrongLabelsError: The labels do not match the ontology or the data unit.
        """
        merged = merge(self._labels, self._built(labels), ours=())
        self._labels = merged.labels
        return len(merged.kept)

    def _built(self, short: Mapping[str, Any]) -> Labels:
        data_hash = str(self._row.get("data_hash"))
        line = Prelabel(place="", content={**short, "data_hash": data_hash})
        return labels_from(line, self._features, data_hash, self._frames)

    def _replace(self, added: Labels) -> None:
        self._labels = merge(self._labels, added, ours=hashes_of(self._labels)).labels
