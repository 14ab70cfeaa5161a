"""Grouping tasks for a stratified sample."""

from __future__ import annotations

import collections
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.api.labels import LabelRowFilter, list_label_rows
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.flows.chunks import in_parts
from airflow_provider_encord.exports import read
from airflow_provider_encord.task_actions.selection import ChosenTask

ASSIGNEE = "assignee"
DATASET = "dataset_id"
CLASS = "class"
ANNOTATOR = "annotator"
METADATA = "client_metadata."
OF_LABELS = (CLASS, ANNOTATOR)
NONE = "(none)"
_ROWS = 1000


def require_known(stratify_by: str | None, labels: object) -> None:
    """Check how tasks are to be grouped.

    :raises InvalidArgumentError: It is unknown, or labels are missing or not needed.
    """
    if stratify_by is None:
        known = labels is None
    else:
        known = stratify_by in (ASSIGNEE, DATASET, *OF_LABELS) or (
            stratify_by.startswith(METADATA) and stratify_by != METADATA
        )
        if not known:
            raise InvalidArgumentError(
                f"stratify_by: {stratify_by[:80]!r} is not one of {ASSIGNEE}, {DATASET}, {CLASS}, {ANNOTATOR}, "
                f"{METADATA}<key>."
            )
    if (stratify_by in OF_LABELS) != (labels is not None):
        raise InvalidArgumentError(
            f"labels: it is needed for stratify_by={CLASS!r} and {ANNOTATOR!r}, and has no effect otherwise. Pass the "
            "manifest of an export, or leave it out."
        )


def groups_of(
    client: EncordClient, project: str, tasks: Sequence[ChosenTask], stratify_by: str | None, labels: Any
) -> dict[str | None, list[ChosenTask]]:
    """Group tasks.

    :param stratify_by: ``"assignee"``; ``"dataset_id"``; ``"client_metadata.<key>"``; ``"class"``, the most frequent
        object or classification of the data unit; ``"annotator"``, who created most of its labels; or None for a
        single group.
    :param labels: Path object of the manifest of an export, for the last two.
    :return: The tasks by group, in order of the groups' names. Tasks without a value are in the group ``"(none)"``.
    """
    require_known(stratify_by, labels)
    if stratify_by is None:
        return {None: list(tasks)}
    values = _values(client, project, tasks, stratify_by, labels)
    groups: dict[str | None, list[ChosenTask]] = collections.defaultdict(list)
    for task in tasks:
        groups[values.get(task.data_hash) or NONE].append(task)
    return dict(sorted(groups.items(), key=lambda group: str(group[0])))


def _values(
    client: EncordClient, project: str, tasks: Sequence[ChosenTask], stratify_by: str, labels: Any
) -> Mapping[str, str | None]:
    if stratify_by == ASSIGNEE:
        return {task.data_hash: task.assignee for task in tasks}
    if stratify_by in OF_LABELS:
        wanted = {task.data_hash for task in tasks}
        rows = (row for row in read(labels) if row.get("data_hash") in wanted)
        return {str(row["data_hash"]): most_frequent(row, stratify_by) for row in rows}
    key = stratify_by.removeprefix(METADATA)
    parts = client.run(
        in_parts(
            [task.data_hash for task in tasks],
            lambda some: list_label_rows(
                project, LabelRowFilter(data_hashes=list(some), include_client_metadata=stratify_by != DATASET)
            ),
            size=_ROWS,
        )
    )
    found = {row.data_hash: row for part in parts for row in part}
    if stratify_by == DATASET:
        return {data: row.dataset_hash for data, row in found.items()}
    return {data: _text((row.client_metadata or {}).get(key)) for data, row in found.items()}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


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
