"""Two exports with one destination, each of which stops at any of its steps on the disk while the other goes on."""

from __future__ import annotations

import functools
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.labels import ExportSpec, export_labels
from airflow_provider_encord.exports.manifest import MANIFEST, Layout, Manifest, read_manifest
from airflow_provider_encord.exports.reading import ReadOptions
from airflow_provider_encord.exports.verify import verify_files
from tests.exports.bench import QUESTION, Encord, units

DAYS = ("2026-11-23T00:00:00+00:00", "2026-11-24T00:00:00+00:00")
ROWS = 4
STEPS = ("iterdir", "read_bytes", "rename", "unlink")
DEADLINE = 60


class Process:
    """A process that stops before each step on the disk until it may do more of them."""

    def __init__(self, work: Callable[[], Any]):
        self._work, self._may, self._stopped = work, 0, False
        self._state = threading.Condition()
        self.result: Any = None
        self.error: BaseException | None = None
        self.ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Start it; it stops before its first step."""
        self._thread.start()
        self.go(0)

    def step(self) -> None:
        """Called by the process before each step."""
        with self._state:
            while self._may == 0:
                self._stopped = True
                self._state.notify_all()
                assert self._state.wait(DEADLINE)
            self._stopped = False
            self._may -= 1

    def go(self, steps: int) -> None:
        """Run this many steps, or to the end if there are fewer."""
        with self._state:
            self._may += steps
            self._stopped = False
            self._state.notify_all()
            assert self._state.wait_for(lambda: self._stopped or self.ended, DEADLINE)

    @property
    def is_current(self) -> bool:
        return threading.current_thread() is self._thread

    def _run(self) -> None:
        try:
            self.result = self._work()
        except BaseException as error:  # noqa: BLE001  # the test looks at it
            self.error = error
        with self._state:
            self.ended = True
            self._state.notify_all()


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    started: list[Process] = []
    for name in STEPS:
        monkeypatch.setattr(Path, name, _stopping(getattr(Path, name), started))
    monkeypatch.setattr(time, "sleep", _stopping(lambda _: None, started))  # while it waits for a lock
    return started


def _stopping(do: Callable[..., Any], processes: list[Process]) -> Callable[..., Any]:
    def stops_first(*args: Any, **kwargs: Any) -> Any:
        for process in processes:
            if process.is_current:
                process.step()
        return do(*args, **kwargs)

    return stops_first


def _export(directory: Path, day: str) -> Manifest:
    spec = ExportSpec(selection=QUESTION, layout=Layout(max_shard_bytes=300), logical_date=day)
    reading = ReadOptions(batch_size=2, max_concurrency=1)
    return export_labels(Encord(units(ROWS)).client(), spec, directory, reading=reading)


def _require_whole(directory: Path, manifest: Manifest) -> None:
    assert read_manifest(directory) == manifest
    assert [*verify_files(directory, manifest)] == []
    assert {path.name for path in directory.iterdir()} == {MANIFEST, *manifest.file_names}


@pytest.mark.parametrize("days", [DAYS, DAYS[:1] * 2], ids=["two dates", "one date"])
@pytest.mark.parametrize("first", range(24))
def test_one_of_them_ends_with_a_whole_export_and_a_retry_finds_its_place(tmp_path, processes, first, days):
    """Both failed, and every retry was refused because of a file of the one that was replaced."""
    for second in range(0, 24, 2):
        directory = tmp_path / str(second)
        processes[:] = [Process(functools.partial(_export, directory, day)) for day in days]
        one, other = processes
        one.start()
        other.start()
        one.go(first)
        other.go(second)
        while not (one.ended and other.ended):  # one may wait for a lock of the other
            one.go(20)
            other.go(20)
        _require_one_whole(directory, processes)


@pytest.mark.parametrize("seed", range(60))
def test_two_or_three_in_any_order_of_steps(tmp_path, processes, seed):
    chance = random.Random(seed)
    days = [chance.choice(DAYS) for _ in range(chance.choice([2, 3]))]
    processes[:] = [Process(functools.partial(_export, tmp_path, day)) for day in days]
    for process in processes:
        process.start()
    while running := [process for process in processes if not process.ended]:
        chance.choice(running).go(chance.choice([1, 1, 2, 3, 5, 8, 13]))
    _require_one_whole(tmp_path, processes)


def _require_one_whole(directory: Path, processes: list[Process]) -> None:
    ends = [process.error for process in processes]
    assert None in ends, ends
    for error in filter(None, ends):
        assert isinstance(error, InvalidArgumentError)
        assert "replaced" in str(error)
    processes.clear()
    _require_whole(directory, _export(directory, DAYS[0]))
