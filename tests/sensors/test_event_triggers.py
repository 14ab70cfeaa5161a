"""Event triggers in one event loop: what they announce, what they ask, and that no failure ends them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from airflow_provider_encord.assets import labels_uri, stage_uri
from airflow_provider_encord.triggers import event_source, shared_polls
from airflow_provider_encord.triggers.event_base import EncordBaseEventTrigger
from airflow_provider_encord.triggers.events import EncordLabelsEventTrigger, EncordTasksEventTrigger
from airflow_provider_encord.waits.questions import TasksQuestion
from tests.airflow_layer.bench import SSH_CONNECTION, connection
from tests.airflow_layer.lines import needs_asset_state
from tests.sensors.conftest import Board

SECONDS = 30
PROJECT = "11111111-1111-4111-8111-111111111111"
INTERVAL = 0.1


class Store:
    """Keeps values as Airflow's state of an asset does, which is JSON in its database."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.assets: list[str] = []
        self.broken = False

    def __getitem__(self, ref: Any) -> Store:
        self.assets.append(ref.name)
        return self

    async def aget(self, key: str) -> Any:
        return json.loads(self.values.get(key, "null"))

    async def aset(self, key: str, value: Any) -> None:
        if self.broken:
            raise RuntimeError("The database is locked.")
        self.values[key] = json.dumps(value)


class Watcher:
    """Runs a trigger as Airflow 3.1 does, and keeps the payloads of its events."""

    def __init__(self, trigger: EncordBaseEventTrigger, store: Store | None = None):
        trigger.poll_interval = INTERVAL  # less than a user may pass
        trigger.asset_state_store = store
        self.payloads: list[dict[str, Any]] = []
        self.task = asyncio.create_task(self._run(trigger))

    async def _run(self, trigger: EncordBaseEventTrigger) -> None:
        async for event in trigger.run():
            self.payloads.append(event.payload)


@contextlib.asynccontextmanager
async def watching(*triggers: EncordBaseEventTrigger, store: Store | None = None) -> AsyncIterator[list[Watcher]]:
    watchers = [Watcher(trigger, store) for trigger in triggers]
    try:
        yield watchers
        assert not [watcher.task for watcher in watchers if watcher.task.done()], "a watcher never ends"
    finally:
        for watcher in watchers:
            watcher.task.cancel()
        await asyncio.gather(*(watcher.task for watcher in watchers), return_exceptions=True)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not true():
            await asyncio.sleep(0.01)


def in_loop(scenario: Callable[[], Any]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 2 * SECONDS))


def tasks_of(board: Board, title: str) -> list[str]:
    with board.account.client() as client:
        return [task.uuid for task in client.project(board.id).stage(title).tasks()]


def test_tasks_are_announced_with_all_that_a_run_needs(board: Board) -> None:
    async def scenario() -> None:
        async with watching(EncordTasksEventTrigger(project_id=board.id, stage=board.second, batch_size=2)) as (one,):
            await asyncio.to_thread(board.submit, 1)
            await until(lambda: len(board.requests("/tasks")) > 3)
            assert one.payloads == []
            await asyncio.to_thread(board.submit, 1)
            await until(lambda: bool(one.payloads))
        (payload,) = one.payloads
        assert sorted(payload.pop("task_ids")) == sorted(await asyncio.to_thread(tasks_of, board, board.second))
        assert payload.pop("announced_at").endswith("+00:00")
        assert len(payload.pop("batch_id")) == 36
        assert payload == {
            "schema_version": 1,
            "kind": "tasks",
            "project_id": board.id,
            "stage_id": board.stages[board.second],
            "stage": board.second,
            "reason": "batch_size_reached",
            "repeat": 0,
            "repeat_seconds": 3600.0,
            "tasks": 2,
            "project_url": None,
        }

    in_loop(scenario)


