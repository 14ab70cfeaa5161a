"""Where the pace is kept, and how calls of several threads, processes and transports wait for their turn together."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import stat
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.client.errors import RateLimitedError
from airflow_provider_encord.client.transport.pace import Pace
from airflow_provider_encord.client.transport.pacing import (
    FileStore,
    MemoryStore,
    Pacer,
    Store,
    Turn,
    shared_file,
    shared_name,
)
from airflow_provider_encord.client.transport.retry import ATTEMPTS
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.client.transport.sync import SyncTransport
from airflow_provider_encord.defaults import LONGEST_WAIT, LONGEST_WAIT_IN_ALL
from tests.client.scripted_server import ScriptedServer, answer
from tests.client.sending import sender
from tests.client.transport.test_retry import FINE, READ, Clock, call_v1
from tests.wire.vectors import ssh_key

SPAWN = multiprocessing.get_context("spawn")
FORK = multiprocessing.get_context("fork")


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryStore() if request.param == "memory" else FileStore(tmp_path / "pace")


def count(store: Store, times: int) -> None:
    for _ in range(times):
        store.update(Pace.take)


def taken(store: Store) -> float:
    return store.update(lambda pace: pace.taken)


def test_changes_of_many_threads_are_all_there(store: Store) -> None:
    threads = [threading.Thread(target=count, args=(store, 200)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken(store) == 1600


def _count_in_process(path: Path, times: int) -> None:
    count(FileStore(path), times)


def test_changes_of_many_processes_are_all_there(tmp_path: Path) -> None:
    processes = [SPAWN.Process(target=_count_in_process, args=(tmp_path / "pace", 500)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert taken(FileStore(tmp_path / "pace")) == 2000


def test_a_fork_does_not_share_the_lock(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "pace")
    count(store, 1)
    processes = [FORK.Process(target=count, args=(store, 500)) for _ in range(3)]
    for process in processes:
        process.start()
    count(store, 500)
    for process in processes:
        process.join()
    assert taken(store) == 2001


@pytest.mark.parametrize("content", [b"", b"x", b"\xff" * 72, b"\0" * 4096, random.Random(1).randbytes(72)])
def test_a_damaged_file_is_begun_afresh_or_harmless(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pace"
    path.write_bytes(content)
    turn = Pacer(FileStore(path), clock=lambda: 1e9).turn("x", patient=True)
    assert turn.seconds() == 0


def test_a_file_that_cannot_be_used_stops_nothing(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "no such directory" / "pace")
    assert [store.update(Pace.take) for _ in range(3)] == [0.0, 1.0, 2.0]


def test_a_wait_is_kept_if_the_file_cannot_be_used(server: ScriptedServer, tmp_path: Path, kind: str) -> None:
    """Without a place for it, the refusal was forgotten, and the request was sent again at once, without an end."""
    clock = Clock()
    pacer = Pacer(FileStore(tmp_path / "no such directory" / "pace"), clock=clock)
    server.will(answer(429, headers={"Retry-After": "20"}), FINE)
    with sender(
        kind, ssh_key(), Settings(base_url=server.url), sleep=clock.sleep, clock=clock, pacer=pacer
    ) as transport:
        transport.send(call_v1(**READ))
    assert clock.waits == [pytest.approx(20)]


def test_a_process_that_stands_still_with_the_lock_stops_no_other_for_long(tmp_path: Path) -> None:
    """The others know what was there before: they went on as if Encord had never refused anything."""
    path = tmp_path / "pace"
    FileStore(path).update(lambda pace: pace.refuse(1000.0, sent_at=1000.0, seconds=20.0))
    holding, release = SPAWN.Event(), SPAWN.Event()
    process = SPAWN.Process(target=_hold, args=(path, holding, release))
    process.start()
    try:
        assert holding.wait(30)
        begun = time.monotonic()
        store = FileStore(path)
        assert [store.update(Pace.take) for _ in range(3)] == [0.0, 1.0, 2.0]
        assert store.update(lambda pace: pace.wait(1000.0, 0)) == 20.0
        assert time.monotonic() - begun < 5
    finally:
        release.set()
        process.join()


def _hold(path: Path, holding: Any, release: Any) -> None:
    def change(pace: Pace) -> None:
        holding.set()
        release.wait(60)

    FileStore(path).update(change)


def test_a_store_that_is_not_used_any_more_leaves_no_file_open(tmp_path: Path) -> None:
    """A task may have many hooks, and each has a store."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        FileStore(tmp_path / "pace").update(Pace.take)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_shared_file_is_our_own_and_its_name_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    names = [shared_name("https://host", key) for key in ("a key", "a key", "another")]
    one, same, other = (shared_file(name) for name in names)
    assert one == same != other
    assert one is not None
    assert not {"key", "host"} & set(one.name.split("-"))
    assert stat.S_IMODE(one.parent.stat().st_mode) == 0o700
    count(FileStore(one), 1)
    assert stat.S_IMODE(one.stat().st_mode) == 0o600


