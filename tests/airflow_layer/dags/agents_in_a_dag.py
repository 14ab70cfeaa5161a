"""Agents as users write them, with annotations that are text."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_encord.agents import AgentResult, EditableLabels, LabelRowJson, Task

if TYPE_CHECKING:
    from pathlib import Path

START = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)
ARGUMENTS: dict[str, Any] = {"project_id": "{{ params.project_id }}", "stage": "{{ params.stage }}"}
BOX = {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}
PARAMS = {"project_id": "", "stage": "Pre-label", "directory": "", "way_out": "raise"}

with DAG("agent_over_shards", schedule=None, start_date=START, params=PARAMS) as over_shards:

    @task
    def threshold() -> float:
        return 0.5

    @task.encord_agent(**ARGUMENTS, shards=3, report="{{ params.directory }}/{{ ti.map_index }}.jsonl")
    def prelabel(labels: EditableLabels, task: Task, threshold: float, model: Path | str = "m") -> str:
        labels.add_object("Car", boundingBox=BOX, confidence=threshold)
        return "good"

    @task
    def total(results: Any) -> int:
        return sum(result["moved"] for result in results)

    total(prelabel.partial(threshold=threshold()).expand(shard=[0, 1, 2]))

with DAG("agent_over_batches", schedule=None, start_date=START, params=PARAMS) as over_batches:

    @task
    def batches(params: Any = None) -> list[dict[str, Any]]:
        from airflow_provider_encord.hooks.encord import EncordHook

        with EncordHook("encord_default") as hook:
            stage = hook.get_conn().project(params["project_id"]).stage(params["stage"])
            ids = [task.uuid for task in stage.tasks()]
            about = {"project_id": stage.project, "stage_id": stage.uuid}
            return [{**about, "task_ids": part} for part in (ids[:1], ids[1:])]

    @task.encord_agent(max_concurrency=2)
    async def route(task: Task) -> str | None:
        return "unsure"

    route.expand_kwargs(batches())

with DAG("agent_with_retry", schedule=None, start_date=START, params=PARAMS) as with_retry:

    @task.encord_agent(
        **ARGUMENTS,
        retries=1,
        on_error="{{ params.way_out }}",
        cache="{{ params.directory }}/cache",
        report="{{ params.directory }}/report.jsonl",
    )
    def flaky(task: Task, row: LabelRowJson, directory: str) -> AgentResult:
        import pathlib

        calls = pathlib.Path(directory) / "calls"
        with calls.open("a") as file:
            file.write(f"{task.uuid}\n")
        if len(calls.read_text().splitlines()) == 2:
            raise ConnectionError("the model is down")
        return AgentResult("good", {"objects": [{"feature": "Car", "boundingBox": BOX}]})

    flaky("{{ params.directory }}")
