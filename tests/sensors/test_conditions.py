"""Conditions by themselves: what an answer that is not complete means, and what is stored."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from airflow_provider_encord.client.api.core.reading import Page
from airflow_provider_encord.client.api.labels import StageName
from airflow_provider_encord.client.api.workflow import Task
from airflow_provider_encord.client.call import run
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.waits.conditions import (
    MOST_CARRIED,
    Condition,
    EditedRowsCondition,
    Memory,
    Poll,
    ProgressCondition,
    StatusCondition,
    TasksCondition,
    carried,
    from_dictionary,
    to_dictionary,
)
from airflow_provider_encord.waits.questions import TasksInStage, TasksQuestion, key_of

ID = "aaaaaaaa-0000-4000-8000-000000000001"

CONDITIONS: list[Condition] = [
    TasksCondition(project_id="p", stage="s", min_tasks=1),
    TasksCondition(project_id="p", stage="s", stage_title="S", max_tasks=0, max_wait_seconds=5.5),
    ProgressCondition(project_id="p", stages=["s", "t"], min_fraction=0.5),
    StatusCondition(project_id="p", statuses=["paused"]),
    EditedRowsCondition(project_id="p", edited_after="2026-01-01T00:00:00+00:00", known={"l": None, "m": "t"}),
]


@pytest.mark.parametrize("total", [3, 7, 10, 100, 1000])
def test_a_fraction_is_met_by_exactly_that_part_of_the_rows(total: int) -> None:
    """0.55 * 100 is a little more than 55."""
    done, open_ = StageName(uuid="d", title="Complete"), StageName(uuid="o", title="Annotate")
    for there in range(1, total + 1):
        condition = ProgressCondition(project_id="p", stages=["d"], min_fraction=there / total, settled=True)
        assert condition.judge(Poll(Counter({done: there, open_: total - there}), {}, 0.0)) is not None, there
        fewer = Poll(Counter({done: there - 1, open_: total - there + 1}), {}, 0.0)
        assert condition.judge(fewer) is None, there


def test_the_rows_of_stages_with_one_title_are_added_up() -> None:
    stages = [StageName(uuid=uuid, title="Review") for uuid in "ab"]
    condition = ProgressCondition(project_id="p", stages=["a", "b"], settled=True)
    found = condition.judge(Poll(Counter(dict(zip(stages, (2, 3), strict=True))), {}, 0.0))
    assert found is not None
    assert found["rows_by_stage"] == {"Review": 5}


def test_a_task_that_comes_on_two_pages_counts_once() -> None:
    """People move tasks while the pages are read, so the pages shift."""
    pages = [
        Page(results=[Task(uuid=uuid, data_hash="d") for uuid in "ab"], next_page_token="2"),
        Page(results=[Task(uuid=uuid, data_hash="d") for uuid in "bc"], next_page_token=None),
    ]
    answer = run(TasksQuestion(project_id=ID, stage_id=ID).ask([3]), lambda _: pages.pop(0))
    assert (list(answer.task_ids), answer.all_listed) == (["a", "b", "c"], True)


def tasks(**limits: float) -> TasksCondition:
    return TasksCondition(project_id="p", stage="s", stage_title="S", **limits)  # type: ignore[arg-type]


def poll(*ids: str, all_listed: bool = True, memory: Memory | None = None, now: float = 100.0) -> Poll:
    return Poll(TasksInStage(task_ids=ids, all_listed=all_listed), {} if memory is None else memory, now)


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda one: type(one).__name__)
def test_a_condition_survives_storing_as_json(condition: Condition) -> None:
    assert from_dictionary(json.loads(json.dumps(to_dictionary(condition)))) == condition


def test_what_another_version_stored_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidArgumentError, match="Clear the task"):
        from_dictionary({"type": "moon"})


def test_a_maximum_is_not_met_by_a_listing_that_stopped_early() -> None:
    """A poll that had begun for another wait may be too short for this one."""
    assert tasks(max_tasks=2).judge(poll("a", "b", all_listed=False)) is None
    assert tasks(max_tasks=2).judge(poll("a", "b")) is not None


def test_a_listing_that_stopped_early_forgets_no_task() -> None:
    memory = {"a": 1.0, "b": 2.0}
    tasks(max_wait_seconds=1000).judge(poll("b", all_listed=False, memory=memory))
    assert memory == {"a": 1.0, "b": 2.0}


def test_a_task_counts_from_when_it_was_first_seen_and_again_if_it_comes_back() -> None:
    condition, memory = tasks(max_wait_seconds=50), {"a": 60.0}
    assert condition.judge(poll("a", memory=memory, now=109)) is None
    found = condition.judge(poll("a", memory=memory, now=110))
    assert found is not None
    assert found["oldest_first_seen"] == "1970-01-01T00:01:00+00:00"
    assert condition.judge(poll(memory=memory, now=111)) is None
    assert condition.judge(poll("a", memory=memory, now=150)) is None


def test_those_that_were_seen_first_are_stored() -> None:
    memory = {f"{number}": float(-number) for number in range(MOST_CARRIED + 5)}
    kept = carried(memory)
    assert len(kept) == MOST_CARRIED
    assert max(kept.values()) < min(memory[one] for one in memory.keys() - kept.keys())


def test_conditions_that_differ_only_in_thresholds_have_one_question() -> None:
    assert key_of(tasks(min_tasks=1).question) == key_of(tasks(max_tasks=9).question)
    assert key_of(tasks(min_tasks=1).question) != key_of(StatusCondition(project_id="p", statuses=["x"]).question)
