"""The tasks of a workflow stage: list and move them. For other actions, see `workflow_actions`.

Stages are part of the project record; they have no request of their own. Encord does not keep the filter between the
pages of a listing, so each request repeats it. If a filter does not apply to the type of stage, Encord refuses it or,
worse, ignores it. So a `TaskFilter` is checked against `FILTERS` before anything is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.listing import every_page
from airflow_provider_encord.client.api.core.reading import Page, ignored, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.api.projects import Pathway, ProjectRecord, Stage, get_project
from airflow_provider_encord.client.call import Call, Flow, Request
from airflow_provider_encord.client.errors import InvalidArgumentError, UnsupportedByCredentialError

ANNOTATION = "ANNOTATION"
REVIEW = "REVIEW"
CONSENSUS_ANNOTATION = "CONSENSUS_ANNOTATION"
CONSENSUS_REVIEW = "CONSENSUS_REVIEW"
AGENT = "AGENT"
FINAL = "DONE"  # both "Complete" and "Archive" stages; only the title differs

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
"""The filters that each type of stage supports."""

_REVIEW_STATUSES = ("NEW", "ASSIGNED", "RELEASED", "REOPENED", "SKIPPED")
_TASK_STATUSES = (*_REVIEW_STATUSES, "COMPLETED")

STATUSES: dict[str, tuple[str, ...]] = {
    ANNOTATION: _TASK_STATUSES,
    REVIEW: _REVIEW_STATUSES,
    CONSENSUS_REVIEW: _REVIEW_STATUSES,
    AGENT: _TASK_STATUSES,
}
"""The task statuses by type of stage. In other types of stage, tasks have no status."""

MOST_MOVES_PER_REQUEST = 500


class Subtask(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One annotator's part of a consensus task. Actions on it are those of an annotation task.

    :param label_branch_name: The branch with the annotator's labels.
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
    """The labels of one annotator. A consensus review chooses one of several options.

    :param label_hash: None if the annotator has no label row yet.
    """

    annotator: str
    label_branch_name: str
    label_hash: str | None = None


class Task(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A task in a stage of any type. Fields that this type of stage does not have are None.

    :param status: One of `STATUSES`, or a newer value.
    :param label_branch_name: For annotation and agent stages.
    :param last_actioned_by: For agent stages.
    :param subtasks: For consensus annotation stages.
    :param options: For consensus review stages.
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
    """Which tasks to list. Fields that are None do not filter.

    :param user_emails: Only tasks that are assigned to one of these users.
    :param data_hashes: Only tasks of these data units.
    :param dataset_hashes: Only tasks of data units in these datasets.
    :param data_title_contains: Only tasks of data units whose title contains this text.
    :param statuses: Only tasks with one of these statuses; see `STATUSES`.
    """

    user_emails: Sequence[str] | None = None
    data_hashes: Sequence[str] | None = None
    dataset_hashes: Sequence[str] | None = None
    data_title_contains: str | None = None
    statuses: Sequence[str] | None = None

    def check(self, stage_type: str) -> None:
        """Check the filter against a type of stage. For an unknown type of stage, Encord has to check it.

        :raises InvalidArgumentError: This type of stage does not support the filter or the status; or a list is empty,
            which Encord would treat as no filter.
        """
        given = {name: getattr(self, name) for name in self.__struct_fields__ if getattr(self, name) is not None}
        for name, value in given.items():
            if len(value) == 0:
                raise InvalidArgumentError(
                    f"{name}: it is empty. Pass at least one value, or leave it out to list all tasks."
                )
        known = FILTERS.get(stage_type)
        unknown = [name for name in given if known is not None and name not in known]
        if known is not None and unknown:
            raise InvalidArgumentError(
                f"{', '.join(unknown)}: tasks in a stage of type {stage_type} cannot be filtered by this. Supported "
                f"filters: {', '.join(sorted(known))}."
            )
        statuses = STATUSES.get(stage_type)
        strange = [status for status in self.statuses or () if statuses is not None and status not in statuses]
        if statuses is not None and strange:
            raise InvalidArgumentError(
                f"statuses: {', '.join(map(repr, strange))} is not a status of tasks in a stage of type {stage_type}. "
                f"Choose from {', '.join(statuses)}."
            )


EVERY_TASK = TaskFilter()

_TASKS = v2_reader(Page[Task])


def stage_path(project: str, stage: str) -> str:
    """The path of a stage in requests."""
    return f"projects/{project}/workflow/stages/{stage}"


@operation("workflow.tasks.list", "v2")
def list_tasks(
    project: str, stage: str, which: TaskFilter = EVERY_TASK, *, page: str | None = None
) -> Call[Page[Task]]:
    """List one page of the tasks that are in a stage now.

    :param which: The filter. It is not checked here; see `TaskFilter.check`.
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
    """List all tasks that are in a stage and match the filter."""
    return (yield from every_page(lambda page: list_tasks(project, stage, which, page=page)))


