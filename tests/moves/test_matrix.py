"""Every cell of the matrix, proved from the emulator's truth, its journal, and the files."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.get_provider_info import get_provider_info
from airflow_provider_encord.operators.base import EncordBaseOperator
from airflow_provider_encord.sensors.base import EncordBaseSensor
from tests.airflow_layer.bench import Account
from tests.airflow_layer.lines import running_line
from tests.moves.attempts import DAYS, End, Run, Worker, at_once, attempt, until_it_ends
from tests.moves.matrix import MATRIX, MOVES, READS_ONLY, Cell
from tests.moves.scenario import Scenario
from tests.pauses import end_pauses

IN_DAGS = ("mapped", "native")
CELLS = [
    pytest.param(scenario, move, cell, id=f"{scenario.__name__}-{move}")
    for scenario, row in MATRIX.items()
    for move, cell in row.items()
    if not cell.skipped and move not in IN_DAGS
]


def test_every_operator_that_changes_something_or_writes_files_has_a_row() -> None:
    info = get_provider_info()
    groups = [*info["operators"], *info["sensors"]]
    modules = [module for group in groups for module in group["python-modules"]]
    operators = {
        name
        for module in modules
        for name, one in inspect.getmembers(importlib.import_module(module), inspect.isclass)
        if issubclass(one, EncordBaseOperator) and name.startswith("Encord") and not inspect.isabstract(one)
    }
    rows = {scenario.operator.__name__ for scenario in MATRIX}
    assert operators - rows - READS_ONLY == set(), "give it a row in tests/moves/matrix.py"
    assert not rows & READS_ONLY


def test_every_sensor_reads_only() -> None:
    """One that changed something would need a row. Their base is abstract, so that no task is made of it."""
    ours = [one for one in EncordBaseSensor.__subclasses__() if one.__module__.startswith("airflow_provider_encord")]
    assert inspect.isabstract(EncordBaseSensor)
    assert {one.__name__ for one in ours} == {name for name in READS_ONLY if name.endswith("Sensor")}


def test_every_row_has_every_move() -> None:
    assert {scenario.__name__: set(row) for scenario, row in MATRIX.items()} == {
        scenario.__name__: set(MOVES) for scenario in MATRIX
    }


class Cellmate:
    """Plays a move of a scenario."""

    def __init__(self, scenario: Scenario, cell: Cell):
        self.scenario, self.cell, self.operator = scenario, cell, scenario.operator
        self.run = Run(scenario.directory)
        self._written_before = set(self._written())

    def begin(self) -> None:
        """The first attempt, which succeeds."""
        self.succeed(attempt(self.operator, self.scenario.arguments(), self.run))
        assert self.scenario.requests() or not self.scenario.asks_encord, (
            "its requests are not seen, so no later one would be"
        )
        assert self.scenario.truth() == self.scenario.goal()
        self.scenario.emulator.clear_journal()

    def again(self, run: Run) -> None:
        """An attempt after all is done: nothing is lost or doubled, and nothing is sent that need not be."""
        before = self.scenario.truth()
        end = until_it_ends(self.operator, self.scenario.arguments(), run)
        self.check(end, before)
        if end.succeeded and not self.cell.sends:
            assert self.scenario.changes() == []

    def check(self, end: End, before: Any = None) -> None:
        """How the last attempt ended, and the state now."""
        if self.cell.refused:
            assert end.error is not None
            assert self.cell.refused in str(end.error)
        elif end.error is not None and self.cell.refused_without_state and running_line() != "3.3":
            assert self.cell.refused_without_state in str(end.error)
        else:
            self.succeed(end)
        expected = before if self.cell.kept else self.scenario.goal()
        assert self.scenario.truth() == expected

    def succeed(self, end: End) -> None:
        if end.error is not None:
            raise AssertionError(f"{self.operator.__name__} failed") from end.error

    def twice(self) -> None:
        self.begin()
        self.again(Run(self.scenario.directory, DAYS[1]))

    def cleared(self) -> None:
        self.begin()
        assert self.run.store.keys == []
        self.again(self.run)

    def corrected(self) -> None:
        end = attempt(self.operator, self.scenario.wrong(), self.run)
        assert end.error is not None
        assert not end.retryable, "a retry cannot mend a wrong argument"
        assert self.run.store.keys == []
        self.check(until_it_ends(self.operator, self.scenario.arguments(), self.run))

    def changed(self) -> None:
        self.begin()
        before = self.scenario.truth()
        self.scenario.gain()
        self.check(until_it_ends(self.operator, self.scenario.arguments(), self.run), before)

    def lost(self) -> None:
        self._retried(self.scenario.lose)

    def gained(self) -> None:
        self._retried(self.scenario.gain)

    def _retried(self, change: Callable[[], None]) -> None:
        """The first attempt breaks, the world changes, and then comes the retry."""
        if not self.scenario.asks_encord:
            Worker(self.operator, self.scenario.arguments(), self.run).kill_when(self._wrote)
            change()
            self.check(until_it_ends(self.operator, self.scenario.arguments(), self.run))
            return
        busy = {"status": 429, "headers": {"Retry-After": "900"}}
        when = {"nth": self.scenario.broken_at}
        self.scenario.emulator.faults([{"match": {"path": "."}, "when": when, "do": busy}])
        end = attempt(self.operator, self.scenario.arguments(), self.run)
        self.scenario.emulator.clear_faults()
        end_pauses(self.scenario.emulator.url)
        assert end.retryable, f"it was to break, and ended with {end}"
        self.scenario.begun()
        change()
        self.check(until_it_ends(self.operator, self.scenario.arguments(), self.run))

    def at_once(self) -> None:
        arguments = self.scenario.arguments()
        runs = [Run(self.scenario.directory, day) for day in DAYS[:2]]
        ends = at_once([functools.partial(attempt, self.operator, arguments, run) for run in runs])
        self._settle(ends, [run for run, end in zip(runs, ends, strict=True) if end.retryable] or runs[:1])

    def zombie(self) -> None:
        """The first of two attempts of one task is slow, and Airflow has given it up."""
        slow = {"match": {"path": "."}, "when": {"nth": 3}, "do": {"delay_s": 0.7}}
        self.scenario.emulator.faults([slow])
        arguments = self.scenario.arguments()
        ends = at_once([functools.partial(attempt, self.operator, arguments, self.run)] * 2)
        self.scenario.emulator.clear_faults()
        self._settle(ends, [self.run])

    def _settle(self, ends: list[End], runs: list[Run]) -> None:
        """Retries find everything there, or do what is left; all that ended well agree."""
        arguments = self.scenario.arguments()
        settled = [until_it_ends(self.operator, arguments, run) for run in runs]
        refused = [end for end in settled if end.error is not None]
        assert not refused or (self.cell.refused or "\0") in str(refused[0].error), refused
        if self.cell.agree:
            results = [end.result for end in [*ends, *settled] if end.succeeded]
            assert len(set(results)) == 1, results
        else:
            assert self.scenario.truth() == self.scenario.goal()

    def backfill(self) -> None:
        self.run = Run(self.scenario.directory, DAYS[3])
        self.begin()
        self.again(Run(self.scenario.directory, DAYS[0]))

    def deferred(self) -> None:
        self.check(attempt(self.operator, self.scenario.arguments(), self.run, deferrable=True))
        assert self.run.store.keys == []

    def killed(self) -> None:
        worker = Worker(self.operator, self.scenario.arguments(), self.run)
        unfinished = worker.kill_when(lambda: bool(self.scenario.changes()) or self._wrote())
        if not unfinished or (self.scenario.ends_with_its_state and self.run.store.keys == []):
            assert self.scenario.truth() == self.scenario.goal()  # it was quicker
            return
        self.check(until_it_ends(self.operator, self.scenario.arguments(), self.run))

    def _wrote(self) -> bool:
        return not self._written_before.issuperset(self._written())

    def _written(self) -> Iterator[Path]:
        for name in ("labels-", "plan", "objects-"):
            yield from self.scenario.directory.glob(f"export/{name}*")


@pytest.fixture
def scenario(request: pytest.FixtureRequest, account: Account, tmp_path: Path) -> Scenario:
    made: Scenario = request.param(account, tmp_path)
    return made


@pytest.mark.system
@pytest.mark.parametrize(("scenario", "move", "cell"), CELLS, indirect=["scenario"])
def test_the_move_ends_right(scenario: Scenario, move: str, cell: Cell) -> None:
    getattr(Cellmate(scenario, cell), move.replace(" ", "_"))()
