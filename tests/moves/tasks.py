"""Workflow tasks: move, reopen, submit, review, proceed, assign, release, prioritize, and undo."""

from __future__ import annotations

import json
from typing import Any

from airflow_provider_encord.operators.workflow import (
    EncordAddIssuesOperator,
    EncordAssignTasksOperator,
    EncordMoveTasksOperator,
    EncordPartitionTasksOperator,
    EncordProceedTasksOperator,
    EncordReleaseTasksOperator,
    EncordReopenTasksOperator,
    EncordRevertTasksOperator,
    EncordReviewTasksOperator,
    EncordSampleTasksOperator,
    EncordSetPriorityOperator,
    EncordSubmitTasksOperator,
)
from tests.airflow_layer.bench import Account
from tests.client.emulated_workflow import STAGES
from tests.moves.scenario import Scenario

ROWS = 5


class _OnTasks(Scenario):
    """Four tasks are in the stage; a fifth is elsewhere, and can come."""

    names: tuple[str, ...] = ("project_id", "stage", "report")
    stage = "Annotate"
    elsewhere = "Choose"
    more: dict[str, Any] = {}  # noqa: RUF012 - replaced as a whole by subclasses
    broken_at = 3
    keeps_to_its_plan = False

    def prepare(self) -> None:
        template = self.emulator.template("every type", STAGES)["uuid"]
        self.project = self.account.project(rows=ROWS, created=1.0, template=template)["project_id"]
        with self.account.client() as client:
            stage = client.project(self.project).stage("Annotate")
            tasks = sorted(stage.tasks(), key=lambda task: task.data_hash)
            stage.move(tasks[:1], self.elsewhere)
            if self.stage != "Annotate":
                stage.move(tasks[1:], self.stage)
        self.other, self.chosen = tasks[0].data_hash, sorted(task.data_hash for task in tasks[1:])

    def arguments(self) -> dict[str, Any]:
        report = str(self.directory / "report.jsonl")
        return {"project_id": self.project, "stage": self.stage, "report": report, **self.more}

    def wrong(self) -> dict[str, Any]:
        return {**self.arguments(), "stage": "Nowhere"}

    def goal(self) -> Any:
        return self.chosen

    def begun(self) -> None:
        """A change keeps to its plan. What comes into the stage later is for the next run, or for a clear."""
        self.keeps_to_its_plan = True

    def gain(self) -> None:
        """Another task comes into the stage."""
        self._bring(self.elsewhere, self.other, self.stage)
        if not self.keeps_to_its_plan:
            self.chosen = sorted([*self.chosen, self.other])

    def lose(self) -> None:
        """Somebody takes a task of the stage, and moves it on."""
        self._bring(self.stage, self.chosen[0], self.elsewhere)
        self.chosen = self.chosen[1:]

    def _bring(self, origin: str, data_hash: str, destination: str) -> None:
        with self.account.client() as client:
            stage = client.project(self.project).stage(origin)
            stage.move([task for task in stage.tasks() if task.data_hash == data_hash], destination)


class _Leaving(_OnTasks):
    destination = "Archive"

    def truth(self) -> Any:
        with self.account.client() as client:
            return sorted(task.data_hash for task in client.project(self.project).stage(self.destination).tasks())


class MoveTasks(_Leaving):
    operator = EncordMoveTasksOperator
    names = (*_Leaving.names, "to_stage")
    more = {"to_stage": "Archive"}  # noqa: RUF012


class ReopenTasks(_Leaving):
    operator = EncordReopenTasksOperator
    stage, destination = "Complete", "Annotate"
    broken_at = 4


class SubmitTasks(_Leaving):
    operator = EncordSubmitTasksOperator
    destination = "Review"


class ReviewTasks(_Leaving):
    operator = EncordReviewTasksOperator
    names = (*_Leaving.names, "verdict", "comment")
    stage, destination = "Review", "Annotate"
    more = {"verdict": "reject", "comment": "The box is too small."}  # noqa: RUF012
    broken_at = 3

    def truth(self) -> Any:
        """The rejected tasks, each with its comment once."""
        with self.account.client() as client:
            project = client.project(self.project)
            for data_hash in super().truth():
                comments = [issue.comments[0].content for issue in project.issues(data_hash)]
                assert comments == [self.more["comment"]]
        return super().truth()


