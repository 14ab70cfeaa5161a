"""Run the cluster: ``python -m tests.cluster short`` or ``long``."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import signal
import sys
import time
from collections.abc import Iterator

from tests.cluster import kills, limit, scaling
from tests.cluster.fleet import WORKERS
from tests.cluster.programs import MissingProgramError, install
from tests.cluster.report import Report
from tests.cluster.rounds import Outcome, play
from tests.cluster.usage import Usage
from tests.cluster.workloads.base import LARGE, SMALL
from tests.cluster.world import FOLDER, World, prepare_environment

FORMS = ("short", "long")
NOTHING = "nothing"
"""The round in which nothing breaks: in the long form the large one."""


def main() -> int:
    """Run a form; the exit status says whether everything was there once."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("form", choices=FORMS)
    parser.add_argument(
        "--only", choices=[NOTHING, *kills.ALL], action="append", help="only this; more than once is fine"
    )
    parser.add_argument("--no-scaling", action="store_true", help="leave the measurement with 1, 2 and 4 workers out")
    parser.add_argument("--no-limit", action="store_true", help="leave the measurement with a rate limit out")
    wanted = parser.parse_args()
    try:
        install()
    except MissingProgramError as error:
        print(error, file=sys.stderr)
        return 2
    prepare_environment()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all processes are ended, as after Ctrl+C
    with alone("cluster.lock"):
        report = _run(wanted)
    report.write(FOLDER / "report.json")
    print(report.text(), flush=True)
    return 0 if report.good else 1


@contextlib.contextmanager
def alone(lock: str) -> Iterator[None]:
    """Refuse a second run in the same checkout: each run empties the folder at its start.

    :param lock: Name of the file that a run locks.
    """
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with (FOLDER.parent / lock).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit("Another run of the cluster uses this checkout. Wait until it has ended.") from None
        yield


def _run(wanted: argparse.Namespace) -> Report:
    began = time.monotonic()
    long = wanted.form == "long"
    measures = long and not wanted.no_scaling
    rounds: list[Outcome] = []
    with World(workers=tuple(WORKERS[:1] if measures else WORKERS)) as world, Usage(world.processes) as usage:
        measured = []
        if measures:
            print("Exports with 1, 2 and 4 workers", flush=True)
            measured = scaling.measure(world)
        limited = None
        if long and not wanted.no_limit:
            print(f"An export in {limit.TASKS} tasks, and a limit of {limit.REQUESTS_PER_MINUTE} requests a minute")
            limited = limit.measure(world)
        for number, broken in enumerate(_plan(wanted), start=10):
            print(f"Round: {' + '.join(broken) or 'nothing breaks'}", flush=True)
            size = LARGE if long and not broken else SMALL
            rounds.append(play(world, size, number, broken, seconds=1800 if size is LARGE else 600))
            for problem in rounds[-1].problems:
                print(f"  PROBLEM: {problem}", flush=True)
            print(f"  done after {rounds[-1].seconds:.0f} s: {rounds[-1].items}", flush=True)
        used = usage.parts()
    return Report(wanted.form, time.monotonic() - began, rounds, measured, limited, used)


def _plan(wanted: argparse.Namespace) -> list[tuple[str, ...]]:
    """What breaks in each round."""
    if wanted.only:
        return [() if one == NOTHING else (one,) for one in wanted.only]
    if wanted.form == "short":
        return list(kills.IN_SHORT)
    return [(), *((kill,) for kill in kills.ALL)]


if __name__ == "__main__":
    sys.exit(main())
