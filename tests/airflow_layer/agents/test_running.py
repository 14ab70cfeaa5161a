"""``@task.encord_agent`` on a stage: what the function gets, what it returns, and what becomes of its errors."""

from __future__ import annotations

import asyncio
import fractions
import re
import threading
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.agents import (
    AgentResult,
    EditableLabels,
    LabelRowJson,
    LocalAsset,
    ProjectRecord,
    SignedUrl,
    StorageItemRecord,
    Task,
)
from tests.airflow_layer.agent_stage import CAR, AgentStage, numbers

pytestmark = pytest.mark.airflow


def test_each_task_takes_the_pathway_that_the_function_returns(stage: AgentStage) -> None:
    def prelabel(task: Task) -> str | None:
        return {0: "good", 1: "unsure"}.get(stage.tasks.index(task))

    result = stage.run(prelabel)
    assert numbers(result) == {"tasks": 4, "moved": 2, "left": 2}
    assert (result["stage"], result["stage_id"]) == ("Pre-label", stage.stage_id)
    assert stage.counts() == {"Pre-label": 2, "Annotate": 1, "Complete": 1}


def test_labels_are_saved_before_the_tasks_move(stage: AgentStage) -> None:
    def prelabel(row: LabelRowJson) -> AgentResult:
        return AgentResult("good", {"objects": [CAR]}, priority=0.5)

    assert numbers(stage.run(prelabel)) == {"tasks": 4, "moved": 4, "labels_saved": 4}
    assert stage.objects() == [1, 1, 1, 1]
    assert stage.changes() == ["labelrow", "labelrow", "priorities", "actions"]  # the first one creates the rows


def test_the_label_row_can_be_changed_and_returned(stage: AgentStage) -> None:
    stage.emulator.annotate(stage.project_id, objects_per_row=3)

    def keep_one(row: LabelRowJson) -> AgentResult:
        (unit,) = row["data_units"].values()
        unit["labels"]["objects"] = unit["labels"]["objects"][:1]
        return AgentResult("good", row)

    assert numbers(stage.run(keep_one)) == {"tasks": 4, "moved": 4, "labels_saved": 4}
    assert stage.objects() == [1, 1, 1, 1]


def test_changes_of_editable_labels_are_saved_with_any_result(stage: AgentStage) -> None:
    def prelabel(labels: EditableLabels, task: Task) -> str | None:
        labels.add_object("Car", boundingBox=CAR["boundingBox"])
        labels.add_classification("Weather", "Rain")
        labels.add_classification("Weather", "Heavy snow")
        return None if task == stage.tasks[3] else "good"

    assert numbers(stage.run(prelabel)) == {"tasks": 4, "moved": 3, "left": 1, "labels_saved": 3}
    assert stage.objects() == [1, 1, 1, 0]
    answers = stage.labels()[stage.tasks[0].data_hash]["classification_answers"]
    assert len(answers) == 1


def test_the_function_gets_what_its_annotations_ask_for_and_arguments_of_the_call(stage: AgentStage) -> None:
    seen: list[Any] = []

    def prelabel(
        task: Task,
        item: StorageItemRecord,
        url: SignedUrl,
        asset: LocalAsset,
        project: ProjectRecord,
        threshold: float,
        *,
        name: str = "m",
    ) -> str:
        seen.append((task.data_title, item.name, url, asset, asset.read_bytes(), project.project_hash, threshold, name))
        return "good"

    stage.run(prelabel, {"threshold": "{{ params.title }}"})
    assert [title for title, *_ in seen] == [task.data_title for task in stage.tasks]
    for title, name, url, asset, content, project, threshold, model in seen:
        assert (title, project, threshold, model) == (name, stage.project_id, "Rendered", "m")
        assert url.startswith("http")
        assert content
        assert not asset.exists()


def test_only_what_is_asked_for_is_read(stage: AgentStage) -> None:
    stage.run(lambda: "good")
    paths = {entry["path"].rpartition("/")[2] for entry in stage.emulator.journal()}
    assert paths == {stage.project_id, "tasks", "actions"}


def test_one_task_that_fails_does_not_cost_the_others(stage: AgentStage) -> None:
    def prelabel(task: Task) -> str:
        if task == stage.tasks[1]:
            raise ValueError("blurry https://host/file?X-Signature=not-hexadecimal")
        return "elsewhere" if task == stage.tasks[2] else "good"

    with pytest.raises(AirflowException) as raised:
        stage.run(prelabel, report=stage.path("report.jsonl"))
    assert not isinstance(raised.value, AirflowFailException)
    text = str(raised.value)
    assert text.startswith("2 tasks failed and stay in stage 'Pre-label' (2 moved, 2 failed)")
    assert f"Task {stage.tasks[1].uuid} ({stage.tasks[1].data_title}): ValueError: blurry" in text
    assert "'elsewhere' is neither id nor title of a pathway. Pathways of stage 'Pre-label': 'good'" in text
    assert "not-hexadecimal" not in text
    assert not re.search(r"[^.]\.\.(?!\.)", text)
    assert stage.counts() == {"Pre-label": 2, "Complete": 2}
    assert [line["outcome"] for line in stage.lines("report.jsonl")] == ["updated", "failed", "failed", "updated"]

    assert numbers(stage.run(lambda: "good", report=stage.path("report.jsonl"))) == {"tasks": 2, "moved": 2}
    lines = stage.lines("report.jsonl")
    assert {line["id"]: line["outcome"] for line in lines} == {task.uuid: "updated" for task in stage.tasks}


