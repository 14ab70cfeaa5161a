"""Where the playground keeps its state, and that only one playground at a time uses the place."""

from __future__ import annotations

import contextlib
import fcntl
import pathlib
import shutil
from collections.abc import Iterator

from demo.environment import CHECKOUT

DIRECTORY = CHECKOUT / ".work" / "play"
_LOCK, _ADDRESS = "lock", "address"


class PlaceTakenError(Exception):
    """Another playground runs in the directory."""


class Place:
    """A directory, and what is in it.

    :param directory: Everything that the playground writes is below it.
    """

    def __init__(self, directory: pathlib.Path):
        self.directory = directory.absolute()

    def _below(self, name: str) -> pathlib.Path:
        return self.directory / name

    @property
    def airflow_home(self) -> pathlib.Path:
        return self._below("airflow")

    @property
    def dags(self) -> pathlib.Path:
        """Copies of the example DAGs, which may be edited while the playground runs."""
        return self._below("dags")

    @property
    def incoming(self) -> pathlib.Path:
        """Pictures that a DAG can bring in; it stands for a bucket, too."""
        return self._below("incoming")

    @property
    def output(self) -> pathlib.Path:
        """What the DAGs write: exports, reports, training sets."""
        return self._below("output")

    @property
    def history(self) -> pathlib.Path:
        """What ``[encord] history`` is set to."""
        return self._below("history")

    @property
    def temporary(self) -> pathlib.Path:
        return self._below("tmp")

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Empty the directory, and keep it for this process.

        :raises PlaceTakenError: Another process has it; the message has its address.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with self._below(_LOCK).open("a") as lock:  # the system lets go of it with the process, however that ends
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise PlaceTakenError(self._of_other()) from None
            self._empty()
            try:
                yield
            finally:
                self._below(_ADDRESS).unlink(missing_ok=True)

    def publish(self, address: str) -> None:
        """Note where this playground is to be found."""
        self._below(_ADDRESS).write_text(address)

    def _empty(self) -> None:
        for path in self.directory.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != _LOCK:
                path.unlink()
        for path in (self.airflow_home, self.dags, self.incoming, self.output, self.history, self.temporary):
            path.mkdir()

    def _of_other(self) -> str:
        try:
            where = f"at {self._below(_ADDRESS).read_text()}"
        except OSError:
            where = "and is still starting"
        return (
            f"A playground runs in {self.directory} already, {where}. Use that one, or end it with Ctrl-C. For a "
            "second one beside it, name another directory: make play PLAY_DIRECTORY=.work/play-2"
        )
