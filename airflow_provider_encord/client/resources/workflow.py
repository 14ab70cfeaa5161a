"""A workflow stage and the actions on its tasks. SSH keys only.

An action or a filter that this type of stage does not support is refused before anything is sent. All actions are safe
to repeat; see `client.flows.workflow_actions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from airflow_provider_encord.client.api import workflow, workflow_actions
from airflow_provider_encord.client.api.projects import Pathway, Stage
from airflow_provider_encord.client.api.workflow import Subtask, Task, TaskFilter
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.client_protocol import ClientProtocol
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.flows import workflow_actions as flows
from airflow_provider_encord.client.flows.pages import each
from airflow_provider_encord.client.flows.workflow_actions import TasksInStage, TasksOutcome, tasks_in_stage
from airflow_provider_encord.client.identifiers import require_emails, require_id
from airflow_provider_encord.client.resources.workflow_reviews import TaskReviews

Tasks: TypeAlias = Iterable[Task | Subtask | str] | Task | Subtask | str
"""Tasks from a listing, or their ids; one of them or several.

Tasks from a listing are better. Encord cannot search for a task by id, so with ids alone, checking whether a task is
still in the stage needs a listing of the whole stage.
"""


class WorkflowStage:
    """Handle on one stage.

    The methods that act on tasks return the outcome for each task. Tasks that have already left the stage are skipped
    and reported. If an action fails after some tasks were done, these stay done; the error says how many.

    :param client: Sends the requests of the methods.
    :param project: Id of the stage's project.
    :param record: The stage's record, as read from the project.
    """

    def __init__(self, client: ClientProtocol, project: str, record: Stage, siblings: Sequence[Stage] = ()):
        self._client, self.project, self.record = client, project, record
        self._siblings = siblings

    def __repr__(self) -> str:
        return f"WorkflowStage({self.title!r}, {self.stage_type}, {self.uuid!r})"

    @property
    def uuid(self) -> str:
        """The id of the stage."""
        return self.record.uuid

    @property
    def title(self) -> str:
        """The title of the stage."""
        return self.record.title

    @property
    def stage_type(self) -> str:
        """``ANNOTATION``, ``REVIEW``, ``CONSENSUS_ANNOTATION``, ``CONSENSUS_REVIEW``, ``AGENT`` or ``DONE``."""
        return self.record.stage_type

    @property
    def pathways(self) -> list[Pathway]:
        """The pathways of an agent stage; empty for other stages."""
        return self.record.pathways or []

    def pathway(self, wanted: str | None) -> Pathway:
        """Find a pathway of the stage by its id or title. If it does not exist, the error lists all pathways."""
        return workflow.choose_pathway(self.record, wanted or "")

    def tasks(self, which: TaskFilter | None = None) -> Iterator[Task]:
        """Iterate over the tasks that are now in the stage, with one page in memory at a time.

        If tasks leave the stage during the iteration, the pages can shift. So collect all tasks before you act on them.

        :raises InvalidArgumentError: This type of stage does not support the filter.
        """
        which = which or workflow.EVERY_TASK
        which.check(self.stage_type)
        return each(self._client, lambda page: workflow.list_tasks(self.project, self.uuid, which, page=page))

    def submit(self, tasks: Tasks, *, assignee: str | None = None, retain_assignee: bool = False) -> TasksOutcome:
        """Submit tasks of an annotation stage, or sub-tasks of a consensus annotation stage.

        :param assignee: E-mail address of the user who gets the tasks in the next stage.
        :param retain_assignee: The present assignees keep the tasks, unless `assignee` is given. An error for tasks
            without an assignee.
        """
        wanted = self._tasks("submit", tasks)
        person = _email_or_none(assignee)
        return self._done(flows.submit(wanted, assignee=person, retain_assignee=retain_assignee))

    def approve(self, tasks: Tasks, *, assignee: str | None = None, retain_assignee: bool = False) -> TasksOutcome:
        """Approve tasks of a review stage, and their open label reviews. For the arguments, see `submit`."""
        return self._review(self._tasks("approve", tasks), workflow_actions.approve_tasks, assignee, retain_assignee)

    def reject(self, tasks: Tasks, *, assignee: str | None = None, retain_assignee: bool = False) -> TasksOutcome:
        """Reject tasks of a review stage, and their open label reviews. For the arguments, see `submit`."""
        return self._review(self._tasks("reject", tasks), workflow_actions.reject_tasks, assignee, retain_assignee)

    def assign(self, tasks: Tasks, assignee: str | Sequence[str]) -> TasksOutcome:
        """Assign tasks.

        :param assignee: One or more e-mail addresses. With several, the tasks are assigned to them in turn.
        """
        people = require_emails(assignee, "assignee")
        if not people:
            raise InvalidArgumentError("assignee: it is empty. Pass at least one e-mail address.")
        wanted = self._tasks("assign", tasks)
        turns = {uuid: people[number % len(people)] for number, uuid in enumerate(wanted.uuids)}
        return self._done(flows.assign(wanted, turns))

    def release(self, tasks: Tasks) -> TasksOutcome:
        """Remove the assignees of tasks."""
        return self._done(flows.release(self._tasks("release", tasks)))

    def proceed(self, tasks: Tasks | Mapping[str, str], pathway: str | None = None) -> TasksOutcome:
        """Send tasks of an agent stage along its pathways.

        :param tasks: Tasks, or a mapping from task id to the pathway of this task.
        :param pathway: Id or title of the pathway for all tasks; ignored if `tasks` is a mapping.
        """
        if isinstance(tasks, Mapping):
            chosen = {uuid: self.pathway(way).uuid for uuid, way in tasks.items()}
            wanted = self._tasks("proceed", list(tasks))
        else:
            wanted = self._tasks("proceed", tasks)
            way = self.pathway(pathway).uuid
            chosen = dict.fromkeys(wanted.uuids, way)
        return self._done(flows.proceed(wanted, by_uuid={uuid.lower(): way for uuid, way in chosen.items()}))

    def move(self, tasks: Tasks, destination: str | WorkflowStage) -> TasksOutcome:
        """Move tasks to any other stage of the workflow.

        :param destination: The stage, or its id or title.
        """
        wanted = self._tasks("move", tasks)
        return self._done(flows.move(wanted, self._destination(destination)))

    def reviews(self, task: Task | str) -> TaskReviews:
        """Get a handle on the label reviews of a task in this stage. The stage must be of type ``REVIEW``."""
        if self.stage_type != workflow.REVIEW:
            raise InvalidArgumentError(
                f"stage: {self.title!r} is of type {self.stage_type}. Only tasks in a stage of type REVIEW have label "
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
        possible = workflow_actions.ACTIONS.get(self.stage_type)
        if possible is not None and action not in possible:
            raise InvalidArgumentError(
                f"stage: {self.title!r} is of type {self.stage_type}, which does not support the action {action!r}. It "
                f"supports: {', '.join(sorted(possible)) or 'no actions'}."
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

    def _review(
        self, tasks: TasksInStage, verdict: flows.Verdict, assignee: str | None, retain_assignee: bool
    ) -> TasksOutcome:
        consensus, person = self.stage_type == workflow.CONSENSUS_REVIEW, _email_or_none(assignee)
        flow = flows.review(tasks, verdict, consensus=consensus, assignee=person, retain_assignee=retain_assignee)
        return self._done(flow)

    def _done(self, flow: Flow[TasksOutcome]) -> TasksOutcome:
        return self._client.run(flow).checked()


def _email_or_none(assignee: str | None) -> str | None:
    return None if assignee is None else require_emails(assignee, "assignee")[0]
