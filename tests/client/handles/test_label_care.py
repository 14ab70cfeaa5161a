"""Moves, priorities, branches, classifications and logs through the handles, against the emulator."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_encord.client.api.labels import LabelRowFilter
from airflow_provider_encord.client.errors import (
    InvalidArgumentError,
    NotFoundError,
    RefusedError,
    UnsupportedByCredentialError,
)
from airflow_provider_encord.client.flows.activity import windows
from airflow_provider_encord.client.times import parse_time
from tests.client.emulated import ROWS, World, labelled, world

__all__ = ["world"]

DAY = datetime.timedelta(days=1)
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def stages(world: World) -> dict[str, str]:
    rows = world.user.project(world.project).label_rows()
    return {row.label_hash: row.workflow_graph_node.title for row in rows if row.label_hash and row.workflow_graph_node}


def test_rows_are_completed_and_reopened_by_either_credential(world: World) -> None:
    rows = labelled(world)
    world.user.project(world.project).rows.complete(rows)
    assert set(stages(world).values()) == {"Complete"}
    world.project_key.project().rows.reopen(rows[:1])
    assert stages(world)[rows[0]] == "Annotate"
    world.project_key.project().rows.reopen(rows)


def test_rows_that_are_too_many_for_encord_go_in_smaller_requests(world: World) -> None:
    world.emulator.limits(label_rows_per_request=1)
    try:
        entries = world.journal(lambda: world.user.project(world.project).rows.complete(labelled(world)))
    finally:
        world.emulator.limits(label_rows_per_request=1000)
    moves = [entry for entry in entries if entry["query_type"] == "labelworkflowgraphnode"]
    assert [move["v1_status"] for move in moves] == [400, 200, 200]
    assert set(stages(world).values()) == {"Complete"}


def test_a_priority_out_of_bounds_is_refused_before_anything_is_sent(world: World) -> None:
    rows = world.user.project(world.project).rows

    def attempt() -> None:
        with pytest.raises(InvalidArgumentError, match="from 0 to 1"):
            rows.set_priorities({world.data[0]: 0.5, world.data[1]: 1.5})

    assert world.journal(attempt) == []


def test_priorities_are_set_by_data_unit_or_not_at_all(world: World) -> None:
    project = world.user.project(world.project)
    project.rows.set_priorities({data: number / ROWS for number, data in enumerate(world.data)})
    with pytest.raises(NotFoundError):
        project.rows.set_priorities({world.data[0]: 1.0, UNKNOWN: 1.0})
    found = {row.data_hash: row.priority for row in project.label_rows()}
    assert found == {data: number / ROWS for number, data in enumerate(world.data)}


def test_a_copy_to_a_branch_is_safe_to_repeat_and_leaves_the_source_alone(world: World) -> None:
    project, rows = world.user.project(world.project), labelled(world)
    before = {row.label_hash: bytes(row.content) for row in project.read_label_rows(rows)}
    assert project.rows.copy_to_branch(rows, target="snapshot") == len(rows)
    assert project.rows.copy_to_branch(rows, target="snapshot") == 0
    assert project.rows.copy_to_branch(rows, target="snapshot", overwrite=True) == len(rows)

    assert "snapshot" in project.branches()
    on_branch = [row for row in project.label_rows(LabelRowFilter(branch_name="snapshot")) if row.label_hash]
    assert len(on_branch) == len(rows)
    assert not {row.label_hash for row in on_branch} & set(rows)
    assert {row.label_hash: bytes(row.content) for row in project.read_label_rows(rows)} == before


def test_a_copy_to_the_branch_itself_is_refused_before_anything_is_sent(world: World) -> None:
    with pytest.raises(InvalidArgumentError, match="target"):
        world.user.project(world.project).rows.copy_to_branch(labelled(world), target="main")


def test_classifications_are_those_of_the_rows(world: World) -> None:
    project, rows = world.user.project(world.project), labelled(world)
    read = {row.label_hash: row.decoded()["classification_answers"] for row in project.read_label_rows(rows)}
    assert {
        classification.label_uuid: classification.classification_answers
        for classification in project.rows.classifications(rows)
    } == read


def test_what_is_valid_has_no_errors(world: World) -> None:
    state = world.user.project(world.project).rows.validation_state(labelled(world)[0])
    assert (state.is_valid, state.errors, state.branch_name) == (True, [], "main")


def test_status_and_review_are_there_for_old_projects(world: World) -> None:
    rows = world.project_key.project().rows
    (first, *_) = labelled(world)
    rows.set_status(first, "LABELLED")
    rows.submit_for_review(first)
    with pytest.raises(InvalidArgumentError, match="NOT_LABELLED"):
        rows.set_status(first, "labelled")


def test_an_api_key_is_refused_what_only_ssh_keys_can(world: World) -> None:
    rows = world.project_key.project().rows
    for attempt in (
        lambda: rows.set_priorities({world.data[0]: 0.5}),
        lambda: rows.validation_state(UNKNOWN),
        lambda: rows.copy_to_branch([UNKNOWN], target="b"),
        lambda: list(rows.classifications([UNKNOWN])),
        lambda: list(world.project_key.project().activity.editor_logs(now() - DAY, now())),
    ):
        with pytest.raises(UnsupportedByCredentialError):
            attempt()


def test_what_is_saved_is_logged(world: World) -> None:
    project = world.user.project(world.project)
    (row,) = project.read_label_rows(labelled(world)[:1])
    content = row.decoded()
    for unit in content["data_units"].values():
        unit["labels"]["objects"] = unit["labels"]["objects"][1:]
    project.save_label_rows({row.label_hash: content})

    logs = list(project.activity.editor_logs(now() - DAY, now() + DAY, data_hash=row.data_hash))
    assert {"save", "delete_object"} <= {log.action for log in logs}
    deleted = next(log for log in logs if log.action == "delete_object")
    assert (deleted.action_category, deleted.label_id) == ("object", row.label_hash)
    by_key = world.project_key.project().activity.label_logs(data_hash=row.data_hash, after=now() - DAY)
    assert {log.action for log in by_key} >= {2, 14}


def test_logs_are_read_page_by_page(world: World) -> None:
    project = world.user.project(world.project)
    (row,) = project.read_label_rows(labelled(world)[:1])
    for _ in range(3):
        project.save_label_rows({row.label_hash: row.content})
    activity = project.activity
    everything = list(activity.editor_logs(now() - DAY, now() + DAY))
    world.emulator.limits(page_size=2)
    try:
        assert list(activity.editor_logs(now() - DAY, now() + DAY)) == everything
        entries = world.journal(lambda: next(activity.editor_logs(now() - DAY, now() + DAY)))
    finally:
        world.emulator.limits(page_size=100)
    assert len(everything) > 2
    assert len(entries) == 1


def test_moves_are_task_actions_and_take_time_nowhere(world: World) -> None:
    project = world.user.project(world.project)
    project.rows.complete(labelled(world))
    project.rows.reopen(labelled(world))
    actions = list(project.activity.task_actions(now() - DAY, now() + DAY, actions=["move"]))
    assert len(actions) >= 2 * len(labelled(world))
    assert list(project.activity.task_actions(now() - DAY, now() + DAY, actions=["approve"])) == []
    spent = sum(record.time_spent_seconds for record in project.activity.time_spent(now() - DAY))
    assert spent == sum(timer.time_seconds for timer in project.activity.collaborator_timers(now() - DAY)) > 0


def test_the_analytics_of_another_project_are_closed(world: World) -> None:
    with pytest.raises(NotFoundError):
        list(world.user.project(UNKNOWN).activity.time_spent(now() - DAY))


def test_encord_refuses_a_log_of_more_than_thirty_days_and_we_cut_it(world: World) -> None:
    project = world.user.project(world.project)
    entries = world.journal(lambda: list(project.activity.editor_logs(now() - 65 * DAY, now())))
    assert [entry["status"] for entry in entries if "editor-logs" in entry["path"]].count(200) >= 3


def test_an_interval_that_ends_before_it_begins_is_refused_before_anything_is_sent(world: World) -> None:
    activity = world.user.project(world.project).activity
    with pytest.raises(InvalidArgumentError, match="end"):
        list(activity.editor_logs(now(), now() - DAY))


def test_a_log_at_the_edge_between_two_parts_of_an_interval_comes_once(world: World) -> None:
    project = world.user.project(world.project)
    (row,) = project.read_label_rows(labelled(world)[:1])
    project.save_label_rows({row.label_hash: row.content})
    activity = project.activity
    edge = parse_time(next(activity.editor_logs(now() - DAY, now() + DAY)).timestamp)
    found = [log.id for log in activity.editor_logs(edge - 30 * DAY, edge + DAY)]
    assert sorted({*found}) == sorted(found)
    assert {*found} == {one.id for one in activity.editor_logs(edge - DAY, edge + DAY)}


@pytest.mark.parametrize("interval", [("soon", "2026-01-01"), ("2026-01-01", "12:00"), ("", ""), (1, 2)], ids=str)
def test_a_text_that_is_no_time_is_refused_before_anything_is_sent(world: World, interval: Any) -> None:
    activity = world.user.project(world.project).activity
    entries = world.journal(lambda: _refuse(lambda: list(activity.editor_logs(*interval))))
    assert entries == []


def _refuse(read: Callable[[], Any]) -> None:
    with pytest.raises(InvalidArgumentError, match="time"):
        read()


@pytest.mark.parametrize("days", [0, 1, 29, 30, 31, 60, 61, 100])
def test_windows_cover_an_interval_without_gap_or_length(days: int) -> None:
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    parts = list(windows(start, start + days * DAY))
    assert parts[0][0] == start
    assert parts[-1][1] == start + days * DAY
    assert all(first[1] == second[0] for first, second in itertools.pairwise(parts))
    assert max(last - first for first, last in parts) <= 30 * DAY


def test_a_label_row_that_is_not_there_is_refused(world: World) -> None:
    rows = world.user.project(world.project).rows
    for attempt in (lambda: rows.complete([UNKNOWN]), lambda: rows.validation_state(UNKNOWN)):
        with pytest.raises(RefusedError):
            attempt()
