"""What was done to the tasks of a project, by whom, as the emulator has noted it; and where the tasks are."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from airflow_provider_encord.client.resources.projects import Project
from encord_emulator.process import Emulator
from tests.airflow_layer.bench import Account

_EVER = ("2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z")


@dataclasses.dataclass(frozen=True)
class Action:
    """Something that was done to a task.

    :param stage: Id of the stage in which the task was before.
    :param kind: As Encord's analytics call it; an agent that lets a task proceed submits it.
    """

    task: str
    stage: str
    kind: str
    actor: str

    @property
    def leaves(self) -> bool:
        """Whether the task is in another stage afterwards."""
        return self.kind not in ("assign", "release")


def log_of(project: Project) -> list[Action]:
    """Everything that was done to the tasks, oldest first."""
    found = list(project.activity.task_actions(*_EVER))
    return [
        Action(one.task_uuid, str(one.workflow_stage_uuid), one.action_type, str(one.actor_email))
        for one in reversed(found)
    ]


def places_of(project: Project) -> dict[str, str]:
    """Id of the stage in which each data unit is."""
    rows = project.label_rows()
    return {row.data_hash: row.workflow_graph_node.uuid for row in rows if row.workflow_graph_node}


def tasks_of(project: Project) -> dict[str, str]:
    """Data hash of each task, by its id."""
    return {task.uuid: task.data_hash for stage in project.stages() for task in stage.tasks()}


class Crew:
    """Accounts that a project can have as members, so that the emulator notes which run did what.

    :param emulator: Where they have their keys, which is done once for all projects.
    """

    def __init__(self, emulator: Emulator):
        self._emulator = emulator
        self._accounts: list[Account] = []

    def join(self, project: Project, numbers: Sequence[int]) -> list[Account]:
        """Let some of them join a project as its administrators."""
        while len(self._accounts) <= max(numbers):
            self._accounts.append(Account(self._emulator))
        chosen = [self._accounts[number] for number in numbers]
        project.add_users([account.email for account in chosen], "admin")
        return chosen
