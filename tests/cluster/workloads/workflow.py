"""Tasks of a workflow: waiting for people, and agents."""

from __future__ import annotations

import json
from typing import Any

from tests.cluster.workloads.base import Work, require_each_once
from tests.cluster.workloads.labels import BOX, boxes

SENSORS = 6
STAGES = [
    {"stageType": "AGENT", "title": "Agent", "pathways": [{"title": "done", "to": "Complete"}]},
    {"stageType": "DONE", "title": "Complete"},
]


class Waits(Work):
    """Sensors that wait for people: each goes on once, and the task after them sees all."""

    dag, task = "waits", "wait"

    def prepare(self) -> dict[str, Any]:
        self.project = self.world.account.project(rows=SENSORS)["project_id"]
        return {"project": self.project}

    def let_end(self) -> None:
        self.world.emulator.annotate(self.project, count=SENSORS, advance="submit")

    def check(self) -> int:
        found: list[int] = self.world.fleet.result(self.run, "seen")
        if len(found) != SENSORS or any(tasks < number for number, tasks in enumerate(found, start=1)):
            raise AssertionError(f"sensors: they waited for 1 to {SENSORS} tasks, and found {found}.")
        with self.world.account.client() as client:
            listed = [str(one.uuid) for one in client.project(self.project).stage("Review").tasks()]
        for index in range(SENSORS):
            seen: dict[str, Any] = self.world.fleet.result(self.run, "wait", index)
            if len(set(seen["task_ids"])) != seen["tasks"] or not set(seen["task_ids"]) <= set(listed):
                raise AssertionError(f"sensors: {seen['task_ids']} is not in the stage, or twice in the answer.")
        return SENSORS


class Agents(Work):
    """Tasks of an agent stage: each is labelled once, and has moved."""

    dag, task = "agents", "label"

    def prepare(self) -> dict[str, Any]:
        template = self.world.emulator.template(f"Agent {self.number}", STAGES)
        seeded = self.world.account.project(rows=self.size.tasks, template=template["uuid"])
        self.project = seeded["project_id"]
        with self.world.account.client() as client:
            tasks = list(client.project(self.project).stage("Agent").tasks())
        self.tasks, self.hashes = [str(one.uuid) for one in tasks], [str(one.data_hash) for one in tasks]
        return {"project": self.project, "reports": self.world.uri("reports/agents")}

    def check(self) -> int:
        with self.world.account.client() as client:
            moved = [str(one.uuid) for one in client.project(self.project).stage("Complete").tasks()]
        require_each_once("tasks that moved", moved, self.tasks)
        found = [(row["data_hash"], box) for row in self.world.emulator.labels(self.project) for box in boxes(row)]
        return require_each_once("boxes", found, [(one, json.dumps(BOX, sort_keys=True)) for one in self.hashes])
