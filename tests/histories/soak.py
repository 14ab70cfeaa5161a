"""Play random histories for as long as is wanted: ``python -m tests.histories.soak MINUTES [--seed N] [--only NAME]``.

Each turn plays some histories of each kind with a seed of its own, which is printed. A history that breaks a promise is
made as short as possible and printed, with the command that plays it again; then the next turn begins.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
import traceback

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

import tests.conftest  # before anything of Airflow: its home is set there
from tests.client.network import OF_THE_MACHINE
from tests.histories.moves import Moves, prepared
from tests.histories.test_histories import MACHINES

HISTORIES_PER_TURN = 25
STEPS = 25


def main() -> int:
    """Play until the time is over; the exit status says whether all promises held."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, help="play one turn, with the seed that a turn before has printed")
    parser.add_argument("--only", choices=[machine.__name__ for machine in MACHINES], help="histories of one kind")
    wanted = parser.parse_args()
    for name in OF_THE_MACHINE:
        os.environ.pop(name, None)
        os.environ.pop(name.lower(), None)
    machines = [machine for machine in MACHINES if wanted.only in (None, machine.__name__)]
    ends = time.monotonic() + 60 * wanted.minutes
    broken = turns = 0
    try:
        while time.monotonic() < ends:
            number = random.randrange(2**32) if wanted.seed is None else wanted.seed
            turns += 1
            broken += sum(not _holds(machine, number) for machine in machines)
            if wanted.seed is not None:
                break
    except KeyboardInterrupt:
        pass
    finally:
        tests.conftest.pytest_unconfigure()
    print(f"{turns} turns of {HISTORIES_PER_TURN} histories of each kind; {broken} broke a promise.")
    return 1 if broken else 0


def _holds(machine: type[Moves], number: int) -> bool:
    """Play one turn of a kind; if a promise is broken, once more to find the shortest history that breaks it."""
    print(f"{time.strftime('%H:%M:%S')} {machine.__name__}, seed {number}", flush=True)
    if _plays(machine, number, (Phase.generate,)):
        return True
    print(f"To play it again: make soak-histories SOAK_ARGS='--seed {number} --only {machine.__name__}'", flush=True)
    print(f"{time.strftime('%H:%M:%S')} Looking for the shortest history, for some minutes.", flush=True)
    _plays(machine, number, (Phase.generate, Phase.shrink))
    return False


def _plays(machine: type[Moves], number: int, phases: tuple[Phase, ...]) -> bool:
    try:
        with prepared(machine):
            run_state_machine_as_test(
                seed(number)(machine),
                settings=settings(
                    max_examples=HISTORIES_PER_TURN,
                    stateful_step_count=STEPS,
                    derandomize=False,
                    database=None,
                    deadline=None,
                    print_blob=True,
                    report_multiple_bugs=False,
                    phases=phases,
                    suppress_health_check=list(HealthCheck),
                ),
            )
    except Exception:  # noqa: BLE001 - a broken promise, or a defect of the history itself
        traceback.print_exc(file=sys.stdout)
        sys.stdout.flush()
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
