"""Grouping tasks for a stratified sample."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.api.labels import MAIN_BRANCH
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.arguments import latest_rows, manifest_of_project
from airflow_provider_encord.task_actions.label_content import ANNOTATOR, CLASS, most_frequent
from airflow_provider_encord.task_actions.selection import ChosenTask, metadata_of
from airflow_provider_encord.task_actions.sending import rows_of

ASSIGNEE = "assignee"
DATASET = "dataset_id"
METADATA = "client_metadata."
OF_LABELS = (CLASS, ANNOTATOR)
NONE = "(none)"


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
    :param labels: Path object of the manifest of an export of the project, for the last two. Only the rows of the main
        branch count. Of an incremental export, the earlier exports are read, too.
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
        manifest_of_project(labels, "labels", project)
        wanted = {task.data_hash for task in tasks}
        rows = (row for row in latest_rows(labels, "labels") if row.get("data_hash") in wanted and _is_main(row))
        return {str(row["data_hash"]): most_frequent(row, stratify_by) for row in rows}
    if stratify_by == DATASET:
        listed = client.run(rows_of(project, [task.data_hash for task in tasks]))
        return {data: row.dataset_hash for data, row in listed.items()}
    key = stratify_by.removeprefix(METADATA)
    metadata = client.run(metadata_of(project, [task.data_hash for task in tasks]))
    return {data: _text(values.get(key)) for data, values in metadata.items()}


def _is_main(row: Mapping[str, Any]) -> bool:
    return (row.get("branch_name") or MAIN_BRANCH) == MAIN_BRANCH


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
