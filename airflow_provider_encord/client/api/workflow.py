"""Tasks of a workflow stage: list them, move them. What else can be done with them is in `workflow_actions`.

Stages come with the project; there is no call for them. Encord forgets the filter between the pages of a listing, so
each request repeats it. A stage that is asked to filter by what its tasks do not have would refuse, or worse, not
filter: `FILTERS` says what each type of stage knows, and a `TaskFilter` is held against it before anything is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.listing import every_page
from airflow_provider_encord.client.api.projects import Stage, get_project
from airflow_provider_encord.client.api.reading import Page, ignored, v2_reader
from airflow_provider_encord.client.api.registry import operation
from airflow_provider_encord.client.call import Call, Flow, Request
from airflow_provider_encord.client.errors import InvalidArgumentError, UnsupportedByCredentialError

ANNOTATION = "ANNOTATION"
REVIEW = "REVIEW"
CONSENSUS_ANNOTATION = "CONSENSUS_ANNOTATION"
CONSENSUS_REVIEW = "CONSENSUS_REVIEW"
AGENT = "AGENT"
FINAL = "DONE"  # "Complete" and "Archive" stages alike; only the title differs

_EVERYWHERE = frozenset({"data_hashes", "dataset_hashes", "data_title_contains"})
_OF_TASKS_WITH_STATUS = _EVERYWHERE | {"user_emails", "statuses"}

FILTERS: dict[str, frozenset[str]] = {
    ANNOTATION: _OF_TASKS_WITH_STATUS,
    REVIEW: _OF_TASKS_WITH_STATUS,
    CONSENSUS_ANNOTATION: _EVERYWHERE | {"user_emails"},
    CONSENSUS_REVIEW: _OF_TASKS_WITH_STATUS,
    AGENT: _OF_TASKS_WITH_STATUS,
    FINAL: _EVERYWHERE,
}
"""The filters that each type of stage knows."""

_REVIEW_STATUSES = ("NEW", "ASSIGNED", "RELEASED", "REOPENED", "SKIPPED")
_TASK_STATUSES = (*_REVIEW_STATUSES, "COMPLETED")

STATUSES: dict[str, tuple[str, ...]] = {
    ANNOTATION: _TASK_STATUSES,
    REVIEW: _REVIEW_STATUSES,
    CONSENSUS_REVIEW: _REVIEW_STATUSES,
    AGENT: _TASK_STATUSES,
}
"""The statuses that tasks have, by type of stage; those of other types have none."""

MOST_MOVES_PER_REQUEST = 500


class Subtask(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What one annotator does for a consensus task; acted on like an annotation task.

    :param label_branch_name: The branch that the annotator's labels are on.
    """

    uuid: str
    data_hash: str
    data_title: str = ""
    status: str | None = None
    label_branch_name: str | None = None
    assignee: str | None = None
    created_at: str | None = None
    updated_at: str | None = None