@operation("workflow.task.move", "v2")
def move_tasks(project: str, stage: str, tasks: Sequence[str], destination: str) -> Call[None]:
    """Move tasks from one stage to another stage of any type. Tasks can also be moved out of final stages.

    If one task is not in the stage, Encord refuses the whole request. So it is not repeatable: Encord would refuse the
    repeat, because the tasks have been moved.

    :param tasks: Ids of at most 500 tasks.
    :param destination: Id of the stage to move the tasks to.
    """
    body = {"taskUuids": list(tasks), "destinationStageUuid": destination}
    request = Request("POST", f"{stage_path(project, stage)}/move-tasks", json=body)
    return Call(request=request, changes=True, repeatable=False, read=ignored)


def stages_of(project: str) -> Flow[list[Stage]]:
    """Read the stages of a project's workflow, in order.

    :raises UnsupportedByCredentialError: It is not a workflow project.
    """
    return stages_in((yield from get_project(project)))


def stages_in(record: ProjectRecord) -> list[Stage]:
    """The stages in the record of a project; see `stages_of`."""
    if record.workflow is None:
        raise UnsupportedByCredentialError(
            f"Project {record.project_hash} ({record.title}) has no workflow, so it has no stages or tasks."
        )
    return record.workflow.stages


def find_stage(project: str, wanted: str) -> Flow[Stage]:
    """Find a stage by its id or title.

    :raises InvalidArgumentError: No stage has this id or title, or several stages have the title. The message lists all
        stages.
    """
    stages = yield from stages_of(project)
    return choose_stage(stages, wanted)


def choose_stage(stages: Sequence[Stage], wanted: str, *, argument: str = "stage") -> Stage:
    """Choose the stage with this id or title; see `find_stage`.

    :param argument: Name of the argument, for the message.
    """
    name = str(wanted).strip()
    found = [stage for stage in stages if stage.uuid == name.lower()] or [s for s in stages if s.title == name]
    if len(found) == 1:
        return found[0]
    there = ", ".join(f"{stage.title!r} ({stage.stage_type}, {stage.uuid})" for stage in stages)
    problem = "is the title of several stages; pass the id" if found else "is neither id nor title of a stage"
    raise InvalidArgumentError(f"{argument}: {name[:80]!r} {problem}. The workflow has: {there or 'none'}.")


def choose_pathway(stage: Stage, wanted: str, *, argument: str = "pathway") -> Pathway:
    """Choose the pathway of an agent stage with this id or title.

    :param argument: Name of the argument, for the message.
    :raises InvalidArgumentError: No pathway has this id or title, or several have the title. The message lists all.
    """
    name = str(wanted).strip()
    pathways = stage.pathways or []
    found = [pathway for pathway in pathways if name.lower() == pathway.uuid or name == pathway.title]
    if len(found) == 1:
        return found[0]
    there = ", ".join(f"{pathway.title!r} ({pathway.uuid})" for pathway in pathways) or "none"
    problem = "is the title of several pathways; pass the id" if found else "is neither id nor title of a pathway"
    raise InvalidArgumentError(f"{argument}: {name[:80]!r} {problem}. Pathways of stage {stage.title!r}: {there}.")


def _listed(values: Sequence[str] | None) -> list[str]:
    return [values] if isinstance(values, str) else list(values or ())