def test_a_directory_that_is_somebody_elses_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"airflow-provider-encord-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    assert shared_file("x") is None


# Turns


def test_what_one_transport_is_asked_to_wait_all_wait(server: ScriptedServer, store: Store, kind: str) -> None:
    clock = Clock()
    settings = Settings(base_url=server.url)

    def pacer() -> Pacer:
        return Pacer(store, clock=clock)

    server.will(answer(429, headers={"Retry-After": "61"}), FINE)
    with (
        sender(kind, ssh_key(), settings, sleep=clock.sleep, clock=clock, pacer=pacer()) as one,
        pytest.raises(RateLimitedError),
    ):
        one.send(call_v1(**READ))
    clock.now += 10
    with sender(kind, ssh_key(), settings, sleep=clock.sleep, clock=clock, pacer=pacer()) as other:
        other.send(call_v1(**READ))
    assert clock.waits == [pytest.approx(51)]
    assert len(server.requests) == 2


def test_a_wait_that_is_too_long_is_an_error_and_sends_nothing(server: ScriptedServer, kind: str) -> None:
    clock = Clock()
    pacer = Pacer(MemoryStore(), longest=5, clock=clock)
    server.will(answer(429, headers={"Retry-After": "20"}), FINE)
    with sender(
        kind, ssh_key(), Settings(base_url=server.url), sleep=clock.sleep, clock=clock, pacer=pacer
    ) as transport:
        for asked, sent in ((20, 1), (20, 1), (8, 1)):
            if sent == 1 and asked == 8:
                clock.now += 12
            with pytest.raises(RateLimitedError) as caught:
                transport.send(call_v1(**READ))
            assert caught.value.retry_after == pytest.approx(asked, abs=0.01)
            assert caught.value.operation == "project.get"
            assert len(server.requests) == sent
        clock.now += 4
        transport.send(call_v1(**READ))
    assert clock.waits == [pytest.approx(4)]


def test_refusals_without_an_end_end(server: ScriptedServer, kind: str) -> None:
    clock = Clock()
    server.always(answer(429, headers={"Retry-After": "50"}))
    with (
        sender(kind, ssh_key(), Settings(base_url=server.url), sleep=clock.sleep, clock=clock) as transport,
        pytest.raises(RateLimitedError),
    ):
        transport.send(call_v1(**READ))
    assert sum(clock.waits) <= LONGEST_WAIT_IN_ALL
    assert len(server.requests) == 1 + LONGEST_WAIT_IN_ALL / 50


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "0"}])
def test_refusals_without_a_time_end_as_other_failures_do(
    server: ScriptedServer, kind: str, headers: dict[str, str]
) -> None:
    clock = Clock()
    server.always(answer(429, headers=headers))
    with (
        sender(kind, ssh_key(), Settings(base_url=server.url), sleep=clock.sleep, clock=clock) as transport,
        pytest.raises(RateLimitedError),
    ):
        transport.send(call_v1(**READ))
    assert len(server.requests) == ATTEMPTS


def test_the_rate_that_is_set_is_kept_between_transports(server: ScriptedServer, store: Store, kind: str) -> None:
    clock = Clock()
    server.always(FINE)
    for _ in range(10):
        pacer = Pacer(store, rate=4, clock=clock)
        with sender(
            kind, ssh_key(), Settings(base_url=server.url), sleep=clock.sleep, clock=clock, pacer=pacer
        ) as transport:
            transport.send(call_v1(**READ))
    assert clock.waits == pytest.approx([0.25] * 9)


def test_a_refusal_for_a_minute_is_waited_for_whatever_is_added_to_it() -> None:
    """With what is added so that machines do not meet again, it was longer than a call may wait."""
    for _ in range(50):
        clock = Clock()
        turn = Pacer(MemoryStore(), spread=0.05, clock=clock).turn("project.get", patient=True)
        assert turn.seconds() == 0
        turn.refused(RateLimitedError("Too many requests.", retry_after=LONGEST_WAIT))
        assert LONGEST_WAIT <= turn.seconds() <= LONGEST_WAIT * 1.05


def test_refusals_without_a_time_say_when_to_try_again_to_a_client_that_waits_elsewhere() -> None:
    """Otherwise its task fails instead of being deferred."""
    clock = Clock()
    turn = Pacer(MemoryStore(), longest=5, clock=clock).turn("project.get", patient=True)

    def refuse() -> None:
        for _ in range(ATTEMPTS):
            while seconds := turn.seconds():
                clock.now += seconds
            turn.refused(RateLimitedError("Too many requests."))

    with pytest.raises(RateLimitedError) as caught:
        refuse()
    assert caught.value.retry_after
    assert caught.value.wait_elsewhere


