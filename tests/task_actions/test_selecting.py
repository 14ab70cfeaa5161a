"""Samples and partitions: the same tasks at every attempt, and every task in one part."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.operators.labels import EncordExportLabelsOperator
from airflow_provider_encord.operators.workflow import (
    EncordMoveTasksOperator,
    EncordPartitionTasksOperator,
    EncordSampleTasksOperator,
)
from airflow_provider_encord.task_actions.label_content import CLASS, most_frequent
from airflow_provider_encord.task_actions.sampling import SampleSpec, draw
from airflow_provider_encord.task_actions.selection import ChosenTask
from tests.moves.attempts import DAYS, Run, attempt
from tests.task_actions.desk import Desk

GROUPS = st.dictionaries(st.text(max_size=5), st.integers(0, 30), max_size=6)


def tasks(prefix: str, number: int) -> list[ChosenTask]:
    about = {"data_title": "", "assignee": None, "created_at": "", "updated_at": ""}
    return [ChosenTask(id=f"{prefix}-{n}", data_hash=f"{prefix}/{n}", **about) for n in range(number)]


@given(sizes=GROUPS, size=st.integers(1, 100), seed=st.text(max_size=8), order=st.randoms())
def test_a_sample_does_not_depend_on_order_and_has_its_size(
    sizes: dict[str, int], size: int, seed: str, order: Any
) -> None:
    groups = {name: tasks(name, number) for name, number in sizes.items()}
    spec = SampleSpec(seed=seed, size=size)
    drawn = draw(groups, spec)
    assert sum(map(len, drawn.values())) == min(size, sum(sizes.values()))
    assert all(set(drawn[name]) <= set(groups[name]) for name in groups)
    shuffled = {name: order.sample(groups[name], len(groups[name])) for name in order.sample([*groups], len(groups))}
    again = draw(shuffled, spec)
    assert {name: set(some) for name, some in again.items()} == {name: set(some) for name, some in drawn.items()}


@given(sizes=GROUPS, fraction=st.floats(0.01, 1.0))
def test_each_group_gets_its_share_but_for_rounding(sizes: dict[str, int], fraction: float) -> None:
    drawn = draw({name: tasks(name, number) for name, number in sizes.items()}, SampleSpec(seed="s", fraction=fraction))
    total = sum(sizes.values())
    wanted = sum(map(len, drawn.values()))
    assert total * fraction - 1e-6 <= wanted < total * fraction + 1
    for name, number in sizes.items():
        assert abs(len(drawn[name]) - wanted * number / (total or 1)) < 1


def test_another_seed_draws_other_tasks_and_a_larger_sample_contains_the_smaller() -> None:
    groups = {None: tasks("t", 200)}
    (small,), (large,), (other,) = (
        draw(groups, SampleSpec(seed=seed, size=size)).values() for seed, size in (("a", 20), ("a", 40), ("b", 20))
    )
    assert {task.id for task in small} < {task.id for task in large}
    assert {task.id for task in small} != {task.id for task in other}


def test_a_cleared_sample_is_the_same_although_its_tasks_have_left(desk: Desk) -> None:
    first = desk.attempt(EncordSampleTasksOperator, stage="Annotate", size=2)
    assert first.result["sampled"] == 2
    moved = desk.attempt(
        EncordMoveTasksOperator, report="moved", stage="Annotate", to_stage="Review", source=first.result["report"]
    )
    assert moved.result["updated"] == 2
    assert sorted(task.uuid for task in desk.tasks("Review")) == first.result["task_ids"]
    assert desk.attempt(EncordSampleTasksOperator, stage="Annotate", size=2).result == first.result
    # A corrected argument makes it new.
    assert desk.attempt(EncordSampleTasksOperator, stage="Annotate", size=1).result["sampled"] == 1


def test_the_logical_date_is_the_seed(desk: Desk) -> None:
    desk = Desk(desk.account, desk.directory, rows=40, created=0.0)
    samples = {}
    for name, day in (("first", 0), ("again", 0), ("next", 1)):
        run = Run(desk.directory, DAYS[day])
        end = desk.attempt(EncordSampleTasksOperator, run, report=name, stage="Annotate", fraction=0.25)
        samples[name] = end.result["task_ids"]
    assert len(samples["first"]) == 10
    assert samples["first"] == samples["again"] != samples["next"]


def test_samples_can_be_stratified_by_assignee_and_by_class(desk: Desk) -> None:
    desk = Desk(desk.account, desk.directory, rows=9)
    person = desk.member()
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate")[:6], person)
    by_person = desk.attempt(EncordSampleTasksOperator, stage="Annotate", size=3, stratify_by="assignee")
    assert by_person.result["strata"] == {"(none)": 1, person: 2}

    exported = {"project_id": desk.project_id, "destination": str(desk.directory / "export")}
    manifest = attempt(EncordExportLabelsOperator, exported, desk.run).result["manifest"]
    by_class = desk.attempt(
        EncordSampleTasksOperator, report="by-class", stage="Annotate", fraction=1, stratify_by="class", labels=manifest
    )
    assert by_class.result["sampled"] == 9
    strata = {line["data_hash"]: line["stratum"] for line in desk.lines("by-class")}
    rows = [
        json.loads(line)
        for shard in (desk.directory / "export").glob("labels-*.jsonl")
        for line in shard.read_text().splitlines()
    ]
    assert strata == {row["data_hash"]: most_frequent(row, CLASS) for row in rows}
    assert set(strata.values()) - {"(none)", None}


def test_strata_of_an_incremental_export_are_those_of_all_its_rows(desk: Desk) -> None:
    exports = desk.directory / "exports"
    options = {"project_id": desk.project_id, "incremental": True, "lookback_seconds": 0.001}
    for day in "12":  # nothing has changed on the second day, so its export has no rows
        attempt(EncordExportLabelsOperator, {**options, "destination": str(exports / day)}, Run(desk.directory))
    strata = [
        desk.attempt(
            EncordSampleTasksOperator,
            report=day,
            stage="Annotate",
            fraction=1,
            stratify_by="class",
            labels=str(exports / day / "manifest.json"),
        ).result["strata"]
        for day in "12"
    ]
    assert strata[0] == strata[1]
    assert strata[0].keys() >= {"Car"}


def test_strata_of_the_labels_of_another_project_are_refused(desk: Desk) -> None:
    other = Desk(desk.account, desk.directory)
    exported = {"project_id": other.project_id, "destination": str(desk.directory / "other")}
    manifest = attempt(EncordExportLabelsOperator, exported, desk.run).result["manifest"]
    end = desk.attempt(EncordSampleTasksOperator, stage="Annotate", size=1, stratify_by="class", labels=manifest)
    assert f"is an export of the project {other.project_id}, not of {desk.project_id}" in str(end.error)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 1, "stratify_by": "colour"}, "stratify_by: 'colour' is not one of assignee"),
        (
            {"size": 1, "stratify_by": "class", "labels": "/nowhere/manifest.json"},
            "labels: There is no complete export in file:///nowhere",
        ),
        ({"size": 1, "source": "/nowhere/manifest.json"}, "source: There is no complete export in file:///nowhere"),
        ({"size": 1, "stratify_by": "class"}, "labels: it is needed for stratify_by='class'"),
        ({"size": "", "fraction": ""}, "Pass exactly one of `size` and `fraction`."),
        ({"size": 1, "source": ""}, "source: it is empty"),
    ],
)
def test_wrong_arguments_of_a_sample_are_named(desk: Desk, arguments: dict[str, Any], message: str) -> None:
    end = desk.attempt(EncordSampleTasksOperator, stage="Annotate", **arguments)
    assert message in str(end.error)
    assert not end.retryable


def test_every_task_is_in_one_part_and_parts_can_be_mapped(desk: Desk) -> None:
    arguments = {"project_id": desk.project_id, "stage": "Annotate", "destination": str(desk.directory / "parts")}
    end = attempt(EncordPartitionTasksOperator, {**arguments, "tasks_per_partition": 3}, desk.run)
    assert len(end.result) == 2
    for number, source in enumerate(end.result):
        moved = desk.attempt(
            EncordMoveTasksOperator, report=f"m{number}", stage="Annotate", to_stage="Review", source=source
        )
        assert moved.result["updated"] == (3, 1)[number]
    assert desk.counts() == {"Review": 4}
    # A clear returns the same parts, so that the mapped tasks are the same.
    again = attempt(EncordPartitionTasksOperator, {**arguments, "tasks_per_partition": 3}, desk.run)
    assert again.result == end.result


def test_an_empty_stage_has_no_parts(desk: Desk) -> None:
    arguments = {"project_id": desk.project_id, "stage": "Review", "destination": str(desk.directory / "parts")}
    assert attempt(EncordPartitionTasksOperator, arguments, desk.run).result == []


def test_most_frequent_classes_of_videos_are_counted_once_for_each_object() -> None:
    car, person = {"name": "Car", "objectHash": "a"}, {"name": "Person", "objectHash": "b"}
    other = {"name": "Person", "objectHash": "c"}
    frames = {str(number): {"objects": [car], "classifications": []} for number in range(5)}
    row = {"data_units": {"u": {"labels": {**frames, "9": {"objects": [person, other], "classifications": []}}}}}
    assert most_frequent(row, CLASS) == "Person"
    assert most_frequent({"data_units": {"u": {"labels": {}}}}, CLASS) is None