def test_many_watchers_of_a_stage_share_its_polls(board: Board) -> None:
    async def scenario() -> None:
        stages = [board.first, board.stages[board.first]]
        triggers = [
            EncordTasksEventTrigger(project_id=board.id, stage=stages[number % 2], batch_size=1 + number)
            for number in range(20)
        ]
        async with watching(*triggers) as watchers:
            await until(lambda: len(board.requests("/tasks")) >= 5)
            assert [len(watcher.payloads) for watcher in watchers] == [1] * 6 + [0] * 14
            records = [path for path in board.requests() if "/tasks" not in path]
        assert len(records) == 1, "all read the project with one request"

    in_loop(scenario)


def test_tasks_that_remain_are_announced_again_with_another_id(board: Board) -> None:
    async def scenario() -> None:
        trigger = EncordTasksEventTrigger(project_id=board.id, stage=board.first)
        trigger.repeat_seconds = 0.5
        async with watching(trigger) as (watcher,):
            await until(lambda: len(watcher.payloads) >= 3)
        first, again, third = watcher.payloads[:3]
        assert [one["repeat"] for one in (first, again, third)] == [0, 1, 2]
        assert [one["reason"] for one in (first, again, third)] == ["batch_size_reached", "remaining", "remaining"]
        assert len({one["batch_id"] for one in (first, again, third)}) == 3
        assert first["task_ids"] == again["task_ids"]

    in_loop(scenario)


@needs_asset_state
def test_a_watcher_that_is_started_again_announces_only_what_is_new(board: Board) -> None:
    async def scenario() -> None:
        store, trigger = Store(), {"project_id": board.id, "stage": board.second}
        await asyncio.to_thread(board.submit, 2)
        async with watching(EncordTasksEventTrigger(**trigger), store=store) as (before,):
            await until(lambda: bool(before.payloads))
        await asyncio.to_thread(board.submit, 1)
        async with watching(EncordTasksEventTrigger(**trigger), store=store) as (after,):
            await until(lambda: len(after.payloads) >= 2)
        assert set(store.assets) == {stage_uri(board.emulator.url, board.id, board.stages[board.second])}
        assert after.payloads[0] == before.payloads[0], "it was never confirmed, so the same batch comes again"
        assert after.payloads[1]["tasks"] == 1

    in_loop(scenario)


@needs_asset_state
def test_the_answer_to_the_question_of_a_sensor_is_not_taken_for_the_whole_stage(board: Board) -> None:
    async def scenario() -> None:
        store, polls = Store(), shared_polls.of_running_loop()
        question = TasksQuestion(project_id=board.id, stage_id=board.stages[board.first])
        async with watching(EncordTasksEventTrigger(project_id=board.id, stage=board.first), store=store) as (before,):
            await until(lambda: bool(before.payloads))
        await asyncio.to_thread(board.emulator.limits, page_size=2)
        await asyncio.to_thread(board.emulator.faults, [{"match": {"path": "/tasks$"}, "do": {"delay_s": 0.7}}])
        await asyncio.to_thread(board.emulator.clear_journal)
        with polls.joined(await polls.client("encord_default"), question, shared_polls.Waiter(INTERVAL, 3)):
            await until(lambda: len(board.requests("/tasks")) == 1)  # of two: four tasks are enough for the sensor
            trigger = EncordTasksEventTrigger(project_id=board.id, stage=board.first)
            async with watching(trigger, store=store) as (after,):
                await until(lambda: len(board.requests("/tasks")) >= 2 + 3 + 1)
        assert after.payloads == before.payloads, "no task left the stage and came back"

    in_loop(scenario)
    board.emulator.clear_faults()


