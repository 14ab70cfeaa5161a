"""Waits in one triggerer share their polls: requests, cancellation, errors, rotated keys."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from airflow_provider_encord.triggers import shared_polls
from airflow_provider_encord.triggers.waits import EncordWaitTrigger
from airflow_provider_encord.waits.conditions import StatusCondition, TasksCondition, to_dictionary
from tests.airflow_layer.bench import SSH_CONNECTION, Account, connection
from tests.sensors.conftest import Board

SECONDS = 30
_NAP = 0.005  # seconds


def trigger(condition: Any, *, every: float = 0.2, conn: str = "encord_default") -> EncordWaitTrigger:
    return EncordWaitTrigger(
        condition=to_dictionary(condition),
        deadline=time.time() + SECONDS,
        encord_conn_id=conn,
        poll_interval=every,
    )


def tasks(board: Board, title: str, **limits: Any) -> TasksCondition:
    return TasksCondition(project_id=board.id, stage=board.stages[title], stage_title=title, **limits)


@dataclasses.dataclass
class Triggerer:
    """Runs triggers as Airflow's triggerer does: each is a task of one loop."""

    running: list[asyncio.Task[dict[str, Any]]] = dataclasses.field(default_factory=list)

    def start(self, *triggers: EncordWaitTrigger) -> list[asyncio.Task[dict[str, Any]]]:
        started = [asyncio.create_task(self._event(one)) for one in triggers]
        self.running += started
        return started

    async def _event(self, one: EncordWaitTrigger) -> dict[str, Any]:
        try:
            async for event in one.run():
                return dict(event.payload)
        finally:
            await one.cleanup()
        raise AssertionError("The trigger ended without an event.")


@contextlib.asynccontextmanager
async def triggerer() -> AsyncIterator[Triggerer]:
    runner = Triggerer()
    try:
        yield runner
    finally:
        for one in runner.running:
            one.cancel()
        await asyncio.gather(*runner.running, return_exceptions=True)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not true():
            await asyncio.sleep(0.01)


def polling() -> list[str]:
    """The tasks of shared polls that are not finished."""
    return [str(one) for one in asyncio.all_tasks() if "SharedPoll" in str(one)]


def in_loop(scenario: Callable[[], Any]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), SECONDS))


def asked(board: Board) -> int:
    return len(board.requests("/tasks"))


def test_many_waits_on_a_stage_send_one_request_per_interval(board: Board) -> None:
    async def scenario() -> None:
        async with triggerer() as runner:
            waits = runner.start(*(trigger(tasks(board, board.second, min_tasks=1 + n % 3)) for n in range(300)))
            await until(lambda: asked(board) >= 5)
            began, before = time.monotonic(), asked(board)
            await until(lambda: asked(board) >= before + 10)
            assert time.monotonic() - began > 10 * 0.2 * 0.85
            await asyncio.to_thread(board.submit, 3)
            events = await asyncio.gather(*waits)
        assert {event["status"] for event in events} == {"met"}
        assert shared_polls.of_running_loop().polls == []

    in_loop(scenario)


def test_each_wait_evaluates_its_own_condition_and_the_largest_threshold_is_listed(board: Board) -> None:
    board.emulator.limits(page_size=2)

    async def scenario() -> None:
        async with triggerer() as runner:
            few, all_of_them, many = runner.start(
                trigger(tasks(board, board.first, max_tasks=2)),
                trigger(tasks(board, board.first, min_tasks=6)),
                trigger(tasks(board, board.first, min_tasks=100)),
            )
            assert (await all_of_them)["found"]["tasks"] == 6
            await until(lambda: asked(board) >= 6)
            await asyncio.to_thread(board.submit, 4)
            event = await few
            assert (event["found"]["tasks"], event["found"]["all_listed"]) == (2, True)
            assert not many.done()

    in_loop(scenario)


def test_the_shortest_interval_counts_also_if_it_joins_later(board: Board) -> None:
    async def scenario() -> None:
        async with triggerer() as runner:
            runner.start(trigger(tasks(board, board.second, min_tasks=1), every=20))
            await asyncio.sleep(0)
            polls = shared_polls.of_running_loop()
            client = await polls.client("encord_default")
            question = tasks(board, board.second, min_tasks=1).question
            slow = shared_polls.Waiter(interval=20, needs=1)
            with polls.joined(client, question, slow) as poll:
                await asyncio.sleep(0.05)
                assert asked(board) == 0
                runner.start(trigger(tasks(board, board.second, min_tasks=1)))
                await until(lambda: asked(board) >= 3)
                assert poll.waiters == 2

    in_loop(scenario)


