"""A project whose workflow has every type of stage, and attempts of the operators on its tasks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from airflow_provider_encord.client.api.workflow import Task
from airflow_provider_encord.client.client import EncordClient
from tests.airflow_layer.bench import Account
from tests.client.emulated_workflow import STAGES
from tests.moves.attempts import End, Run, attempt
from tests.pauses import end_pauses


class Desk:
    """A project with tasks in the stage "Annotate", and a directory for reports."""

    def __init__(
        self,
        account: Account,
        directory: Path,
        rows: int = 4,
        created: float = 1.0,
        stages: Sequence[Mapping[str, Any]] = STAGES,
    ):
        self.account, self.emulator, self.directory = account, account.emulator, directory
        template = self.emulator.template("of a desk", stages)["uuid"]
        seeded = account.project(rows=rows, created=created, template=template)
        self.project_id, self.data_hashes = seeded["project_id"], seeded["data_hashes"]
        self.run = Run(directory)

    @property
    def client(self) -> EncordClient:
        return self.account.client()

    def tasks(self, stage: str) -> list[Task]:
        with self.client as client:
            return list(client.project(self.project_id).stage(stage).tasks())

    def counts(self) -> dict[str, int]:
        """How many tasks each stage has that has any."""
        with self.client as client:
            stages = client.project(self.project_id).stages()
            found = {stage.title: len(list(stage.tasks())) for stage in stages}
        return {title: count for title, count in found.items() if count}

    def by_hand(self, action: str, stage: str, tasks: list[Task], *arguments: Any) -> None:
        """What somebody does in Encord meanwhile."""
        with self.client as client:
            getattr(client.project(self.project_id).stage(stage), action)(tasks, *arguments)

    def member(self) -> str:
        """A new user of the project."""
        person = Account(self.emulator)
        with self.client as client:
            client.project(self.project_id).add_users([person.email], "annotator")
        return person.email

    def report(self, name: str = "report") -> Path:
        return self.directory / f"{name}.jsonl"

    def attempt(self, operator: type, run: Run | None = None, report: str = "report", **arguments: Any) -> End:
        """One attempt of an operator on this project, after the time for which Encord asked an earlier one to wait."""
        end_pauses(self.emulator.url)
        given = {"project_id": self.project_id, "report": str(self.report(report)), **arguments}
        return attempt(operator, given, run or self.run)

    def revert(self, report: str = "report", into: str = "reverted", run: Run | None = None) -> End:
        from airflow_provider_encord.operators.workflow import EncordRevertTasksOperator

        end_pauses(self.emulator.url)
        arguments = {"source": str(self.report(report)), "report": str(self.report(into))}
        return attempt(EncordRevertTasksOperator, arguments, run or self.run)

    def lines(self, report: str = "report") -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.report(report).read_text().splitlines()]

    def outcomes(self, report: str = "report") -> list[str]:
        return sorted(line["outcome"] for line in self.lines(report))
