"""A stage of a workflow and what can be done with its tasks. SSH keys only.

What a stage of this type cannot do, or cannot filter by, is refused before anything is sent. Acting twice is safe: see
`resources.workflow_actions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from airflow_provider_encord.client.api import workflow
from airflow_provider_encord.client.api.projects import Pathway, Stage
from airflow_provider_encord.client.api.workflow import Subtask, Task, TaskFilter
from airflow_provider_encord.client.api.workflow_actions import ACTIONS
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.resources import workflow_actions as flows
from airflow_provider_encord.client.resources.client_protocol import ClientProtocol
from airflow_provider_encord.client.resources.identifiers import require_emails, require_id
from airflow_provider_encord.client.resources.pages import each
from airflow_provider_encord.client.resources.workflow_actions import TasksInStage, TasksOutcome, tasks_in_stage
from airflow_provider_encord.client.resources.workflow_reviews import TaskReviews

Tasks: TypeAlias = Iterable[Task | Subtask | str] | Task | Subtask | str
"""Tasks as they were listed, or their ids; a single one may stand for a list.

As listed is better: Encord cannot look for a task by its id, so whether one is still there costs a whole listing.
"""


class WorkflowStage:
    """Handle on one stage.

    The methods that act on tasks return the outcome of each. Some tasks may have left the stage before: they are
    left out, and reported. When a part of many tasks fails, what was done before stays done; the error says how much.

    :param client: Sends what the methods need.
    :param project: Id of its project.
    :param record: What the project returns about it.
    """

    def __init__(self, client: ClientProtocol, project: str, record: Stage, siblings: Sequence[Stage] = ()):
        self._client, self.project, self.record = client, project, record
        self._siblings = siblings

    def __repr__(self) -> str:
        return f"WorkflowStage({self.title!r}, {self.stage_type}, {self.uuid!r})"

    @property
    def uuid(self) -> str:
        """Its id."""
        return self.record.uuid

    @property
    def title(self) -> str:
        """Its title."""
        return self.record.title

    @property
    def stage_type(self) -> str:
        """``ANNOTATION``, ``REVIEW``, ``CONSENSUS_ANNOTATION``, ``CONSENSUS_REVIEW``, ``AGENT``, ``DONE``."""
        return self.record.stage_type

    @property
    def pathways(self) -> list[Pathway]:
        """The ways out of an agent stage; of other stages there are none."""
        return self.record.pathways or []

    def tasks(self, which: TaskFilter | None = None) -> Iterator[Task]:
        """The tasks that are in it now, one page in memory at a time.

        Tasks that leave while this runs can shift the pages: collect them before acting on them.

        :raises InvalidArgumentError: A stage of this type does not know the filter.
        """
        which = which or workflow.EVERY_TASK
        which.check(self.stage_type)
        return each(self._client, lambda page: workflow.list_tasks(self.project, self.uuid, which, page=page))

    def submit(self, tasks: Tasks, *, assignee: str | None = None, retain_assignee: bool = False) -> TasksOutcome:
        """Submit tasks of an annotation stage, or sub-tasks of a consensus annotation stage.

        :param assignee: Who gets them in the next stage; an e-mail address.
        :param retain_assignee: Who has them now keeps them, unless `assignee` is given; an error for a task without
            assignee.
        """
        wanted = self._tasks("submit", tasks)
        person = _email_or_none(assignee)
        return self._done(flows.submit(wanted, assignee=person, retain_assignee=retain_assignee))

    def approve(self, tasks: Tasks, *, assignee: str | None = None, retain_assignee: bool = False) -> TasksOutcome:
        """Approve tasks of a review stage, with their open label reviews; arguments as for `submit`."""
        wanted, consensus = self._tasks("approve", tasks), self.stage_type == workflow.CONSENSUS_REVIEW
        person = _email_or_none(assignee)
        flow = flows.approve(wanted, consensus=consensus, assignee=person, retain_assignee=retain_assignee)
        return self._done(flow)

    def reject(self, tasks: Tasks, *, assignee: str | None = None, retain_assignee: bool = False) -> TasksOutcome:
        """Send tasks of a review stage back, with their open label reviews rejected; arguments as for `submit`."""
        wanted, consensus = self._tasks("reject", tasks), self.stage_type == workflow.CONSENSUS_REVIEW
        person = _email_or_none(assignee)
        flow = flows.reject(wanted, consensus=consensus, assignee=person, retain_assignee=retain_assignee)
        return self._done(flow)

    def assign(self, tasks: Tasks, assignee: str | Sequence[str]) -> TasksOutcome:
        """Assign tasks.

        :param assignee: The e-mail address, or several, which take the tasks in turns.
        """
        people = require_emails(assignee, "assignee")
        if not people:
            raise InvalidArgumentError("assignee: it is empty; name at least one e-mail address.")
        wanted = self._tasks("assign", tasks)
        turns = {uuid: people[number % len(people)] for number, uuid in enumerate(wanted.uuids)}
        return self._done(flows.assign(wanted, turns))

    def release(self, tasks: Tasks) -> TasksOutcome:
        """Take tasks from their assignees."""
        return self._done(flows.release(self._tasks("release", tasks)))

    def proceed(self, tasks: Tasks | Mapping[str, str], pathway: str | None = None) -> TasksOutcome:
        """Let tasks of an agent stage go along its pathways.

        :param tasks: Tasks; or a mapping of the id of each to its own pathway.
        :param pathway: Id or title of the pathway for all of them.
        """
        if isinstance(tasks, Mapping):
            chosen = {uuid: self._pathway(way).uuid for uuid, way in tasks.items()}
            wanted = self._tasks("proceed", list(tasks))
        else:
            wanted = self._tasks("proceed", tasks)
            way = self._pathway(pathway).uuid
            chosen = dict.fromkeys(wanted.uuids, way)
        return self._done(flows.proceed(wanted, by_uuid={uuid.lower(): way for uuid, way in chosen.items()}))

    def move(self, tasks: Tasks, destination: str | WorkflowStage) -> TasksOutcome:
        """Move tasks to any other stage of the workflow.

        :param destination: The stage, its id or its title.
        """
        wanted = self._tasks("move", tasks)
        return self._done(flows.move(wanted, self._destination(destination)))

    def reviews(self, task: Task | str) -> TaskReviews:
        """The label reviews of a task in this stage, which must be one of review."""
        if self.stage_type != workflow.REVIEW:
            raise InvalidArgumentError(
                f"stage: {self.title!r} is of type {self.stage_type}; only tasks of a stage of type REVIEW have label "
                "reviews."
            )
        uuid = require_id(task if isinstance(task, str) else task.uuid, "task")
        return TaskReviews(self._client, self.project, self.uuid, uuid)

    def _tasks(self, action: str, tasks: Tasks) -> TasksInStage:
        self._require(action)
        given = [tasks] if isinstance(tasks, Task | Subtask | str) else list(tasks)
        ids = [require_id(value, "tasks") if isinstance(value, str) else value for value in given]
        return tasks_in_stage(self.project, self.uuid, ids)

    def _require(self, action: str) -> None:
        possible = ACTIONS.get(self.stage_type)
        if possible is not None and action not in possible:
            raise InvalidArgumentError(
                f"stage: {self.title!r} is of type {self.stage_type}, and its tasks do not take the action {action!r}; "
                f"they take {', '.join(sorted(possible))}."
            )

    def _pathway(self, wanted: str | None) -> Pathway:
        found = [pathway for pathway in self.pathways if wanted in (pathway.uuid, pathway.title)]
        if len(found) == 1:
            return found[0]
        there = ", ".join(f"{pathway.title!r} ({pathway.uuid})" for pathway in self.pathways) or "it has none"
        problem = "is the title of several" if found else "is none"
        raise InvalidArgumentError(
            f"pathway: {str(wanted)[:80]!r} {problem} of the pathways of stage {self.title!r}: {there}."
        )

    def _destination(self, wanted: str | WorkflowStage) -> str:
        if isinstance(wanted, WorkflowStage):
            uuid = wanted.uuid
        else:
            stages = self._siblings or self._client.run(workflow.stages_of(self.project))
            uuid = workflow.choose_stage(stages, wanted).uuid
        if uuid == self.uuid:
            raise InvalidArgumentError(f"destination: the tasks are in stage {self.title!r} already.")
        return uuid

    def _done(self, flow: Flow[TasksOutcome]) -> TasksOutcome:
        return self._client.run(flow).checked()


def _email_or_none(assignee: str | None) -> str | None:
    return None if assignee is None else require_emails(assignee, "assignee")[0]