def test_a_poll_ends_when_its_last_wait_is_cancelled(board: Board) -> None:
    async def scenario() -> None:
        async with triggerer() as runner:
            first, second = runner.start(*(trigger(tasks(board, board.second, min_tasks=1)) for _ in range(2)))
            await until(lambda: asked(board) >= 2)
            (poll,) = shared_polls.of_running_loop().polls
            assert len(polling()) == 1
            first.cancel()
            await until(lambda: poll.waiters == 1)
            before = asked(board)
            await until(lambda: asked(board) > before)
            second.cancel()
            await until(lambda: not shared_polls.of_running_loop().polls)
            before = asked(board)
            await asyncio.sleep(0.6)
            assert asked(board) == before
            assert polling() == []

    in_loop(scenario)


def test_a_poll_is_cancelled_while_its_request_has_no_response(board: Board) -> None:
    board.emulator.faults([{"match": {"path": "/tasks$"}, "do": {"delay_s": 60}}])

    async def scenario() -> None:
        async with triggerer() as runner:
            (wait,) = runner.start(trigger(tasks(board, board.second, min_tasks=1), every=0.05))
            await until(lambda: bool(shared_polls.of_running_loop().polls))
            await asyncio.sleep(0.3)
            wait.cancel()
            await asyncio.gather(wait, return_exceptions=True)
            await until(lambda: polling() == [])

    in_loop(scenario)


def test_an_error_of_one_question_does_not_end_the_waits_of_another(board: Board) -> None:
    gone = {"status": 404, "json": {"message": "no such stage"}}
    board.emulator.faults([{"match": {"path": f"{board.stages[board.first]}/tasks$"}, "do": gone}])

    async def scenario() -> None:
        async with triggerer() as runner:
            bad, good = runner.start(
                trigger(tasks(board, board.first, min_tasks=100)), trigger(tasks(board, board.second, min_tasks=1))
            )
            event = await bad
            assert (event["status"], event["retryable"]) == ("error", False)
            board.emulator.clear_faults()
            await asyncio.to_thread(board.submit, 1)
            assert (await good)["status"] == "met"

    in_loop(scenario)


def test_a_condition_that_cannot_be_read_does_not_end_the_waits_beside_it(board: Board) -> None:
    async def scenario() -> None:
        async with triggerer() as runner:
            strange = trigger(tasks(board, board.second, min_tasks=1))
            strange.condition = {"type": "of the future"}
            bad, good = runner.start(strange, trigger(tasks(board, board.second, min_tasks=1)))
            event = await bad
            assert event["status"] == "error"
            assert "Clear the task" in event["message"]
            await asyncio.to_thread(board.submit, 1)
            assert (await good)["status"] == "met"

    in_loop(scenario)


def test_temporary_failures_end_no_wait_and_the_wait_that_encord_asks_for_is_kept(board: Board) -> None:
    busy = {"status": 429, "headers": {"Retry-After": "61"}}  # longer than a request waits by itself
    board.emulator.faults([{"match": {"path": "/tasks$"}, "do": busy, "when": {"nth": 1}}])

    async def scenario() -> None:
        async with triggerer() as runner:
            (wait,) = runner.start(trigger(tasks(board, board.second, min_tasks=1), every=0.05))
            await until(lambda: asked(board) == 1)
            await asyncio.sleep(1)
            assert asked(board) == 1
            assert not wait.done()

    in_loop(scenario)


def test_a_stage_that_is_not_known_yet_is_found_by_one_request_for_all_waits(board: Board) -> None:
    unsettled = TasksCondition(project_id=board.id, stage=board.first, min_tasks=6)

    async def scenario() -> None:
        async with triggerer() as runner:
            events = await asyncio.gather(*runner.start(*(trigger(unsettled) for _ in range(50))))
        assert {event["found"]["stage_id"] for event in events} == {board.stages[board.first]}

    in_loop(scenario)
    assert len(board.requests()) == 2


def test_an_unknown_stage_ends_the_wait_and_names_the_stages(board: Board) -> None:
    async def scenario() -> None:
        async with triggerer() as runner:
            (wait,) = runner.start(trigger(TasksCondition(project_id=board.id, stage="Nowhere", min_tasks=6)))
            event = await wait
        assert event["status"] == "error"
        assert all(title in event["message"] for title in board.stages)

    in_loop(scenario)


