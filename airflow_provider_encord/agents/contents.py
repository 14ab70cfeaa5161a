"""What a result makes of a label row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from airflow_provider_encord.agents.editable import EditableLabels
from airflow_provider_encord.agents.inputs import Prepared
from airflow_provider_encord.attempts import fingerprint
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.prelabels.features import Features
from airflow_provider_encord.prelabels.labels import Labels, content_of, labels_of


class NewRow(msgspec.Struct, frozen=True, kw_only=True):
    """A label row to save.

    :param kept: Number of labels of the result that exist in the row with another content, which is kept.
    """

    row: dict[str, Any]
    kept: int = 0


def new_row(prepared: Prepared, labels: Any, features: Callable[[], Features]) -> NewRow:
    """Make the label row to save.

    :param prepared: The task with its label row.
    :param labels: `AgentResult.labels`.
    :param features: Reads the features of the ontology. Called only for the short form.
    :raises InvalidArgumentError: It is the label row of another data unit.
    :raises WrongLabelsError: The labels do not match the ontology.
    """
    if isinstance(labels, EditableLabels):
        return NewRow(row=labels.row())
    there = prepared.label_row() or {}
    if "data_units" in labels:
        return NewRow(row=_complete(there, labels))
    editable, kept = _added(prepared, labels, features)
    return NewRow(row=editable.row(), kept=kept)


def _added(
    prepared: Prepared, labels: Mapping[str, Any], features: Callable[[], Features]
) -> tuple[EditableLabels, int]:
    """The labels with those of the short form, and the number of those that are kept as they are."""
    there = prepared.label_row() or {"data_hash": prepared.task.data_hash}
    frames = prepared.row.number_of_frames if prepared.row else None
    editable = EditableLabels(there, features(), frames)
    return editable, editable.add_missing(labels)


def _complete(there: Mapping[str, Any], labels: Mapping[str, Any]) -> dict[str, Any]:
    for name in ("label_hash", "data_hash"):
        if labels.get(name) != there.get(name):
            raise InvalidArgumentError(
                f"labels: {name} is {labels.get(name)!r}, but the label row of this task has {there.get(name)!r}. "
                "Return the label row that the function got."
            )
    row = {name: value for name, value in labels.items() if name != "is_valid"}
    row.setdefault("is_shadow_data", False)
    return row


def version_of(row: Mapping[str, Any] | None) -> str:
    """A hash of the labels of a row. A row without labels has the same as one that does not exist yet."""
    return _version(Labels() if row is None else labels_of(row), row)


def version_after(prepared: Prepared, labels: Any, features: Callable[[], Features]) -> str:
    """The hash that the row will have once the labels are saved, even if it does not exist yet. See `new_row`."""
    there = prepared.label_row()
    if isinstance(labels, EditableLabels):
        return _version(labels.content, there)
    if "data_units" in labels:
        return version_of(_complete(there or {}, labels))
    editable, _ = _added(prepared, labels, features)
    return _version(editable.content, there)


def _version(labels: Labels, row: Mapping[str, Any] | None) -> str:
    return fingerprint(content=content_of(labels), spaces=(row or {}).get("spaces") or {})
