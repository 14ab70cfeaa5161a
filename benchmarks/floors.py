"""Each job beside its floor: the same requests over one bare session, which checks nothing and notes nothing.

Both take turns, several times, and the quickest turn of each counts. With ``--write``, the results are stored in
``benchmarks/floors.json`` and in the table of ``docs/performance.md``, which is made from that file.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import re
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from benchmarks import calls, export, import_labels, register, upload
from benchmarks.sizes import Sizes, parse
from demo.environment import CHECKOUT, EMULATOR_PYTHON
from encord_emulator.process import Emulator

RESULTS = pathlib.Path(__file__).with_name("floors.json")
PAGE = CHECKOUT / "docs" / "performance.md"
_TABLE = re.compile(r"(?<=<!-- floors -->\n).*?(?=<!-- end of floors -->)", re.DOTALL)
Turn = Callable[[str], dict[str, Any]]
"""One turn of ``ours`` or the ``floor``: its ``seconds``, and its CPU under a name that begins with ``cpu``."""


class Job(NamedTuple):
    """What is measured.

    :param name: In words, with its size.
    :param unit: What is counted, in the plural.
    :param number: How many of them.
    """

    name: str
    unit: str
    number: int


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, help="how often each contender runs")
    parser.add_argument("--write", action="store_true", help="into the file and the page")
    options = parse(parser, turns=Sizes(3, 5))
    measured = []
    for measure in (_calls, _async_calls, _export, _upload, _register, _import):
        with tempfile.TemporaryDirectory() as folder, measure(pathlib.Path(folder)) as (job, turn):
            measured.append(row := _compared(job, turn, options.turns))
            print(json.dumps(row), flush=True)
    if options.write:
        RESULTS.write_text(json.dumps(measured, indent=2) + "\n")
        PAGE.write_text(_TABLE.sub(lambda _: table(measured), PAGE.read_text()))


def table(measured: list[dict[str, Any]]) -> str:
    """The rows of the results file as a table."""
    head = "| job | a second | floor, a second | time, of the floor's | CPU, of the floor's |\n|---|---|---|---|---|\n"
    return head + "".join(
        f"| {row['job']} | {row['ours_per_second']:,} {row['unit']} | {row['floor_per_second']:,} | {row['time']}x "
        f"| {row['cpu']}x |\n"
        for row in measured
    )


def _compared(job: Job, turn: Turn, turns: int) -> dict[str, Any]:
    """The quickest of several turns of each, which alternate."""
    found: dict[str, list[dict[str, Any]]] = {"ours": [], "floor": []}
    for _ in range(turns):
        for name, costs in found.items():
            costs.append(turn(name))
    seconds, cpu = (
        {name: min(_figure(costs, what) for costs in turns) for name, turns in found.items()}
        for what in ("seconds", "cpu")
    )
    return {
        "job": job.name,
        "unit": job.unit,
        **{f"{name}_per_second": round(job.number / taken) for name, taken in seconds.items()},
        "time": round(seconds["ours"] / seconds["floor"], 2),
        "cpu": round(cpu["ours"] / cpu["floor"], 2),
    }


def _figure(costs: dict[str, Any], what: str) -> float:
    return float(next(value for name, value in costs.items() if name.startswith(what)))


@contextlib.contextmanager
def _emulator() -> Iterator[Emulator]:
    python = os.environ.get("ENCORD_EMULATOR_PYTHON", str(EMULATOR_PYTHON))
    with Emulator.start(python=python) as emulator:
        yield emulator


def _calls(folder: pathlib.Path) -> contextlib.AbstractContextManager[tuple[Job, Turn]]:
    return _small_reads(folder, "by workers", ours="ours", floor="bare_session")


def _async_calls(folder: pathlib.Path) -> contextlib.AbstractContextManager[tuple[Job, Turn]]:
    return _small_reads(folder, "in an event loop", ours="ours_async", floor="bare_async")


@contextlib.contextmanager
def _small_reads(folder: pathlib.Path, where: str, **scripts: str) -> Iterator[tuple[Job, Turn]]:
    number = 500
    with calls.races(folder) as race:

        def turn(contender: str) -> dict[str, Any]:
            costs = race.run(scripts[contender], number)
            return {"seconds": number * costs["ms_per_call"] / 1e3, "cpu": costs["cpu_ms_per_call"]}

        yield Job(f"500 small reads over TLS, {where}", "calls", number), turn


@contextlib.contextmanager
def _export(folder: pathlib.Path) -> Iterator[tuple[Job, Turn]]:
    name, rows = "10,000", 10_000
    with _emulator() as emulator:
        bench = export.Bench(emulator, folder)
        made = emulator.project(owner=calls.EMAIL, title="Large", created=1.0, **export.PROJECTS[name])
        commands = bench.contenders(sdk=False)
        yield (
            Job("export 10,000 rows of 20 objects", "rows", rows),
            lambda contender: bench.turn(commands[contender], made["project_id"], rows),
        )


@contextlib.contextmanager
def _upload(folder: pathlib.Path) -> Iterator[tuple[Job, Turn]]:
    number = 1_000
    with _emulator() as emulator:
        bench = upload.Bench(emulator, folder)
        files = bench.files(number)
        yield (
            Job("upload 1,000 small PNGs", "files", number),
            lambda contender: bench.turn(contender, files),
        )


@contextlib.contextmanager
def _register(folder: pathlib.Path) -> Iterator[tuple[Job, Turn]]:
    number = 10_000
    with _emulator() as emulator:
        bench = register.Bench(emulator, folder, number)
        yield (
            Job("register 10,000 objects of a bucket", "objects", number),
            lambda contender: bench.turn(contender, number),
        )


@contextlib.contextmanager
def _import(folder: pathlib.Path) -> Iterator[tuple[Job, Turn]]:
    rows = 1_000
    with _emulator() as emulator:
        bench = import_labels.Bench(emulator, folder)
        yield (
            Job("import 20 boxes into each of 1,000 rows", "rows", rows),
            lambda contender: bench.turn(contender, rows),
        )


if __name__ == "__main__":
    main()
