"""Attempts at a task, as Airflow makes them: which run, which try, with the state that outlives a try."""

from __future__ import annotations

import dataclasses
import datetime
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.storage_paths import write_whole
from tests.airflow_layer.deferrals import run_deferred
from tests.airflow_layer.lines import running_line
from tests.forks.workers import FORKS, start_worker

TASK = "moved"
DAYS = tuple(datetime.datetime(2026, 3, day, tzinfo=datetime.UTC) for day in range(1, 6))


class Store:
    """Airflow's store of task state (3.3), in a directory, so that another process finds it."""

    def __init__(self, directory: Path):
        self.directory = directory

    def get(self, key: str, default: Any = None) -> Any:
        path = self.directory / key
        return json.loads(path.read_text()) if path.exists() else default

    def set(self, key: str, value: Any, **_: Any) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        write_whole(self.directory / key, [json.dumps(value).encode()])

    def delete(self, key: str) -> None:
        (self.directory / key).unlink(missing_ok=True)

    @property
    def keys(self) -> list[str]:
        return sorted(path.name for path in self.directory.glob("encord_*")) if self.directory.exists() else []


@dataclasses.dataclass
class Instance:
    """What a task reads of its task instance."""

    run_id: str
    try_number: int = 1
    max_tries: int = 3
    dag_id: str = "moves"
    task_id: str = TASK
    map_index: int = -1

    @property
    def stats_tags(self) -> dict[str, str]:
        return {}

    def xcom_push(self, **_: Any) -> None:
        """The link to Encord is not looked at here."""


@dataclasses.dataclass
class Run:
    """A task of one DAG run, with its attempts.

    :param directory: Keeps its state between attempts and processes.
    :param day: Its logical date.
    """

    directory: Path
    day: datetime.datetime = DAYS[0]
    attempts: int = 0

    @property
    def store(self) -> Store:
        return Store(self.directory / f"state-{self.day:%d}")

    def context(self) -> dict[str, Any]:
        self.attempts += 1
        start = self.day - datetime.timedelta(days=1)
        context: dict[str, Any] = {
            "ti": Instance(f"scheduled__{self.day:%Y-%m-%d}", try_number=self.attempts),
            "logical_date": self.day,
            "data_interval_start": start,
            "data_interval_end": self.day,
        }
        if running_line() == "3.3":
            context["task_state_store"] = self.store
        return context


@dataclasses.dataclass(frozen=True)
class End:
    """How an attempt ended.

    :param error: What it raised; None if it succeeded.
    """

    result: Any = None
    error: BaseException | None = None

    @property
    def succeeded(self) -> bool:
        return self.error is None

    @property
    def retryable(self) -> bool:
        return isinstance(self.error, AirflowException) and not isinstance(self.error, AirflowFailException)


def attempt(operator: type, arguments: Mapping[str, Any], run: Run, *, deferrable: bool = False) -> End:
    """Make one attempt; an error that is not Airflow's own fails the test.

    :param deferrable: Let the operator wait in the triggerer.
    """
    context = run.context()

    def make() -> Any:
        more = {"deferrable": True, "poll_interval": 5} if deferrable else {}
        return operator(task_id=TASK, **arguments, **more)

    try:
        return End(run_deferred(make, context) if deferrable else make().execute(context))
    except AirflowException as error:
        return End(error=error)


def until_it_ends(operator: type, arguments: Mapping[str, Any], run: Run, *, attempts: int = 4) -> End:
    """Attempts as Airflow makes them: again after an error that a retry may mend."""
    end = End()
    for _ in range(attempts):
        end = attempt(operator, arguments, run)
        if end.succeeded or not end.retryable:
            break
    return end


def at_once(works: Iterable[Callable[[], End]]) -> list[End]:
    """Do all of these at the same time."""
    ends: list[End | BaseException] = []

    def one(work: Callable[[], End]) -> None:
        try:
            ends.append(work())
        except BaseException as error:  # noqa: BLE001 - raised below, in the test's own thread
            ends.append(error)

    threads = [threading.Thread(target=one, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    return [end for end in ends if isinstance(end, End)]


def _work(operator: type, arguments: Mapping[str, Any], run: Run, pipe: Connection) -> None:
    """The life of a worker."""
    pipe.send("ready")
    pipe.recv()
    attempt(operator, arguments, run)
    pipe.send("ended")


class Worker:
    """An attempt in a process of its own, which can be killed."""

    def __init__(self, operator: type, arguments: Mapping[str, Any], run: Run):
        self._pipe, theirs = FORKS.Pipe()
        self._process = start_worker(_work, operator, dict(arguments), dataclasses.replace(run), theirs)
        run.attempts += 1
        theirs.close()
        assert self._pipe.recv() == "ready"

    def kill_when(self, moment: Callable[[], bool], timeout: float = 30) -> bool:
        """Let it begin, and kill it at a moment.

        :return: Whether the attempt had not ended by then.
        """
        self._pipe.send("go")
        deadline = time.monotonic() + timeout
        while self._process.is_alive() and not moment():
            assert time.monotonic() < deadline, "the moment did not come"
            time.sleep(0.002)  # the worker and the emulator need the processor, too
        self._process.kill()
        self._process.join()
        try:
            return not (self._pipe.poll() and self._pipe.recv() == "ended")
        except (EOFError, ConnectionError):  # it was killed before it ended
            return True
        finally:
            self._pipe.close()
