"""What happens meanwhile, by chance: tasks are cleared and killed, a worker dies or stands still, people act, and
Encord fails at times or takes fewer requests.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Sequence
from typing import Any

import psutil

from tests.cluster import kills
from tests.cluster.fleet import WORKERS
from tests.cluster.world import World
from tests.soak.kinds import Daily
from tests.soak.run import Begun

LIMIT = "a limit"
FAULTS: Sequence[tuple[str, list[dict[str, Any]]]] = (
    ("429", [{"match": {"path": "."}, "do": {"status": 429, "headers": {"Retry-After": "2"}}}]),
    ("5xx", [{"match": {"path": "."}, "do": {"status": 503}}, {"match": {"path": "."}, "do": {"status": 500}}]),
    ("cut before", [{"match": {"path": "."}, "do": {"cut": "before"}}]),
    ("cut after", [{"match": {"path": "."}, "do": {"cut": "after"}}]),
    ("slow answers", [{"match": {"path": "."}, "do": {"delay_s": 2.0}}]),
    (LIMIT, []),
    ("nothing", []),
)
REQUESTS_PER_MINUTE = 300
"""What Encord takes while there is a limit: less than is asked for at times."""
SHARE = 0.08
"""Of the requests that a fault is about."""
BROKEN_WORKER = WORKERS[0]
"""The others live through the soak, so that their growth is seen."""


class Moves:
    """Makes moves, one at a time.

    :param chance: Which.
    :param noted: Gets a word for each.
    """

    def __init__(self, world: World, chance: random.Random, noted: Callable[[str], None]):
        self._world, self._chance, self._noted = world, chance, noted

    def next_faults(self) -> None:
        """Other faults than before, or none."""
        name, faults = self._chance.choice(FAULTS)
        self.no_faults()
        self._noted(f"faults: {name}")
        if name == LIMIT:
            self._world.emulator.limits(requests_per_minute=REQUESTS_PER_MINUTE)
        if faults:
            share = SHARE / len(faults)
            seed = self._chance.randrange(1000)
            self._world.emulator.faults([one | {"when": {"probability": share, "seed": seed}} for one in faults])

    def no_faults(self) -> None:
        """Let Encord answer everything."""
        self._world.emulator.clear_faults()
        self._world.emulator.limits(requests_per_minute=None)

    def clear_a_task(self, works: Sequence[Begun]) -> None:
        """Clear the long task of a run that is in progress, or has ended."""
        if works:
            chosen = self._chance.choice(works)
            self._world.fleet.clear(chosen.work.run, [chosen.work.task])
            self._noted("task cleared")

    def kill_a_task(self) -> None:
        """Kill the process of a task; its worker lives."""
        if tasks := self._processes_of_tasks():
            with contextlib.suppress(psutil.Error):
                self._chance.choice(tasks).kill()
                self._noted("task killed")

    def break_a_worker(self) -> None:
        """Kill a worker with all its tasks, or let it stand still until others have taken them over."""
        break_it, word = self._chance.choice([(kills.restart, "worker killed"), (kills.freeze, "worker frozen")])
        break_it(self._world, [BROKEN_WORKER])
        self._noted(word)

    def people_act(self, works: Sequence[Begun]) -> None:
        """People label what is exported just now."""
        for one in works:
            if isinstance(one.work, Daily):
                one.work.people_act(self._chance.randrange(100))
                self._noted("people labelled")

    def _processes_of_tasks(self) -> list[psutil.Process]:
        """A worker has a process for each slot, which has one for its task."""
        found = []
        for name, process_id in self._world.fleet.running.items():
            if name in WORKERS:
                with contextlib.suppress(psutil.Error):
                    slots = psutil.Process(process_id).children()
                    found += [task for slot in slots for task in slot.children(recursive=True)]
        return found
