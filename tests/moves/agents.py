"""The task decorator, and the operator for runners of encord-agents, in the matrix of moves."""

from __future__ import annotations

from typing import Any

from airflow_provider_encord.agents import EditableLabels
from airflow_provider_encord.decorators.agent import EncordAgentDecoratedOperator, encord_agent_task
from airflow_provider_encord.operators.agents import EncordAgentRunnerOperator
from tests.airflow_layer.agent_stage import STAGES
from tests.moves.scenario import Scenario

BOX = {"x": 0.1, "y": 0.2, "w": 0.25, "h": 0.4}


SCRIPT = """
from encord.objects import LabelRowV2
from encord.objects.coordinates import BoundingBoxCoordinates
from encord_agents.tasks import Runner
from encord_agents.tasks.models import TaskAgentReturnStruct

runner = Runner()

@runner.stage("Pre-label")
def prelabel(row: LabelRowV2) -> TaskAgentReturnStruct:
    car = row.ontology_structure.objects[0].create_instance()
    car.set_for_frames(BoundingBoxCoordinates(height=0.4, width=0.25, top_left_x=0.1, top_left_y=0.2), 0)
    if not row.get_object_instances():
        row.add_object_instance(car)
    return TaskAgentReturnStruct(pathway="good", label_row=row)
"""


def prelabel(labels: EditableLabels) -> str:
    """Draw a car."""
    labels.add_object("Car", boundingBox=BOX)
    return "good"


class Agent(EncordAgentDecoratedOperator):
    """The task of the decorated function."""

    def __init__(self, **kwargs: Any):
        function = encord_agent_task(task_id="any")(prelabel).function
        super().__init__(python_callable=function, commit_every=2, **kwargs)


class RunAgent(Scenario):
    operator = Agent
    names = ("project_id", "stage", "report")

    def prepare(self) -> None:
        template = self.emulator.template("agent", STAGES)["uuid"]
        self.project = self.account.project(rows=5, template=template)["project_id"]
        with self.account.client() as client:
            tasks = sorted(client.project(self.project).stage("Pre-label").tasks(), key=lambda task: task.data_hash)
        self.tasks = [task.uuid for task in tasks]
        self.data = {task.uuid: task.data_hash for task in tasks}
        *self.handled, later = self.tasks
        self._move([later], "Pre-label", "Annotate")

    def arguments(self) -> dict[str, Any]:
        report = str(self.directory / "report.jsonl")
        return {"project_id": self.project, "stage": "Pre-label", "report": report}

    def wrong(self) -> dict[str, Any]:
        return {**self.arguments(), "stage": "Nowhere"}

    def truth(self) -> Any:
        with self.account.client() as client:
            stages = client.project(self.project).stages()
            places = {task.uuid: stage.title for stage in stages for task in stage.tasks()}
        rows = {row["data_hash"]: row for row in self.emulator.labels(self.project)}
        return {task: (places[task], _objects(rows.get(self.data[task]))) for task in self.tasks}

    def goal(self) -> Any:
        return {task: ("Complete", 1) if task in self.handled else ("Annotate", 0) for task in self.tasks}

    def gain(self) -> None:
        """A task comes into the stage, and somebody puts one back that the agent has let go."""
        first, last = self.tasks[0], self.tasks[-1]
        if self.truth()[first][0] == "Complete":
            self._move([first], "Complete", "Pre-label")
        self._move([last], "Annotate", "Pre-label")
        self.handled = list(self.tasks)

    def lose(self) -> None:
        """Somebody takes a task out of the stage."""
        taken = self.handled.pop()
        self._move([taken], "Pre-label", "Annotate")

    def _move(self, tasks: list[str], stage: str, destination: str) -> None:
        with self.account.client() as client:
            client.project(self.project).stage(stage).move(tasks, destination)


class RunAgentRunner(RunAgent):
    operator = EncordAgentRunnerOperator
    names = ("runner", "commit_every", *RunAgent.names)

    def prepare(self) -> None:
        super().prepare()
        self.script = self.directory / "agents.py"
        self.script.write_text(SCRIPT)

    def arguments(self) -> dict[str, Any]:
        return {**super().arguments(), "runner": str(self.script), "commit_every": 2}


def _objects(row: dict[str, Any] | None) -> int:
    units = row["data_units"].values() if row else ()
    return sum(len(unit["labels"].get("objects", ())) for unit in units)
