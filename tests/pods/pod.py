"""A pod: an attempt in a fresh process, whose home, working directory and place for temporary files are empty at its
start and removed after its end. It may stop before a step (see `tests.histories.processes`), to be killed there.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.forks.workers import FORKS, start_worker
from tests.histories.processes import KILLED, RAW, End, Stops, end_of, hurry, watch
from tests.moves.attempts import TASK, Run
from tests.object_stores import Served, attach_store

PATIENCE = 60.0
PLACES = ("work", "home", "tmp")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclasses.dataclass(frozen=True)
class Kill:
    """Where an attempt is killed: before a step.

    :param step: A regular expression for its name.
    :param number: Of the steps with such a name, from 1.
    """

    step: str = ""
    number: int = 1


class Pod:
    """Runs one attempt.

    :param disk: Where its empty directories are made; nothing of it is left afterwards.
    :param store: What its paths ``objects://...`` lead to.
    """

    def __init__(self, disk: Path, store: Served):
        self._disk, self._store = disk, store
        self.step = ""
        """Before which it was killed."""

    def run(self, operator: type, arguments: Mapping[str, Any], run: Run, *, kill: Kill | None = None) -> End:
        """Run an attempt to its end.

        :param kill: None lets it end.
        """
        context = run.context()
        with self._empty_disk() as disk:
            ours, theirs = FORKS.Pipe()
            process = start_worker(_live, str(disk), operator, dict(arguments), context, self._store, kill, theirs)
            theirs.close()
            try:
                if not ours.poll(PATIENCE):
                    return End(RAW, text=f"The attempt hung for {PATIENCE:.0f} s.")
                stopped, news = ours.recv()
            except EOFError:
                return End(RAW, text="The process of the attempt ended without a word.")
            finally:
                process.kill()
                process.join()
                ours.close()
        if not stopped:
            assert isinstance(news, End)
            return news
        self.step = news
        return End(KILLED, text=f"before {news}")

    @contextlib.contextmanager
    def _empty_disk(self) -> Iterator[Path]:
        disk = Path(tempfile.mkdtemp(dir=self._disk))
        try:
            for place in PLACES:
                (disk / place).mkdir()
            yield disk
        finally:
            shutil.rmtree(disk)


def _live(
    disk: str,
    operator: type,
    arguments: dict[str, Any],
    context: dict[str, Any],
    store: Served,
    kill: Kill | None,
    pipe: Connection,
) -> None:
    """The life of the pod's process."""
    os.environ |= {"HOME": f"{disk}/home", "TMPDIR": f"{disk}/tmp"}
    os.chdir(f"{disk}/work")
    tempfile.tempdir = None  # it was found before, with another TMPDIR
    attach_store(store.connect())
    stops = Stops(pipe, kill.number if kill else None, kill.step if kill else "")
    watch(stops, disk)
    hurry()
    keeper = context.get("task_state_store")
    left = _watch_the_disk(disk, *([] if keeper is None else [str(keeper.directory)]))
    end = end_of(lambda: operator(task_id=TASK, **arguments).execute(context))
    stops.over = True
    pipe.send((False, End(RAW, text=f"It wrote to the disk of its machine: {left}") if left else end))


def _watch_the_disk(*allowed: str) -> list[str]:
    """Note which files outside of these directories this process writes from now on."""
    left: list[str] = []

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING:
            note(arguments[0])
        elif event in ("os.mkdir", "os.symlink", "os.link"):
            note(arguments[0 if event == "os.mkdir" else 1])
        elif event == "os.rename":
            note(arguments[1])

    def note(path: Any) -> None:
        if isinstance(path, str | bytes) and not str(Path(os.fsdecode(path)).absolute()).startswith(
            (*allowed, "/dev/")
        ):
            left.append(os.fsdecode(path))

    sys.addaudithook(audit)
    return left