def test_connections_with_equal_content_share_a_poll_and_others_do_not(
    board: Board, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SAME", account.connection())
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", Account(account.emulator).connection())

    async def scenario() -> None:
        async with triggerer() as runner:
            condition = tasks(board, board.second, min_tasks=1)
            one, same, other = runner.start(
                *(trigger(condition, conn=name) for name in ("encord_default", "same", "other"))
            )
            event = await other
            assert (event["status"], event["retryable"]) == ("error", False)
            await until(lambda: asked(board) >= 4)
            (poll,) = shared_polls.of_running_loop().polls
            assert poll.waiters == 2
            assert not one.done()
            assert not same.done()

    in_loop(scenario)


def test_a_wait_survives_the_rotation_of_its_key(board: Board, account: Account) -> None:
    """The old key is refused; the connection has the new one by then."""
    new = Account(account.emulator, email=account.email)

    async def scenario() -> None:
        async with triggerer() as runner:
            waits = runner.start(*(trigger(tasks(board, board.second, min_tasks=1)) for _ in range(20)))
            await until(lambda: asked(board) >= 2)
            os.environ[SSH_CONNECTION] = new.connection()  # restored by the fixture that set it
            refused = {"status": 401, "json": {"message": "unknown key"}}
            account.emulator.faults([{"match": {"path": "/tasks$"}, "do": refused, "when": {"times": 1}}])
            await until(lambda: len({one["credential"] for one in account.emulator.journal()}) == 2)
            assert not [wait for wait in waits if wait.done()]
            assert [one["status"] for one in account.emulator.journal()].count(401) == 1
            await asyncio.to_thread(board.submit, 1)
            assert {event["status"] for event in await asyncio.gather(*waits)} == {"met"}

    in_loop(scenario)


def test_a_missing_connection_ends_the_wait(board: Board) -> None:
    async def scenario() -> None:
        async with triggerer() as runner:
            (wait,) = runner.start(trigger(tasks(board, board.second, min_tasks=1), conn="nowhere"))
            event = await wait
        assert (event["status"], event["retryable"]) == ("error", False)
        assert "nowhere" in event["message"]

    in_loop(scenario)


def test_an_unusable_key_ends_the_wait_without_the_key(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_BROKEN", connection(board.emulator.url, private_key="not-a-key-but-secret"))

    async def scenario() -> None:
        async with triggerer() as runner:
            (wait,) = runner.start(trigger(tasks(board, board.second, min_tasks=1), conn="broken"))
            event = await wait
        assert (event["status"], event["retryable"]) == ("error", False)
        assert "secret" not in event["message"]

    in_loop(scenario)


def test_a_connection_is_read_a_few_times_however_many_wait(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = 0
    real = os.environ[SSH_CONNECTION]

    class Counting(dict[str, str]):
        def get(self, name: str, default: Any = None) -> Any:
            nonlocal reads
            reads += name == SSH_CONNECTION
            return super().get(name, default)

    monkeypatch.setattr(os, "environ", Counting(os.environ))
    assert os.environ.get(SSH_CONNECTION) == real

    async def scenario() -> None:
        async with triggerer() as runner:
            runner.start(*(trigger(tasks(board, board.second, min_tasks=1)) for _ in range(200)))
            await until(lambda: asked(board) >= 5)

    in_loop(scenario)
    assert 1 <= reads < 10


def test_waits_on_many_projects_do_not_hold_up_the_loop(account: Account) -> None:
    projects = [account.project(rows=1)["project_id"] for _ in range(40)]
    account.emulator.clear_journal()
    longest = {"loop": 0.0, "thread": 0.0}
    ended = threading.Event()

    def measure_machine() -> None:
        """A busy machine delays this thread, too."""
        while not ended.is_set():
            began = time.monotonic()
            time.sleep(_NAP)
            longest["thread"] = max(longest["thread"], time.monotonic() - began)

    async def scenario() -> None:
        async with triggerer() as runner:
            conditions = [StatusCondition(project_id=one, statuses=["completed"]) for one in projects]
            runner.start(*(trigger(one, every=0.5) for one in conditions))
            while len(await asyncio.to_thread(account.emulator.journal)) < 80:
                began = time.monotonic()
                await asyncio.sleep(_NAP)
                longest["loop"] = max(longest["loop"], time.monotonic() - began)

    thread = threading.Thread(target=measure_machine)
    thread.start()
    try:
        in_loop(scenario)
    finally:
        ended.set()
        thread.join()
    assert longest["loop"] - longest["thread"] < 0.5
