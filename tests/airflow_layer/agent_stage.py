"""A project whose tasks are in an agent stage, and runs of ``@task.encord_agent`` on them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from airflow_provider_encord.client.resources.projects import Project
from airflow_provider_encord.decorators.agent import encord_agent_task
from tests.airflow_layer.bench import PARAMS, Account

STAGES = [
    {
        "stageType": "AGENT",
        "title": "Pre-label",
        "next": "Annotate",
        "pathways": [{"title": "good", "to": "Complete"}, {"title": "unsure", "to": "Annotate"}],
    },
    {"stageType": "ANNOTATION", "title": "Annotate", "next": "Complete"},
    {"stageType": "DONE", "title": "Complete"},
]
SAVES = {"query_type": "labelrow", "query_method": "POST"}
MOVES = {"path": "/actions$"}
CAR = {"feature": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}}


class AgentStage:
    """A project with an agent stage, in which all tasks are."""

    def __init__(
        self, account: Account, directory: Path, rows: int = 4, stages: Sequence[Any] = STAGES, **project: Any
    ):
        self.account, self.emulator, self.directory = account, account.emulator, directory
        template = self.emulator.template("agent", list(stages))["uuid"]
        self.project_id: str = account.project(rows=rows, template=template, **project)["project_id"]
        with account.client() as client:
            handle = client.project(self.project_id)
            self.tasks = list(handle.stage("Pre-label").tasks())
            self.stage_id = handle.stage("Pre-label").uuid
        self.emulator.clear_journal()

    def operator(self, function: Callable[..., Any], call: dict[str, Any] | None = None, **arguments: Any) -> Any:
        """The task of a decorated function that is called with some arguments."""
        arguments = {"task_id": "agent", "project_id": self.project_id, "stage": "Pre-label", **arguments}
        task = encord_agent_task(**arguments)(function)(**(call or {})).operator
        task.render_template_fields({"params": PARAMS})
        return task

    def run(self, function: Callable[..., Any], call: dict[str, Any] | None = None, **arguments: Any) -> dict[str, Any]:
        """Run a function on the stage, as a worker does."""
        result: dict[str, Any] = self.operator(function, call, **arguments).execute({})
        return result

    def project(self, work: Callable[[Project], Any]) -> Any:
        """Do something with the project, as a person would."""
        with self.account.client() as client:
            return work(client.project(self.project_id))

    def counts(self) -> dict[str, int]:
        """How many tasks each stage has."""
        counted = self.project(lambda project: {stage.title: len(list(stage.tasks())) for stage in project.stages()})
        return {title: count for title, count in counted.items() if count}

    def labels(self) -> dict[str, dict[str, Any]]:
        """The stored label rows, by data hash."""
        return {row["data_hash"]: row for row in self.emulator.labels(self.project_id)}

    def objects(self) -> list[int]:
        """How many objects each task's row has, in the order of the tasks."""
        rows = self.labels()
        return [_objects(rows.get(task.data_hash)) for task in self.tasks]

    def changes(self) -> list[str]:
        """What was sent that changes something."""
        entries = [entry for entry in self.emulator.journal() if entry["changes"]]
        return [entry["query_type"] or entry["path"].rpartition("/")[2] for entry in entries]

    def path(self, name: str) -> str:
        """An absolute path for a report or a cache."""
        return str(self.directory / name)

    def lines(self, name: str) -> list[dict[str, Any]]:
        """The lines of a report."""
        return [json.loads(line) for line in (self.directory / name).read_text().splitlines()]


def _objects(row: dict[str, Any] | None) -> int:
    units: Sequence[Any] = list(row["data_units"].values()) if row else ()
    return sum(len(unit["labels"].get("objects", ())) for unit in units)


def numbers(result: dict[str, Any]) -> dict[str, int]:
    """The numbers of a result that are not 0."""
    return {name: value for name, value in result.items() if isinstance(value, int) and value}
