"""Run a soak: ``python -m tests.soak HOURS``."""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import time

from tests.cluster.__main__ import alone
from tests.cluster.fleet import SERVERS_ALONE, WORKERS
from tests.cluster.programs import MissingProgramError, install
from tests.cluster.world import CHECKOUT, World, prepare_environment
from tests.soak import page
from tests.soak.play import Soak
from tests.soak.samples import Sampler

FOLDER = CHECKOUT / ".work" / "soak"


def main() -> int:
    """Play; the exit status says whether nothing was lost or doubled, and nothing grows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("hours", type=float)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of what is left to chance")
    wanted = parser.parse_args()
    try:
        install()
    except MissingProgramError as error:
        print(error, file=sys.stderr)
        return 2
    prepare_environment()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all processes are ended, as after Ctrl+C
    print(f"Seed {wanted.seed}", flush=True)
    with (
        alone("soak.lock"),
        World(FOLDER / "world", workers=tuple(WORKERS[:2]), servers=SERVERS_ALONE) as world,
        Sampler(world.processes) as sampler,
    ):
        began = time.monotonic()
        outcome = Soak(world, wanted.seed).play(3600 * wanted.hours)
        hours, series = (time.monotonic() - began) / 3600, sampler.longest()
        (FOLDER / "report.html").write_text(page.page(hours, outcome, series))
        values = {one.name: one.values for one in series}
        (FOLDER / "samples.json").write_text(json.dumps(values) + "\n")
    print(page.text(hours, outcome, series), flush=True)
    print(f"The report is {FOLDER / 'report.html'}.", flush=True)
    return 1 if outcome.problems or page.growing(series) else 0


if __name__ == "__main__":
    sys.exit(main())