class ProceedTasks(_Leaving):
    operator = EncordProceedTasksOperator
    names = (*_Leaving.names, "pathway")
    stage, destination = "Agent", "Archive"
    more = {"pathway": "no"}  # noqa: RUF012


class AssignTasks(_OnTasks):
    operator = EncordAssignTasksOperator
    names = (*_OnTasks.names, "assignee")

    def prepare(self) -> None:
        super().prepare()
        self.person = Account(self.emulator).email
        with self.account.client() as client:
            client.project(self.project).add_users([self.person], "annotator")
        self.more = {"assignee": [self.person]}

    def truth(self) -> Any:
        """The tasks that the person has."""
        with self.account.client() as client:
            tasks = client.project(self.project).stage(self.stage).tasks()
            return sorted(task.data_hash for task in tasks if task.assignee == self.person)


class ReleaseTasks(AssignTasks):
    operator = EncordReleaseTasksOperator
    names = _OnTasks.names

    def prepare(self) -> None:
        super().prepare()
        self.more = {}
        with self.account.client() as client:
            stage = client.project(self.project).stage(self.stage)
            stage.assign(list(stage.tasks()), self.person)

    def goal(self) -> Any:
        return []

    def lose(self) -> None:
        """Somebody takes a task of the stage, and moves it on."""
        self._bring(self.stage, self.chosen[0], self.elsewhere)


class SetPriority(_OnTasks):
    operator = EncordSetPriorityOperator
    names = (*_OnTasks.names, "priority")
    more = {"priority": 0.9}  # noqa: RUF012
    broken_at = 4

    def truth(self) -> Any:
        with self.account.client() as client:
            rows = client.project(self.project).label_rows()
            return sorted(row.data_hash for row in rows if row.priority == self.more["priority"])


class AddIssues(_OnTasks):
    operator = EncordAddIssuesOperator
    names = (*_OnTasks.names, "comment")
    more = {"comment": "Look again."}  # noqa: RUF012
    broken_at = 5  # after the issues of two data units were read

    def truth(self) -> Any:
        """The data units, once for each issue."""
        with self.account.client() as client:
            project = client.project(self.project)
            return sorted(row.data_hash for row in project.label_rows() for _ in project.issues(row.data_hash))


class _Naming(_OnTasks):
    """Only reads and writes files, so that there is no plan to keep to."""

    broken_at = 2

    def begun(self) -> None:
        """Nothing is written yet."""


class SampleTasks(_Naming):
    operator = EncordSampleTasksOperator
    names = (*_OnTasks.names, "size", "seed")
    more = {"size": 10, "seed": 7}  # noqa: RUF012

    def truth(self) -> Any:
        lines = (self.directory / "report.jsonl").read_text().splitlines()
        return sorted(json.loads(line)["data_hash"] for line in lines)


class PartitionTasks(_Naming):
    operator = EncordPartitionTasksOperator
    names = ("project_id", "stage", "destination", "tasks_per_partition")

    def arguments(self) -> dict[str, Any]:
        destination = str(self.directory / "parts")
        return {
            "project_id": self.project,
            "stage": self.stage,
            "destination": destination,
            "tasks_per_partition": 2,
        }

    def truth(self) -> Any:
        """What the files have that the index names."""
        directory = self.directory / "parts"
        files = json.loads((directory / "tasks.json").read_text())["files"]
        lines = [line for name in files for line in (directory / name).read_text().splitlines()]
        return sorted(json.loads(line)["data_hash"] for line in lines)


class RevertTasks(_Leaving):
    operator = EncordRevertTasksOperator
    names = ("source", "report")
    destination = "Annotate"

    def prepare(self) -> None:
        super().prepare()
        source = str(self.directory / "moved.jsonl")
        arguments = {"project_id": self.project, "stage": "Annotate", "to_stage": "Archive", "report": source}
        EncordMoveTasksOperator(task_id="move", **arguments).execute({})
        self.stage, self.source = "Archive", source

    def arguments(self) -> dict[str, Any]:
        return {"source": self.source, "report": str(self.directory / "report.jsonl")}

    def wrong(self) -> dict[str, Any]:
        return {**self.arguments(), "source": str(self.directory / "nowhere.jsonl")}

    def gain(self) -> None:
        """Somebody moves a task to where this one is to be moved back from; it is not in the source."""
        self._bring(self.elsewhere, self.other, self.stage)
