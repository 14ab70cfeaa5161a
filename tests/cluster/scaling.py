"""How much faster more workers are where Encord is the limit: it takes a fixed time for each request."""

from __future__ import annotations

import dataclasses

from tests.cluster.fleet import SLOTS, WORKERS
from tests.cluster.workloads.base import Size
from tests.cluster.workloads.labels import Exports
from tests.cluster.world import World

SERVICE_SECONDS = 1.0
SIZE = Size(rows=3_200, objects=0, files=0, prelabels=0, tasks=0)
COUNTS = (1, 2, 4)


@dataclasses.dataclass(frozen=True)
class Measured:
    """An export with so many workers.

    :param seconds: From the start of its first part to the end of its last one.
    :param rate: Rows per second.
    """

    workers: int
    seconds: float
    rate: float


class ManyParts(Exports):
    """An export whose parts take all slots of all workers, and whose requests are many."""

    batch_size, parts = 10, SLOTS * len(WORKERS)


def measure(world: World) -> list[Measured]:
    """Export the same with 1, 2 and 4 workers. The world starts with one worker and ends with all."""
    world.slow_down(SERVICE_SECONDS)
    measured = []
    for count in COUNTS:
        world.fleet.add_workers(WORKERS[:count])
        work = ManyParts(world, SIZE, count)
        work.begin()
        rows = work.end(1200)
        seconds = work.seconds()
        measured.append(Measured(count, seconds, rows / seconds))
        print(f"  {count} workers: {seconds:.0f} s, {rows / seconds:.0f} rows per second", flush=True)
    world.slow_down(0)
    return measured