def test_those_who_are_refused_keep_their_places() -> None:
    """They went to the end of the queue, and waited for all others once more."""
    clock = Clock()
    store = MemoryStore()
    first, second, *others = [Pacer(store, rate=1, clock=clock).turn("project.get", patient=True) for _ in range(6)]
    assert first.seconds() == 0
    waits = {turn: turn.seconds() for turn in (second, *others)}
    clock.now += 1
    assert _asks_now(second) == 0  # both are on their way
    for turn in (first, second):
        turn.refused(RateLimitedError("Too many requests.", retry_after=10.0))
    order = sorted((first, second, *others), key=_asks_now)
    assert set(order[:2]) == {first, second}
    assert order[2:] == sorted(others, key=waits.__getitem__)


def _asks_now(turn: Turn) -> float:
    turn._sent_at = 0.0  # not when it was to ask again
    return turn.seconds()


def test_one_request_of_a_client_keeps_its_place() -> None:
    """Its threads ask one after the other, so the places of others would pass unused."""
    clock = Clock()
    pacer = Pacer(MemoryStore(), clock=clock)
    first, second = (pacer.turn("project.get", patient=True) for _ in range(2))
    for turn in (first, second):
        assert turn.seconds() == 0
    for turn in (first, second):
        turn.refused(RateLimitedError("Too many requests.", retry_after=10.0))
    assert (first.keeps_place, second.keeps_place) == (True, False)
    clock.now += 10
    assert first.seconds() == 0
    assert not first.keeps_place


def test_who_keeps_its_place_waits_beside_another_thread_of_its_client(server: ScriptedServer) -> None:
    clock = Clock()
    server.will(answer(429, headers={"Retry-After": "10"}), FINE)
    others_may_ask = []

    def sleep(seconds: float) -> None:
        others_may_ask.append(transport._own_queue().acquire(blocking=False))
        transport._own_queue().release()
        clock.sleep(seconds)

    transport = SyncTransport(ssh_key(), Settings(base_url=server.url), sleep=sleep, clock=clock)
    with contextlib.closing(transport):
        transport.send(call_v1(**READ))
    assert others_may_ask == [True]


def test_who_comes_long_after_its_turn_waits_behind_those_who_came_in_time() -> None:
    """All whom others had passed were the next, at the same time."""
    clock = Clock()
    store = MemoryStore()

    def learn(pace: Pace) -> None:
        pace.refuse(clock.now, sent_at=clock.now, seconds=0.0)
        pace.learned = 0.1

    store.update(learn)
    first, late, *others = [Pacer(store, clock=clock).turn("project.get", patient=True) for _ in range(60)]
    assert [turn.seconds() == 0 for turn in (first, late, *others)].count(True) == 1
    clock.now += 0.2  # the number of the late one is passed over
    for turn in others[:38]:
        assert _asks_now(turn) == 0
        clock.now += 0.1
    assert _asks_now(others[38]) == 0
    behind = max(_asks_now(turn) for turn in others[39:])
    assert _asks_now(late) > behind


def test_who_leaves_the_queue_does_not_count_in_it() -> None:
    clock = Clock()
    store = MemoryStore()
    crowd = [Pacer(store, rate=1, clock=clock).turn("project.get", patient=True) for _ in range(100)]
    first, *others = crowd
    assert first.seconds() == 0
    assert all(turn.seconds() > 0 for turn in others)
    with pytest.raises(RateLimitedError):
        first.refused(RateLimitedError("Too many requests.", retry_after=120.0))
    clock.now += 1
    for turn in others:
        with pytest.raises(RateLimitedError):
            _asks_now(turn)
    clock.now += 120
    assert Pacer(store, rate=1, clock=clock).turn("project.get", patient=True).seconds() <= 2


def test_those_who_were_sent_away_and_are_gone_delay_no_others() -> None:
    clock = Clock()
    store = MemoryStore()

    def turn() -> Turn:
        return Pacer(store, rate=1, longest=5, clock=clock).turn("project.get", patient=True)

    for _ in range(300):
        with contextlib.suppress(RateLimitedError):
            turn().seconds()
    clock.now += 30
    assert turn().seconds() == 0
    for _ in range(10):
        with contextlib.suppress(RateLimitedError):
            turn().seconds()
    with pytest.raises(RateLimitedError) as caught:
        turn().seconds()
    assert (caught.value.retry_after or 0) <= 20
