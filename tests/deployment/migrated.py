"""Airflow's empty database, made once in a run of the tests: to copy it takes less than to make another."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SHARED_FOLDER = "TESTS_SHARED_FOLDER"
"""The variable that names a folder which the processes of one run share. Programs other than the tests have none."""
_NAME = "airflow.db"


def place_database(version: tuple[int, ...], home: Path, migrate: Callable[[], object]) -> None:
    """Put a database into a home of Airflow.

    :param version: Of Airflow.
    :param home: Which has none.
    :param migrate: Makes one there.
    """
    if (shared := os.environ.get(SHARED_FOLDER)) is None:
        migrate()
        return
    made = Path(shared) / f"airflow-{'.'.join(map(str, version))}.db"
    with _alone(made.with_suffix(".lock")):
        if not made.exists():
            migrate()
            shutil.copy(home / _NAME, made)
            return
    shutil.copy(made, home / _NAME)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
