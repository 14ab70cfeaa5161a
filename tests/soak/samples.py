"""What each process holds, looked at every few seconds: memory, sockets, open files and threads."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Mapping

import psutil

from tests.cluster.watching import PartsWatcher
from tests.soak.growth import LIMITS, Growth, Limit, growth_of

SETTLED = 120.0
"""Younger processes are left out: tasks come and go, and are not what may grow."""
MEASURES = tuple(LIMITS)
OF_PARTS = {("encord-emulator", "memory"): Limit(64 + LIMITS["memory"].least, LIMITS["memory"].share)}
"""Other limits of a part: the emulator's database has a cache of 64 MB, which fills with what is stored."""


@dataclasses.dataclass
class Series:
    """The values of one process with its long-lived children, from its start to its end.

    :param name: Of the part.
    :param values: By measure: hours since the soak began, and the value.
    """

    name: str
    process_id: int
    values: dict[str, list[tuple[float, float]]] = dataclasses.field(
        default_factory=lambda: {measure: [] for measure in MEASURES}
    )

    @property
    def hours(self) -> float:
        points = self.values[MEASURES[0]]
        return points[-1][0] - points[0][0] if points else 0.0

    def growth(self, measure: str) -> Growth:
        """How a measure changed."""
        return growth_of(self.values[measure], OF_PARTS.get((self.name, measure), LIMITS[measure]))


class Sampler(PartsWatcher):
    """Looks at all parts, from `__enter__` to `__exit__`."""

    seconds_between_looks = 10.0

    def __init__(self, parts: Callable[[], Mapping[str, int]]) -> None:
        super().__init__(parts)
        self._began = time.monotonic()
        self._series: dict[tuple[str, int], Series] = {}

    def longest(self) -> list[Series]:
        """For each part the series of the process that lived longest; others were killed and started again."""
        found: dict[str, Series] = {}
        for one in list(self._series.values()):
            if one.name not in found or one.hours > found[one.name].hours:
                found[one.name] = one
        return [found[name] for name in sorted(found)]

    def _look(self, name: str, process_id: int) -> None:
        now = time.time()
        totals = dict.fromkeys(MEASURES, 0.0)
        root = psutil.Process(process_id)
        if now - root.create_time() < SETTLED:
            return
        for one in [root, *root.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                if now - one.create_time() >= SETTLED:
                    for measure, value in held_by(one).items():
                        totals[measure] += value
        series = self._series.setdefault((name, process_id), Series(name, process_id))
        at = (time.monotonic() - self._began) / 3600
        for measure, value in totals.items():
            series.values[measure].append((at, value))


def held_by(process: psutil.Process) -> dict[str, float]:
    """What one process holds now; memory in MB, with what it shares, as tasks that are forked change how many do."""
    with process.oneshot():
        return {
            "memory": process.memory_info().rss / 2**20,
            "sockets": len(process.net_connections("inet")),
            "files": process.num_fds(),
            "threads": process.num_threads(),
        }