class Option(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The labels of one annotator, among which a consensus review chooses.

    :param label_hash: None as long as the annotator has no label row.
    """

    annotator: str
    label_branch_name: str
    label_hash: str | None = None


class Task(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A task in a stage, of whatever type: what its type does not have is None.

    :param status: See `STATUSES`; text, so that a new one breaks nothing.
    :param label_branch_name: Of annotation and agent stages.
    :param last_actioned_by: Of agent stages.
    :param subtasks: Of consensus annotation stages.
    :param options: Of consensus review stages.
    """

    uuid: str
    data_hash: str
    data_title: str = ""
    created_at: str | None = None
    updated_at: str | None = None
    status: str | None = None
    assignee: str | None = None
    label_branch_name: str | None = None
    last_actioned_by: str | None = None
    subtasks: list[Subtask] | None = None
    options: list[Option] | None = None


class TaskFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which tasks to list; what is None does not restrict.

    :param user_emails: Assigned to one of these.
    :param data_hashes: Of these data units.
    :param dataset_hashes: Of data units in these datasets.
    :param data_title_contains: Of data units whose title has this in it.
    :param statuses: In one of these statuses, see `STATUSES`.
    """

    user_emails: Sequence[str] | None = None
    data_hashes: Sequence[str] | None = None
    dataset_hashes: Sequence[str] | None = None
    data_title_contains: str | None = None
    statuses: Sequence[str] | None = None

    def check(self, stage_type: str) -> None:
        """Hold it against what a type of stage knows. A type that we do not know is left to Encord.

        :raises InvalidArgumentError: A filter, or a status, that such a stage does not know; or a list that is empty,
            which Encord would take for no filter at all.
        """
        given = {name: getattr(self, name) for name in self.__struct_fields__ if getattr(self, name) is not None}
        for name, value in given.items():
            if len(value) == 0:
                raise InvalidArgumentError(f"{name}: it is empty, which would list every task; leave it out for that.")
        known = FILTERS.get(stage_type)
        unknown = [name for name in given if known is not None and name not in known]
        if known is not None and unknown:
            raise InvalidArgumentError(
                f"{', '.join(unknown)}: tasks of a stage of type {stage_type} cannot be filtered by this; its filters "
                f"are {', '.join(sorted(known))}."
            )
        statuses = STATUSES.get(stage_type)
        strange = [one for one in self.statuses or () if statuses is not None and one not in statuses]
        if statuses is not None and strange:
            raise InvalidArgumentError(
                f"statuses: {', '.join(map(repr, strange))} is not a status of a stage of type {stage_type}; "
                f"choose from {', '.join(statuses)}."
            )


EVERY_TASK = TaskFilter()

_TASKS = v2_reader(Page[Task])


def stage_path(project: str, stage: str) -> str:
    """Where a stage is on the wire."""
    return f"projects/{project}/workflow/stages/{stage}"


@operation("workflow.tasks.list", "v2")
def list_tasks(
    project: str, stage: str, which: TaskFilter = EVERY_TASK, *, page: str | None = None
) -> Call[Page[Task]]:
    """One page of the tasks that are in a stage now.

    :param which: Not held against the type of the stage here: see `TaskFilter.check`.
    """
    query: dict[str, Any] = {
        "pageToken": page,
        "userEmails": _listed(which.user_emails),
        "dataHashes": _listed(which.data_hashes),
        "datasetHashes": _listed(which.dataset_hashes),
        "dataTitleContains": which.data_title_contains,
        "statuses": _listed(which.statuses),
    }
    return Call(request=Request("GET", f"{stage_path(project, stage)}/tasks", query), read=_TASKS)


def all_tasks(project: str, stage: str, which: TaskFilter = EVERY_TASK) -> Flow[list[Task]]:
    """Every task that is in a stage and that the filter lets through."""
    return (yield from every_page(lambda page: list_tasks(project, stage, which, page=page)))


@operation("workflow.task.move", "v2")
def move_tasks(project: str, stage: str, tasks: Sequence[str], destination: str) -> Call[None]:
    """Move tasks from one stage to another, whatever its type; out of final stages, too.

    One task that is not in the stage refuses all of them. Not repeated blindly for that reason: what a first request
    has moved a second one would be refused for.

    :param tasks: Ids of at most 500 tasks.
    :param destination: Id of the stage that they go to.
    """
    body = {"taskUuids": list(tasks), "destinationStageUuid": destination}
    request = Request("POST", f"{stage_path(project, stage)}/move-tasks", json=body)
    return Call(request=request, changes=True, repeatable=False, read=ignored)


def stages_of(project: str) -> Flow[list[Stage]]:
    """The stages of a project's workflow, in order.

    :raises UnsupportedByCredentialError: It is not a workflow project.
    """
    record = yield from get_project(project)
    if record.workflow is None:
        raise UnsupportedByCredentialError(
            f"Project {project} ({record.title}) has no workflow, so it has no stages and no tasks."
        )
    return record.workflow.stages


def find_stage(project: str, wanted: str) -> Flow[Stage]:
    """A stage by its id or title.

    :raises InvalidArgumentError: No stage, or several stages have the title; the message lists all stages.
    """
    stages = yield from stages_of(project)
    return choose_stage(stages, wanted)


def choose_stage(stages: Sequence[Stage], wanted: str) -> Stage:
    """The stage of this id or title; see `find_stage`."""
    name = str(wanted).strip()
    found = [stage for stage in stages if stage.uuid == name.lower() or stage.title == name]
    if len(found) == 1:
        return found[0]
    there = ", ".join(f"{stage.title!r} ({stage.stage_type}, {stage.uuid})" for stage in stages)
    problem = "is the title of several stages; pass the id" if found else "is neither id nor title of a stage"
    raise InvalidArgumentError(f"stage: {name[:80]!r} {problem}. The workflow has: {there or 'none'}.")


def _listed(values: Sequence[str] | None) -> list[str]:
    return [values] if isinstance(values, str) else list(values or ())
