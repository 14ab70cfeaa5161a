"""What many mapped tasks take while Encord takes only so many requests a minute, beside what they take without a limit
and the least that the limit allows.
"""

from __future__ import annotations

import dataclasses

from tests.cluster.workloads.base import Size
from tests.cluster.workloads.labels import Exports
from tests.cluster.world import World

REQUESTS_PER_MINUTE = 1_200
TASKS = 100
SIZE = Size(rows=3_200, objects=0, files=0, prelabels=0, tasks=0)
_MINUTE = 60.0
_SECONDS = 1200


@dataclasses.dataclass(frozen=True)
class Limited:
    """An export whose tasks met the limit.

    :param seconds: From the start of its first task to the end of its last one.
    :param without: The same without a limit.
    :param requests: That were sent.
    :param refused: Of these.
    :param tries: Of the tasks, beyond the first ones.
    """

    seconds: float
    without: float
    requests: int
    refused: int
    tries: int

    @property
    def optimum(self) -> float:
        """Seconds after which Encord has taken all requests, if they are sent as fast as without a limit, and those of
        the next minute as soon as that begins.
        """
        taken = self.requests - self.refused
        full_minutes, last = divmod(taken - 1, REQUESTS_PER_MINUTE)
        each = self.without / taken
        return full_minutes * max(_MINUTE, REQUESTS_PER_MINUTE * each) + (last + 1) * each

    def text(self) -> str:
        """What a person reads."""
        return (
            f"{self.seconds:.0f} s, {self.without:.0f} s without a limit: {self.seconds / self.optimum:.2f} times the "
            f"optimum; {self.requests} requests, {self.refused} refused, {self.tries} more tries"
        )


class Throttled(Exports):
    """An export in many tasks, whose requests are for one label row each."""

    batch_size, parts = 1, TASKS


def measure(world: World) -> Limited:
    """Export the same without a limit and with one."""
    without, _ = _export(world, 1)
    world.emulator.clear_journal()
    world.emulator.limits(requests_per_minute=REQUESTS_PER_MINUTE)
    try:
        seconds, tries = _export(world, 2)
    finally:
        world.emulator.limits(requests_per_minute=None)
    statuses = [entry["status"] for entry in world.emulator.journal()]
    limited = Limited(seconds, without, len(statuses), statuses.count(429), tries)
    print(f"  {limited.text()}", flush=True)
    return limited


def _export(world: World, number: int) -> tuple[float, int]:
    """Seconds and further tries of an export."""
    work = Throttled(world, SIZE, number)
    work.begin()
    work.end(_SECONDS)
    return work.seconds(), work.tries()