def test_tasks_that_fail_can_take_a_pathway(stage: AgentStage) -> None:
    def prelabel(task: Task) -> AgentResult:
        if task == stage.tasks[0]:
            raise ValueError("blurry")
        wrong = {"objects": [{**CAR, "feature": "Unicorn"}]}
        return AgentResult("good", wrong if task == stage.tasks[1] else {"objects": [CAR]})

    result = stage.run(prelabel, on_error="unsure", report=stage.path("report.jsonl"))
    assert numbers(result) == {"tasks": 4, "moved": 2, "routed": 2, "labels_saved": 2}
    assert stage.counts() == {"Annotate": 2, "Complete": 2}
    first, second = stage.lines("report.jsonl")[:2]
    assert (first["outcome"], first["pathway"], first["error"]) == ("failed", "unsure", "ValueError: blurry")
    assert "Unicorn" in second["error"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"stage": "Elsewhere"}, "'Elsewhere' is neither id nor title of a stage. The workflow has: 'Pre-label'"),
        ({"stage": "Annotate"}, "'Annotate' is of type ANNOTATION"),
        ({"on_error": "worse"}, "on_error: 'worse' is neither id nor title of a pathway"),
        ({"shard": 0}, "pass both or none"),
        ({"shard": 2, "shards": 2}, "2 is not a number from 0 to 1"),
        ({"task_ids": ["x"]}, "task_ids"),
        ({"stage": ""}, "stage: it is empty"),
        ({"task_ids": "{{ params.nothing }}"}, "task_ids: it is empty"),
    ],
)
def test_what_cannot_work_fails_before_the_first_task(
    stage: AgentStage, arguments: dict[str, Any], problem: str
) -> None:
    with pytest.raises(AirflowFailException, match=problem):
        stage.run(lambda: pytest.fail("the function was called"), **arguments)


def test_shards_cover_the_stage_without_overlap(stage: AgentStage) -> None:
    seen: list[str] = []

    def prelabel(task: Task) -> None:
        seen.append(task.uuid)

    for shard in range(3):
        stage.run(prelabel, {"shard": shard}, shards=3)
    assert sorted(seen) == sorted(task.uuid for task in stage.tasks)


def test_a_batch_skips_what_has_left_the_stage(stage: AgentStage) -> None:
    first, second, *_ = stage.tasks
    stage.project(lambda project: project.stage("Pre-label").move(first, "Annotate"))
    batch = {"project_id": stage.project_id, "stage_id": stage.stage_id, "task_ids": [first.uuid, second.uuid]}
    result = stage.run(lambda: "good", batch, project_id=None, stage=None)
    assert numbers(result) == {"tasks": 2, "moved": 1, "skipped": 1}
    assert stage.counts() == {"Pre-label": 2, "Annotate": 1, "Complete": 1}


def test_an_empty_batch_does_nothing(stage: AgentStage) -> None:
    assert numbers(stage.run(lambda: "good", task_ids=[])) == {}
    assert stage.changes() == []


def test_a_batch_that_another_task_did_not_return_is_not_the_whole_stage(stage: AgentStage) -> None:
    with pytest.raises(AirflowFailException, match="task_ids: it is empty"):
        stage.run(lambda: pytest.fail("the function was called"), {"task_ids": None})


def test_a_batch_is_not_larger_than_asked_for(stage: AgentStage) -> None:
    assert numbers(stage.run(lambda: "good", batch_size="3")) == {"tasks": 3, "moved": 3}


def test_results_are_committed_in_groups(stage: AgentStage) -> None:
    stage.run(lambda: "good", commit_every=2)
    assert stage.changes() == ["actions", "actions"]


def test_coroutines_run_at_the_same_time(stage: AgentStage) -> None:
    together = asyncio.Event()
    running: list[str] = []

    async def prelabel(task: Task, asset: LocalAsset) -> str:
        running.append(task.uuid)
        if len(running) == 3:
            together.set()
        await asyncio.wait_for(together.wait(), 10)
        assert asset.exists()
        if task == stage.tasks[3]:
            raise ValueError("late")
        return "good"

    with pytest.raises(AirflowException, match=r"1 tasks failed .*3 moved, 1 failed.*ValueError: late"):
        stage.run(prelabel, max_concurrency=3, commit_every=1)


def test_threads_run_at_the_same_time(stage: AgentStage) -> None:
    barrier = threading.Barrier(4)

    def prelabel(labels: EditableLabels) -> str:
        barrier.wait(10)
        labels.add_object("Car", boundingBox=CAR["boundingBox"])
        return "good"

    assert numbers(stage.run(prelabel, max_concurrency=4)) == {"tasks": 4, "moved": 4, "labels_saved": 4}


@pytest.mark.parametrize(
    ("returned", "problem"),
    [
        (7, "TypeError: the function returned a int"),
        (AgentResult(7), "pathway: it must be"),  # type: ignore[arg-type]
        (AgentResult("good", priority=2), "ValueError: priority: 2 is not"),
        (AgentResult("good", priority=True), "priority: it must be a number"),
        (AgentResult("good", [CAR]), "labels: they must be a dictionary"),
        (AgentResult("good", {"objects": [float("nan")]}), "labels"),
        (AgentResult("good", {"data_units": {}, "label_hash": "x"}), "labels: label_hash is 'x'"),
    ],
)
def test_a_result_that_is_wrong_fails_for_its_task(stage: AgentStage, returned: Any, problem: str) -> None:
    with pytest.raises(AirflowException, match=problem):
        stage.run(lambda: returned)
    assert stage.counts() == {"Pre-label": 4}


def test_a_priority_can_be_a_number_of_another_library(stage: AgentStage) -> None:
    result = AgentResult("good", priority=fractions.Fraction(1, 4))  # type: ignore[arg-type]  # as float32 of numpy
    stage.run(lambda: result, report=stage.path("report.jsonl"))
    assert {line["priority"] for line in stage.lines("report.jsonl")} == {0.25}
