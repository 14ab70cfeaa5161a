"""Rounds of all kinds of work at once: begun, perhaps broken, waited for, compared with the truth."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence

from tests.cluster import kills
from tests.cluster.workloads.base import Size, Work
from tests.cluster.workloads.labels import Exports, Prelabels
from tests.cluster.workloads.storage import Registrations, Uploads
from tests.cluster.workloads.workflow import Agents, Waits
from tests.cluster.world import World
from tests.deployment.polling import DeploymentError, poll

KINDS: Sequence[type[Work]] = (Exports, Uploads, Prelabels, Agents, Registrations, Waits)
SERVICE_SECONDS = 1.0
"""How long Encord takes for a request while something breaks, so that all kinds of work are in progress then."""
UNITS_PER_SECOND = 30.0
BEGIN_SECONDS = 120


@dataclasses.dataclass
class Outcome:
    """What came of a round.

    :param name: What was broken.
    :param seconds: From the start to the end of the last run.
    :param items: How many items each kind has, each once.
    :param under_way: Which kinds were in progress when something broke, by what broke.
    :param retried: How many tries there were beyond the first ones.
    :param restarted: Components that ended by themselves and were started again, and how often.
    :param problems: What was not as it must be.
    """

    name: str
    seconds: float = 0.0
    items: dict[str, int] = dataclasses.field(default_factory=dict)
    under_way: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    retried: int = 0
    restarted: dict[str, int] = dataclasses.field(default_factory=dict)
    problems: list[str] = dataclasses.field(default_factory=list)


def play(world: World, size: Size, number: int, broken: Sequence[str] = (), seconds: float = 600) -> Outcome:
    """Play one round.

    :param size: How much of each kind there is to do.
    :param number: Of the round, unique in the world.
    :param broken: What breaks, of `kills.ALL`, one after the other.
    :param seconds: How long the runs may take after the last thing broke.
    """
    outcome = Outcome(" + ".join(broken) or "nothing")
    if broken:
        world.slow_down(SERVICE_SECONDS)
        world.emulator.jobs(units_per_second=UNITS_PER_SECOND)
    began = time.monotonic()
    works = [kind(world, size, number) for kind in KINDS]
    for work in works:
        work.begin()
    for what in broken:
        outcome.under_way[what] = _under_way(works)
        print(f"  {what}, while these are in progress: {', '.join(outcome.under_way[what])}", flush=True)
        kills.ALL[what](world)
    world.slow_down(0)
    world.emulator.jobs(units_per_second=None)
    for work in works:
        work.let_end()
    states = _ended(world, works, outcome, seconds)
    outcome.seconds = time.monotonic() - began
    outcome.restarted = world.fleet.take_restarts()
    _judge(works, outcome, states)
    return outcome


def _under_way(works: Sequence[Work]) -> list[str]:
    """Wait until all kinds are in progress at once; which are, if some were done before others began."""
    seen: list[str] = []

    def look() -> bool | None:
        nonlocal seen
        now = [work.dag for work in works if work.under_way()]
        seen = max(seen, now, key=len)
        if len(now) == len(works):
            return True
        ended = any(work.has_ended() for work in works)
        return True if ended and len(now) >= len(seen) else None

    try:
        poll(look, "all kinds of work to be in progress", BEGIN_SECONDS, every=1.0)
    except DeploymentError:
        return [work.dag for work in works if work.under_way()]
    return seen


def _ended(world: World, works: Sequence[Work], outcome: Outcome, seconds: float) -> dict[str, str]:
    """The states in which the runs ended; none if one did not end."""
    try:
        return world.fleet.all_done([work.run for work in works], seconds)
    except DeploymentError as error:
        outcome.problems.append("\n".join([str(error), *getattr(error, "__notes__", [])]))
        return {}


def _judge(works: Sequence[Work], outcome: Outcome, states: Mapping[str, str]) -> None:
    for work in works:
        if states.get(work.run) != "success":
            outcome.problems.append(f"{work.name}: {states.get(work.run, 'not ended')}; {_failures(work)}")
        try:
            outcome.items[work.dag] = work.check()
        except Exception as error:  # noqa: BLE001 - each kind is judged, also after another one was wrong
            outcome.problems.append(f"{work.name}: {type(error).__name__}: {error}")
        outcome.retried += work.tries()


def _failures(work: Work) -> str:
    wrong = [one for one in work.world.fleet.instances(work.run) if one["state"] != "success"]
    return ", ".join(f"{one['task_id']}[{one['map_index']}] {one['state']} at try {one['try_number']}" for one in wrong)
