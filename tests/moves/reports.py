"""Reports on projects."""

from __future__ import annotations

import re
from typing import Any

from airflow_provider_encord.operators.reports import EncordProjectReportOperator
from tests.moves.scenario import Scenario


class ReportProject(Scenario):
    """A project whose tasks people complete; the report says how many, by what Encord answers."""

    operator = EncordProjectReportOperator
    names = ("project_id", "destination", "due", "refresh")

    def prepare(self) -> None:
        self.project = self.account.project(rows=6, created=0.0)["project_id"]
        self.emulator.annotate(self.project, count=2, advance="complete")
        self.done = 2
        self.destination = self.directory / "report.html"

    def arguments(self) -> dict[str, Any]:
        return {"project_id": self.project, "destination": str(self.destination), "due": None, "refresh": True}

    def wrong(self) -> dict[str, Any]:
        return {**self.arguments(), "due": "some day"}

    def truth(self) -> Any:
        page = self.destination.read_text()
        assert page.endswith("</main></body></html>\n")
        figures = re.search(r"<dd>(\d+) of (\d+)", page)
        return figures and figures.groups()

    def goal(self) -> Any:
        return (str(self.done), "6")

    def gain(self) -> None:
        """People complete more."""
        self.emulator.annotate(self.project, count=3, advance="complete", seed=7)
        self.done = 5

    def lose(self) -> None:
        """Somebody sends all tasks back."""
        with self.account.client() as client:
            project = client.project(self.project)
            complete = project.stage("Complete")
            complete.move(list(complete.tasks()), "Annotate")
        self.done = 0
