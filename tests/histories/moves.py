"""What every history has: runs of a task that are started, stopped, killed, retried, cleared and overlap; faults."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import os
import shutil
import sys
import tempfile
from abc import ABCMeta, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, StateMachineMeta, rule

from encord_emulator.process import Emulator
from tests.airflow_layer.bench import SSH_CONNECTION, Account
from tests.histories.processes import FAIL, GREEN, KILLED, RAW, RETRY, Attempt, End

MONDAY = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)
_ROUNDS = 4  # of retries, until all runs must have ended
_IN_USE = "is in use by the task"
_ANOTHER = "another attempt took"

STOPS = st.one_of(st.none(), st.integers(1, 8), st.integers(1, 30))
KILLS = st.sampled_from([False, False, True])
PICKS = st.integers(0, 7)
_WHENS = st.one_of(
    st.fixed_dictionaries({"nth": st.integers(1, 6)}),
    st.fixed_dictionaries({"nth": st.integers(1, 6)}),
    st.fixed_dictionaries({"times": st.integers(1, 8)}),
    st.fixed_dictionaries({"probability": st.just(0.3), "seed": st.integers(0, 99)}),
)
_SOON = {"Retry-After": "0"}
DEEDS = st.sampled_from(
    [
        {"cut": "before"},
        {"cut": "after"},
        {"cut": "after"},
        {"status": 429, "headers": _SOON},
        {"status": 503, "headers": {"Retry-After": "600"}},
        {"status": 503, "headers": _SOON},
        {"status": 500, "text": "<html>"},
        {"delay_s": 0.02},
    ]
)


class TaskState:
    """Airflow's store of a task's state, in files: attempts are processes."""

    def __init__(self, directory: Path):
        self._directory = directory

    def get(self, key: str, default: Any = None) -> Any:
        path = self._directory / f"{key}.json"
        return json.loads(path.read_text()) if path.exists() else default

    def set(self, key: str, value: Any, **_: Any) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        whole = self._directory / f"{key}.{os.getpid()}"
        whole.write_text(json.dumps(value))
        whole.rename(self._directory / f"{key}.json")

    def delete(self, key: str) -> None:
        (self._directory / f"{key}.json").unlink(missing_ok=True)


@dataclasses.dataclass
class Run:
    """A task instance.

    :param more: What the history says of it: arguments, its day.
    """

    number: int
    state: TaskState
    more: dict[str, Any]
    tries: int = 0
    end: End | None = None

    def context(self) -> dict[str, Any]:
        """What Airflow gives to the attempt."""
        return {
            "ti": _Instance(f"run-{self.number}", self.tries),
            "task_state_store": self.state,
            "logical_date": MONDAY + datetime.timedelta(days=self.more.get("day", self.number)),
        }


@dataclasses.dataclass
class _Instance:
    run_id: str
    try_number: int
    dag_id: str = "dag"
    task_id: str = "task"
    map_index: int = -1
    stats_tags: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def max_tries(self) -> int:
        return 2 if self.try_number <= 2 else self.try_number  # the third is the last; cleared ones have more

    def xcom_push(self, **_: Any) -> None:
        """Nothing is checked."""


@dataclasses.dataclass
class Live:
    """An attempt that is stopped."""

    run: Run
    number: int
    attempt: Attempt


class _AbstractMachine(ABCMeta, StateMachineMeta):
    """The metaclass of histories, which have methods to implement."""


class Moves(RuleBasedStateMachine, metaclass=_AbstractMachine):
    """The part that all histories share. They say what an attempt does (`work`), and what must hold."""

    emulator: ClassVar[Emulator]
    account: ClassVar[Account]
    FAULTS: ClassVar[list[dict[str, Any]]] = [{}]
    """What requests faults are about."""
    PLAIN: ClassVar[dict[str, Any]]
    """What `begin` takes for the history in which everything is imported."""
    overlap = True
    """Whether two attempts may run at once."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="history-"))
        self.runs: list[Run] = []
        self.live: list[Live] = []
        self.faults: list[dict[str, Any]] = []
        self.hold = False
        self.history: list[str] = []

    @classmethod
    def warm_up(cls) -> None:
        """Import and configure what attempts need here, once, and not in each of their processes."""
        history = cls()
        try:
            history.begin(**cls.PLAIN)
            run = Run(0, TaskState(history.directory / "state"), history.arguments(0))
            history.about_to_run(run)
            history.work(run, run.context())
        finally:
            history.live = []
            shutil.rmtree(history.directory)

    # What a history implements.

    @abstractmethod
    def begin(self, **what: Any) -> None:
        """Make the world; with `initialize`."""

    def arguments(self, pick: int) -> dict[str, Any]:
        """What distinguishes a new run."""
        return {"pick": pick}

    @abstractmethod
    def work(self, run: Run, context: dict[str, Any]) -> Any:
        """Execute the task, in the process of the attempt."""

    def about_to_run(self, run: Run) -> None:
        """An attempt is about to start."""

    @abstractmethod
    def green(self, run: Run, result: Any, *, undisturbed: bool) -> None:
        """An attempt has succeeded.

        :param result: What it returned.
        :param undisturbed: Nothing else happened since it began.
        """

    def stretched(self) -> None:
        """An attempt ran for a while: what must hold at any time."""

    @abstractmethod
    def settled(self) -> None:
        """Everything has ended, and a last run has succeeded without faults: look at the truth."""

    def meanwhile(self, pick: int) -> None:
        """Somebody changes something while an attempt is stopped."""

    # Airflow. No rule has a precondition: what is drawn must not depend on how quick the machine is.

    @rule(pick=PICKS, stop_at=STOPS, kill=KILLS)
    def start_a_run(self, pick: int, stop_at: int | None, kill: bool) -> None:
        run = Run(len(self.runs), TaskState(self.directory / "state" / str(len(self.runs))), self.arguments(pick))
        self.runs.append(run)
        self._start(run, stop_at, kill)

    @rule(pick=PICKS, stop_at=STOPS, kill=KILLS)
    def retry_or_clear(self, pick: int, stop_at: int | None, kill: bool) -> None:
        if self.runs:
            self._start(self.runs[-1 - pick % len(self.runs)], stop_at, kill)

    @rule(pick=PICKS, steps=st.one_of(st.none(), st.integers(1, 4)), kill=KILLS)
    def let_it_go_on(self, pick: int, steps: int | None, kill: bool) -> None:
        if not self.live:
            return
        live = self.live[pick % len(self.live)]
        with self._faults():
            live.attempt.go_on(steps)
        self._after(live, kill=kill and steps is not None)

    @rule(pick=PICKS, change=PICKS, stop_at=st.integers(1, 16))
    def run_while_something_changes(self, pick: int, change: int, stop_at: int) -> None:
        """The two most wanted moves, at once: so they meet at every step, in few histories."""
        self.start_a_run(pick=pick, stop_at=stop_at, kill=False)
        if self.live:
            self.meanwhile(change)
            self._end_all()

    def _start(self, run: Run, stop_at: int | None, kill: bool) -> None:
        if self.live and not self.overlap:
            self._end_all()
        if len(self.live) >= 2:
            self.live[0].attempt.go_on()
            self._after(self.live[0])
        run.tries += 1
        self.about_to_run(run)
        context = run.context()
        with self._faults():
            attempt = Attempt(lambda: self.work(run, context), self.directory, stop_at=stop_at)
        live = Live(run, run.tries, attempt)
        quiet = not self.live
        self.live.append(live)
        self._after(live, kill=kill, undisturbed=quiet)

    def _after(self, live: Live, *, kill: bool = False, undisturbed: bool = False) -> None:
        attempt = live.attempt
        if attempt.end is None and kill:
            attempt.kill()
        self.stretched()
        if attempt.end is None:
            self._note(f"# run {live.run.number}, try {live.number}: stops before {attempt.step}")
            return
        self.live.remove(live)
        end = attempt.end
        if live.number == live.run.tries:  # a zombie's end means nothing to Airflow
            live.run.end = end
        self._note(f"# run {live.run.number}, try {live.number}: {end.kind} {end.result or end.text[:2000]}")
        assert end.kind != RAW, end.text
        if end.kind == GREEN:
            self.green(live.run, end.result, undisturbed=undisturbed)

    def _end_all(self) -> None:
        while self.live:
            live = self.live[0]
            live.attempt.go_on()
            self._after(live)

    # Faults.

    @rule(what=PICKS, when=_WHENS, do=DEEDS)
    def a_fault(self, what: int, when: dict[str, Any], do: dict[str, Any]) -> None:
        self.faults.append({"match": self.FAULTS[what % len(self.FAULTS)], "when": when, "do": do})

    @contextlib.contextmanager
    def _faults(self) -> Iterator[None]:
        """They meet the attempt that runs next, and no check of its result."""
        faults, self.faults = self.faults, []
        if faults:
            self.emulator.faults(faults)
        try:
            yield
        finally:
            if faults:
                self.emulator.clear_faults()

    # The end.

    def teardown(self) -> None:
        """Settle, unless the history has failed already; then remove everything."""
        try:
            error = sys.exc_info()[1]
            if error is None:
                self._settle()
            elif isinstance(error, Exception):
                self._tell(error)  # hypothesis keeps silent about it, if the same moves went well before
        finally:
            self.emulator.jobs(hold=False, fail_units=0.0, units_per_second=None)
            for live in self.live:
                live.attempt.kill()
            shutil.rmtree(self.directory, ignore_errors=True)

    def _note(self, text: str) -> None:
        self.history.append(text)
        note(text)

    def _tell(self, error: Exception) -> None:
        print(f"A history has failed: {error!r}"[:4000], *self.history[-12:], sep="\n", flush=True)

    def _settle(self) -> None:
        self.faults, self.hold = [], False
        self.emulator.jobs(hold=False, fail_units=0.0, units_per_second=None)
        self._note("# settling")
        self._end_all()
        for round_ in range(_ROUNDS):
            open_ = [run for run in self.runs if run.end and run.end.kind in (RETRY, KILLED)]
            for run in open_:
                self._start(run, None, False)
                assert run.end is not None
                last = round_ == _ROUNDS - 1
                if run.end.kind == RETRY:
                    assert _IN_USE in run.end.text, run.end.text
                    assert not last, "it never ends"
                if run.end.kind == FAIL:
                    self.failed_for_good(run)
        self.before_the_last_run()
        self.start_a_run(pick=0, stop_at=None, kill=False)
        end = self.runs[-1].end
        assert end is not None
        assert end.kind == GREEN, end.text
        self.settled()

    def failed_for_good(self, run: Run) -> None:
        """A run failed permanently without a fault."""
        assert run.end is not None
        raise AssertionError(run.end.text)

    def before_the_last_run(self) -> None:
        """Make the world such that a run can succeed."""


@contextlib.contextmanager
def prepared(machine: type[Moves]) -> Iterator[None]:
    """An emulator and an account for the histories of a machine."""
    with Emulator.start() as emulator:
        machine.emulator, machine.account = emulator, Account(emulator)
        before = os.environ.get(SSH_CONNECTION)
        os.environ[SSH_CONNECTION] = machine.account.connection()
        try:
            machine.warm_up()
            yield
        finally:
            if before is None:
                del os.environ[SSH_CONNECTION]
            else:
                os.environ[SSH_CONNECTION] = before
