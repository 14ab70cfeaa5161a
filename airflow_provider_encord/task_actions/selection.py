"""Choosing the tasks of a stage: by filter, by id, or from a file of another task."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api import workflow
from airflow_provider_encord.client.api.labels import MOST_ROWS_PER_REQUEST, LabelRowFilter, list_label_rows
from airflow_provider_encord.client.api.projects import Stage
from airflow_provider_encord.client.api.workflow import CONSENSUS_ANNOTATION, Task, TaskFilter
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.flows.chunks import chunks, in_parts
from airflow_provider_encord.client.flows.workflow_actions import DATA_HASHES_PER_LISTING
from airflow_provider_encord.client.identifiers import is_id, require_emails, require_id
from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.exports import read
from airflow_provider_encord.exports.arguments import naming
from airflow_provider_encord.reports import QUALITY_GATE, require_known_version
from airflow_provider_encord.sources.rows import json_lines
from airflow_provider_encord.task_actions.label_content import classes_in
from airflow_provider_encord.task_actions.lines import OPERATION, SELECTION

_DONE = "COMPLETED"
_CHOSEN_OUTCOMES = (None, "created", "updated", "unchanged")
_MANIFEST = "manifest.json"


class TaskSelection(msgspec.Struct, frozen=True, kw_only=True):
    """Which tasks of a stage to act on. All conditions must hold; None is no condition.

    :param task_ids: Only these tasks. Those that are not in the stage are skipped.
    :param parent_ids: Instead of `task_ids` if these are sub-tasks and whole tasks are selected: the tasks of which
        they are parts.
    :param data_hashes: Only the tasks of these data units. Those that are not in the stage are skipped.
    :param user_emails: Only tasks that are assigned to one of these users.
    :param dataset_ids: Only tasks of data units in these datasets.
    :param data_title_contains: Only tasks of data units whose title contains this text.
    :param statuses: Only tasks with one of these statuses.
    :param client_metadata: Only tasks of data units whose client metadata has these values.
    :param min_age_seconds: Only tasks that were last changed before so many seconds.
    :param max_tasks: At most this number of tasks, the oldest first.
    """

    task_ids: Sequence[str] | None = None
    parent_ids: Sequence[str] | None = None
    data_hashes: Sequence[str] | None = None
    user_emails: Sequence[str] | None = None
    dataset_ids: Sequence[str] | None = None
    data_title_contains: str | None = None
    statuses: Sequence[str] | None = None
    client_metadata: Mapping[str, Any] | None = None
    min_age_seconds: float | None = None
    max_tasks: int | None = None

    def __post_init__(self) -> None:
        if self.user_emails is not None:
            msgspec.structs.force_setattr(self, "user_emails", require_emails(self.user_emails, "user_emails"))

    @property
    def is_empty(self) -> bool:
        """Whether a condition is an empty list, which no task fulfils."""
        lists = (self.task_ids, self.data_hashes, self.user_emails, self.dataset_ids, self.statuses)
        return any(values is not None and len(values) == 0 for values in lists)

    @property
    def users(self) -> set[str] | None:
        """The users in a form in which the case of their addresses does not matter."""
        return None if self.user_emails is None else {email.casefold() for email in self.user_emails}


class ChosenTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task in a stage, or one annotator's sub-task in a consensus annotation stage.

    :param parent_task_id: Set for a sub-task.
    """

    id: str
    data_hash: str
    data_title: str
    assignee: str | None
    created_at: str
    updated_at: str
    parent_task_id: str | None = None


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The chosen tasks.

    :param missing_ids: Task ids of the selection that are not in the stage.
    :param missing_data: Data hashes of the selection without a task in the stage.
    """

    tasks: list[ChosenTask]
    missing_ids: list[str] = []
    missing_data: list[str] = []


def choose_tasks(
    project: str, stage: Stage, selection: TaskSelection, now: datetime.datetime, *, subtasks: bool
) -> Flow[Choice]:
    """Find the tasks that are in the stage now.

    The order is the same at every attempt: by creation time, then by id.

    :param now: For `min_age_seconds`.
    :param subtasks: Whether the action applies to the sub-tasks of a consensus annotation stage.
    :raises InvalidArgumentError: The type of the stage does not support a filter.
    """
    if selection.is_empty:
        return Choice(tasks=[])
    listed = yield from _listed(project, stage, selection)
    split = subtasks and stage.stage_type == CONSENSUS_ANNOTATION
    tasks = [item for task in listed for item in (_subtasks(task) if split else [_whole(task)])]
    found = sorted(tasks, key=lambda task: (task.created_at, task.parent_task_id or task.id, task.id))
    ids = selection.task_ids if split or selection.parent_ids is None else selection.parent_ids
    wanted = None if ids is None else {task_id.lower() for task_id in ids}
    if selection.users is not None:
        found = [task for task in found if (task.assignee or "").casefold() in selection.users]
    if wanted is not None:
        found = [task for task in found if task.id in wanted or task.parent_task_id in wanted]
    there = {task.id for task in found} | {task.parent_task_id for task in found}
    data = {task.data_hash for task in found}
    chosen = [task for task in found if _is_old(task, selection.min_age_seconds, now)]
    if selection.client_metadata is not None:
        metadata = yield from metadata_of(project, [task.data_hash for task in chosen])
        wanted_items = selection.client_metadata.items()
        chosen = [task for task in chosen if _has(metadata.get(task.data_hash, {}), wanted_items)]
    return Choice(
        tasks=chosen[: selection.max_tasks],
        missing_ids=[task_id for task_id in wanted or () if task_id not in there],
        missing_data=[value for value in selection.data_hashes or () if value not in data],
    )


def _listed(project: str, stage: Stage, selection: TaskSelection) -> Flow[list[Task]]:
    parts: Iterable[Sequence[str] | None] = [None]
    if selection.data_hashes is not None:
        parts = list(chunks(list(dict.fromkeys(selection.data_hashes)), DATA_HASHES_PER_LISTING))
    found: dict[str, Task] = {}
    for part in parts:
        which = TaskFilter(
            user_emails=_spellings(selection.user_emails),
            data_hashes=part,
            dataset_hashes=selection.dataset_ids,
            data_title_contains=selection.data_title_contains,
            statuses=selection.statuses,
        )
        which.check(stage.stage_type)
        tasks = yield from workflow.all_tasks(project, stage.uuid, which)
        found |= {task.uuid: task for task in tasks}
    return list(found.values())


def _spellings(emails: Sequence[str] | None) -> list[str] | None:
    """The addresses as given and in lower case, because Encord may store either."""
    return None if emails is None else list(dict.fromkeys([*emails, *(email.lower() for email in emails)]))


def _whole(task: Task) -> ChosenTask:
    return ChosenTask(
        id=task.uuid,
        data_hash=task.data_hash,
        data_title=task.data_title,
        assignee=task.assignee,
        created_at=task.created_at or "",
        updated_at=task.updated_at or task.created_at or "",
    )


def _subtasks(task: Task) -> Iterator[ChosenTask]:
    for subtask in task.subtasks or ():
        if subtask.status != _DONE:
            yield ChosenTask(
                id=subtask.uuid,
                data_hash=task.data_hash,
                data_title=task.data_title,
                assignee=subtask.assignee,
                created_at=task.created_at or "",
                updated_at=subtask.updated_at or task.updated_at or "",
                parent_task_id=task.uuid,
            )


def metadata_of(project: str, data_hashes: Sequence[str]) -> Flow[dict[str, Mapping[str, Any]]]:
    """The client metadata of data units, by data hash."""
    parts = yield from in_parts(
        list(dict.fromkeys(data_hashes)),
        lambda some: list_label_rows(project, LabelRowFilter(data_hashes=list(some), include_client_metadata=True)),
        size=MOST_ROWS_PER_REQUEST,
    )
    return {row.data_hash: row.client_metadata or {} for part in parts for row in part}


def _has(metadata: Mapping[str, Any], wanted: Iterable[tuple[str, Any]]) -> bool:
    """Whether metadata has all the values. Of a list, one must be equal."""
    for key, value in wanted:
        there = metadata.get(key)
        if key not in metadata or (there != value and not (isinstance(there, list) and value in there)):
            return False
    return True


def _is_old(task: ChosenTask, seconds: float | None, now: datetime.datetime) -> bool:
    if seconds is None:
        return True
    try:
        changed = parse_time(task.updated_at).astimezone(datetime.UTC)
    except ValueError:  # the time is missing, so its age is unknown
        return False
    return (now - changed).total_seconds() >= seconds


def named_in(source: Any, classes: Collection[str] | None = None) -> TaskSelection:
    """The tasks or data units that a file of another task names.

    :param source: Path object of the manifest of an export, or of a JSON Lines file whose lines have ``data_hash``,
        or the ``id`` of a task; such as the report of an import or of an operator on tasks. Lines of reports whose
        outcome is ``skipped``, ``failed``, ``conflict``, ``not_found`` or ``removed`` are ignored.
    :param classes: Of an export, only data units with at least one object or classification of these names.
    :raises InvalidArgumentError: A line names neither, a newer version of the provider wrote it, or the file cannot be
        read.
    """
    if source.name == _MANIFEST:
        with naming("source"):
            every = read(source)
        rows = (row for row in every if classes is None or not classes_in(row).isdisjoint(classes))
        return TaskSelection(data_hashes=_distinct(row["data_hash"] for row in rows))
    if classes is not None:
        raise InvalidArgumentError("source_classes: only a manifest of an export has labels. Pass one as `source`.")
    task_ids: list[str] = []
    parent_ids: list[str] = []
    data_hashes: list[str] = []
    for row in json_lines(source, "source"):
        fields: Any = row.fields if isinstance(row.fields, Mapping) else {}
        version = fields.get("schema_version")
        if "operation" in fields and isinstance(version, str):
            require_known_version(version, f"source: {source}")
        if not _is_chosen(fields):
            continue
        operation = fields.get("operation")
        if operation == SELECTION and fields.get("id") is None:
            continue  # the line of an empty sample
        of_task = operation in (OPERATION, SELECTION, None) and (operation is not None or "data_hash" not in fields)
        name = fields.get("id") if of_task else fields.get("data_hash")
        if not isinstance(name, str) or not is_id(name):
            raise InvalidArgumentError(
                f"source: {source}, {row.where}: it has no data_hash, and no id of a task. Pass the report of an "
                "operator, the manifest of an export, or a JSON Lines file with data_hash in each line."
            )
        (task_ids if of_task else data_hashes).append(require_id(name, "source"))
        if of_task:
            parent_ids.append(str(fields.get("parent_task_id") or task_ids[-1]))
    if task_ids and data_hashes:
        raise InvalidArgumentError(
            f"source: {source} has lines with data hashes and lines with task ids. Pass two files to two tasks."
        )
    if task_ids:
        return TaskSelection(task_ids=_distinct(task_ids), parent_ids=_distinct(parent_ids))
    return TaskSelection(data_hashes=_distinct(data_hashes))


def _is_chosen(fields: Mapping[str, Any]) -> bool:
    """Whether the task of a line is selected. A finding of a quality gate is, unless it is about a user or a class."""
    if fields.get("operation") == QUALITY_GATE:
        return fields.get("data_hash") is not None
    return fields.get("outcome") in _CHOSEN_OUTCOMES


def with_source(selection: TaskSelection, source: Any, classes: Sequence[str] | None = None) -> TaskSelection:
    """Narrow a selection to the tasks that a file names; see `named_in`. Without a file, it stays as it is."""
    if source is None:
        return selection
    named = named_in(source, classes)
    return msgspec.structs.replace(
        selection, task_ids=named.task_ids, parent_ids=named.parent_ids, data_hashes=named.data_hashes
    )


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
