"""Emulators as forks: a fresh process for each test, with nothing in it, that listens at once."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from encord_emulator.process import PYTHON_VARIABLE, Emulator
from tests.forks.client import Forks

ROOT = Path(__file__).parents[2]
_READY = "encord-emulator listening on "
_SECONDS = 30.0


def start_emulator_forks() -> Forks:
    """The process that emulators are forks of."""
    python = os.environ.get(PYTHON_VARIABLE) or sys.executable
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "emulator")}
    return Forks(["encord_emulator.__main__", "encord_emulator.http.server"], python=python, environment=environment)


@contextmanager
def fresh_emulator(forks: Forks) -> Iterator[Emulator]:
    """An emulator with nothing in it, as `Emulator.start` starts one."""
    reading, writing = os.pipe()
    with Path(os.devnull).open("r+b") as nothing, os.fdopen(reading, "rb") as output:
        with os.fdopen(writing, "wb") as printed:
            program = forks.start(
                "encord_emulator",
                ["serve", "--port", "0"],
                environment=os.environ,
                directory=ROOT,
                files=(nothing, printed, nothing),
            )
        ready, _, _ = select.select([output], [], [], _SECONDS)
        line = output.readline().decode() if ready else ""
        try:
            assert line.startswith(_READY), line or "the emulator did not start"
            yield Emulator(line.removeprefix(_READY).strip())
        finally:
            program.terminate()
            program.wait(_SECONDS)
