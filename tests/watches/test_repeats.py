"""Which events a DAG leaves out: those that announce again what an earlier event of the same asset announced."""

from __future__ import annotations

import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.watches.batches import EditedRow, LabelBatch, TaskBatch, iso_time
from airflow_provider_encord.watches.repeats import AssetEvent, without_repeats

URI = "encord://api.encord.com/projects/p/stages/s"
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def tasks(seconds: float, *task_ids: str, repeat: int = 0, uri: str = URI, series: str = "") -> AssetEvent:
    batch = TaskBatch(
        project_id="p",
        stage_id="s",
        stage="Review",
        reason="batch_size_reached",
        announced_at=iso_time(START.timestamp() + seconds),
        task_ids=list(task_ids) or None,
        tasks=len(task_ids),
        repeat=repeat,
        repeat_seconds=3600,
        series=series,
    )
    return AssetEvent(START + datetime.timedelta(seconds=seconds), uri, batch.payload(uri, project_url=None))


def edits(seconds: float, **edited_at: str | None) -> AssetEvent:
    rows = [EditedRow(label_hash=name, last_edited_at=time) for name, time in edited_at.items()]
    batch = LabelBatch(project_id="p", branch="main", reason="", announced_at=iso_time(0), label_rows=rows)
    return AssetEvent(START + datetime.timedelta(seconds=seconds), URI, batch.payload(URI, project_url=None))


def named(*events: AssetEvent) -> list[Any]:
    return [
        payload["task_ids"] if payload["kind"] == "tasks" else [row["label_hash"] for row in payload["label_rows"]]
        for _, _, payload in without_repeats(events)
    ]


def test_the_same_batch_is_left_out_however_late_it_comes():
    first = tasks(0, "a", "b")
    assert named(first, first._replace(timestamp=START + datetime.timedelta(days=1))) == [["a", "b"]]


def test_tasks_of_another_batch_are_left_out_for_as_long_as_they_are_not_announced_again():
    assert named(tasks(0, "a", "b"), tasks(10, "b", "c")) == [["a", "b"], ["c"]]
    assert named(tasks(0, "a", "b"), tasks(3600, "b", "c")) == [["a", "b"], ["b", "c"]]


def test_an_event_without_anything_new_is_left_out_and_the_others_count_what_is_new():
    events = [tasks(0, "a", "b"), tasks(1, "c", "b"), tasks(2, "c")]
    assert [payload["tasks"] for _, _, payload in without_repeats(events)] == [2, 1]


def test_tasks_that_are_announced_again_or_that_came_back_are_not_left_out():
    assert named(tasks(0, "a"), tasks(5, "a", repeat=1), tasks(6, "a", repeat=1, series="x")) == [["a"], ["a"]]


def test_a_repeat_does_not_prolong_the_time():
    assert named(tasks(0, "a", "b"), tasks(3000, "a"), tasks(3700, "a", "c")) == [["a", "b"], ["a", "c"]]


def test_events_of_other_assets_are_not_repeats():
    assert named(tasks(0, "a"), tasks(1, "a", uri=URI + "0")) == [["a"], ["a"]]


def test_tasks_without_ids_are_passed_on_except_for_the_same_announcement():
    assert named(tasks(0, series="1"), tasks(1, series="2"), tasks(2, series="1")) == [None, None]


def test_edits_are_repeats_if_the_time_of_the_edit_is_the_same():
    assert named(edits(0, a="1", b="1"), edits(1, a="2", b="1"), edits(2, a="1")) == [["a", "b"], ["a"]]
    assert named(edits(0, a=None), edits(1, a=None, b="1")) == [["a"], ["a", "b"]], "the edit time is not known"


TASK_EVENTS = st.lists(
    st.builds(
        lambda seconds, ids, repeat: tasks(seconds, *sorted(ids), repeat=repeat),
        st.sampled_from([0, 1, 10, 100]),
        st.sets(st.sampled_from("abcdef"), min_size=1),
        st.integers(0, 2),
    ),
    max_size=12,
)


@given(TASK_EVENTS)
def test_each_task_is_passed_on_once_for_each_higher_number(events: list[AssetEvent]) -> None:
    events.sort(key=lambda event: event.timestamp)
    passed: dict[str, list[int]] = {}
    for _, _, payload in without_repeats(events):
        for task in payload["task_ids"]:
            passed.setdefault(task, []).append(payload["repeat"])
    for task, numbers in passed.items():
        assert numbers == sorted(set(numbers)), "only with a higher number"
        assert numbers[-1] == max(e.payload["repeat"] for e in events if task in e.payload["task_ids"])
    assert set(passed) == {task for event in events for task in event.payload["task_ids"]}, "nothing is lost"