@needs_asset_state
def test_a_state_that_cannot_be_written_ends_nothing(board: Board, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        store = Store()
        store.broken = True
        async with watching(EncordTasksEventTrigger(project_id=board.id, stage=board.first), store=store) as (watcher,):
            await until(lambda: bool(watcher.payloads))
        assert store.values == {}

    in_loop(scenario)
    assert "The state of the watcher could not be stored: The database is locked." in caplog.text


@needs_asset_state
def test_a_state_of_another_form_is_not_used(board: Board, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        store = Store()
        await store.aset(f"encord_tasks_{board.stages[board.first]}", {"announced": "of the future"})
        async with watching(EncordTasksEventTrigger(project_id=board.id, stage=board.first), store=store) as (watcher,):
            await until(lambda: bool(watcher.payloads))

    in_loop(scenario)
    assert "cannot be used" in caplog.text


def test_a_dead_key_costs_one_request_and_one_line_of_the_log(
    board: Board, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = _unregistered_key()
    monkeypatch.setenv(SSH_CONNECTION, connection(board.emulator.url, private_key=dead))

    def asked() -> list[str]:  # a request of an earlier test may end late
        return [path for path in board.requests() if path == "/public" or board.id in path]

    async def scenario() -> None:
        async with watching(
            EncordTasksEventTrigger(project_id=board.id, stage=board.first),
            EncordLabelsEventTrigger(project_id=board.id),
        ):
            await until(lambda: len(asked()) >= 2)
            await asyncio.sleep(20 * INTERVAL)
            assert len(asked()) == 2, "one for each question"

    with caplog.at_level(logging.WARNING):
        in_loop(scenario)
    assert caplog.text.count("A poll failed; the watcher goes on") == 2
    assert dead.splitlines()[1] not in caplog.text


def test_a_new_key_ends_the_pause(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    good = os.environ[SSH_CONNECTION]
    monkeypatch.setattr(event_source, "PAUSE", 0.3)
    monkeypatch.setattr(event_source, "LONGEST_PAUSE", 1000)
    monkeypatch.setenv(SSH_CONNECTION, connection(board.emulator.url, private_key=_unregistered_key()))

    async def scenario() -> None:
        async with watching(EncordTasksEventTrigger(project_id=board.id, stage=board.first)) as (watcher,):
            await until(lambda: len(board.requests()) >= 2)
            monkeypatch.setenv(SSH_CONNECTION, good)
            await until(lambda: bool(watcher.payloads))

    in_loop(scenario)


def test_a_connection_that_can_be_read_again_ends_the_pause(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    good = os.environ[SSH_CONNECTION]
    monkeypatch.setattr(event_source, "PAUSE", 0.05)
    monkeypatch.setattr(event_source, "LONGEST_PAUSE", 1000)
    monkeypatch.setenv(SSH_CONNECTION, connection(board.emulator.url, private_key="not a key"))

    async def scenario() -> None:
        source = EncordTasksEventTrigger(project_id=board.id, stage=board.first)._source()
        source._waiter.interval = INTERVAL
        async with contextlib.aclosing(source.snapshots()) as snapshots:
            first = asyncio.create_task(anext(snapshots))
            await until(lambda: source._failures >= 8)
            monkeypatch.setenv(SSH_CONNECTION, good)
            began = asyncio.get_running_loop().time()
            await first
            assert asyncio.get_running_loop().time() - began < 0.05 * 2**7 / 2, "it did not wait for the end"

    in_loop(scenario)


def test_an_unknown_stage_is_reported_with_those_that_exist(board: Board, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with watching(EncordTasksEventTrigger(project_id=board.id, stage="Reviw")):
            await until(lambda: "Reviw" in caplog.text)

    in_loop(scenario)
    assert f"'{board.second}'" in caplog.text


def test_a_missing_connection_ends_nothing(board: Board, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        trigger = EncordTasksEventTrigger(project_id=board.id, stage=board.first, encord_conn_id="encord_nowhere")
        async with watching(trigger):
            await until(lambda: "encord_nowhere" in caplog.text)

    in_loop(scenario)


def test_temporary_failures_only_delay_events(board: Board) -> None:
    board.emulator.faults([{"match": {"path": "/tasks$"}, "when": {"times": 8}, "do": {"status": 503}}])

    async def scenario() -> None:
        async with watching(EncordTasksEventTrigger(project_id=board.id, stage=board.first)) as (watcher,):
            await until(lambda: bool(watcher.payloads))

    in_loop(scenario)
    board.emulator.clear_faults()


@needs_asset_state
def test_edited_rows_are_announced_once_each_time_they_are_edited(board: Board) -> None:
    def edit(count: int) -> None:
        board.emulator.annotate(board.id, count=count)

    async def scenario() -> None:
        store = Store()
        async with watching(EncordLabelsEventTrigger(project_id=board.id), store=store) as (watcher,):
            await until(lambda: len(board.requests()) >= 2)
            await asyncio.to_thread(edit, 2)
            await until(lambda: bool(watcher.payloads))
            polled = len(board.requests())
            await until(lambda: len(board.requests()) > polled + 3)
        (payload,) = watcher.payloads
        assert (payload["kind"], payload["branch"], payload["rows"]) == ("labels", "main", 2)
        assert {row["data_hash"] for row in payload["label_rows"]} <= set(board.data_hashes)
        assert set(store.assets) == {labels_uri(board.emulator.url, board.id)}
        await asyncio.to_thread(edit, 1)  # while nothing watches
        async with watching(EncordLabelsEventTrigger(project_id=board.id), store=store) as (watcher,):
            await until(lambda: len(watcher.payloads) >= 2)
        again, later = watcher.payloads[:2]
        assert again == payload, "it was never confirmed"
        assert later["rows"] == 1

    in_loop(scenario)


def test_a_watcher_without_a_state_announces_again_the_edits_of_the_last_hour(board: Board) -> None:
    board.emulator.annotate(board.id, count=2)

    async def scenario() -> None:
        async with watching(EncordLabelsEventTrigger(project_id=board.id)) as (watcher,):
            await until(lambda: bool(watcher.payloads))
        assert watcher.payloads[0]["rows"] == 2

    in_loop(scenario)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"project_id": "my project"}, "project_id: 'my project' is not an id"),
        ({"stage": " "}, "stage: ' ' is wrong. Pass the title or the id of a stage."),
        ({"batch_size": 0}, "batch_size: 0 is wrong. Pass a number from 1."),
        ({"max_wait_seconds": 0}, "max_wait_seconds: 0 is wrong."),
        ({"poll_interval": 1}, "poll_interval: 1 is wrong. Pass at least 5 seconds."),
        ({"batch_size": float("inf")}, "batch_size: inf is wrong."),
        ({"max_wait_seconds": float("inf")}, "max_wait_seconds: inf is wrong."),
        ({"poll_interval": float("inf")}, "poll_interval: inf is wrong."),
        ({"repeat_seconds": float("inf")}, "repeat_seconds: inf is wrong."),
        ({"repeat_seconds": 60}, "repeat_seconds: 60 is wrong. Pass more than poll_interval (60 seconds)."),
    ],
)
def test_wrong_arguments_are_refused_when_the_dag_is_parsed(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        EncordTasksEventTrigger(**{"project_id": PROJECT, "stage": "Review", **arguments})
    assert message in str(caught.value)


def test_ids_are_written_as_encord_writes_them() -> None:
    project = "ABCDEF11-1111-4111-8111-111111111111"
    assert EncordTasksEventTrigger(project_id=project, stage="Review").project_id == project.lower()


def test_a_wrong_time_is_refused_when_the_dag_is_parsed() -> None:
    with pytest.raises(ValueError, match="edited_after: 'yesterday' is not a time"):
        EncordLabelsEventTrigger(project_id=PROJECT, edited_after="yesterday")


@pytest.mark.parametrize(
    "trigger",
    [
        EncordTasksEventTrigger(project_id=PROJECT, stage="Review", max_wait_seconds=5, asset_name="x"),
        EncordLabelsEventTrigger(project_id=PROJECT, edited_after="2026-01-01", branch="draft"),
    ],
)
def test_a_trigger_is_stored_and_created_again(trigger: EncordBaseEventTrigger) -> None:
    path, arguments = trigger.serialize()
    assert path == f"airflow_provider_encord.triggers.events.{type(trigger).__name__}"
    again = type(trigger)(**json.loads(json.dumps(arguments)))
    assert again.serialize() == trigger.serialize()
    assert again.shared_stream_key() == trigger.shared_stream_key()


def _unregistered_key() -> str:
    from tests.client import keys

    return keys.openssh(keys.new_key())
