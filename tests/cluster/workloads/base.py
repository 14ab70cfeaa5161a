"""What all kinds of work have in common."""

from __future__ import annotations

import collections
import dataclasses
import datetime
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

from tests.cluster.world import World


@dataclasses.dataclass(frozen=True)
class Size:
    """How much there is to do in one round, of each kind."""

    rows: int
    objects: int
    files: int
    prelabels: int
    tasks: int


SMALL = Size(rows=400, objects=2_000, files=60, prelabels=160, tasks=60)
LARGE = Size(rows=4_000, objects=100_000, files=240, prelabels=600, tasks=240)
PARTS = 2
"""Mapped tasks of a round, of each kind that is cut: as many of all kinds as the workers have slots."""


class Work(ABC):
    """One round of one kind of work.

    :param world: Where it is done.
    :param size: How much.
    :param number: Of the round; what it makes has it in its names.
    """

    dag: ClassVar[str]

    def __init__(self, world: World, size: Size, number: int) -> None:
        self.world, self.size, self.number = world, size, number
        self.run = ""

    @property
    def name(self) -> str:
        return f"{self.dag}-{self.number}"

    def begin(self) -> None:
        """Prepare the work, and start the run."""
        self.run = self.world.fleet.trigger(self.dag, self.prepare())

    def under_way(self) -> bool:
        """Whether a task that takes long is being done now: on a worker, or in the triggerer."""
        states = [one["state"] for one in self.world.fleet.instances(self.run) if one["task_id"] == self.task]
        return any(state in ("running", "deferred") for state in states)

    def has_ended(self) -> bool:
        """Whether the run has ended."""
        return self.world.fleet.state(self.run) in ("success", "failed")

    def end(self, seconds: float) -> int:
        """Wait until the run has succeeded, and compare; how many items there are.

        :param seconds: To wait.
        """
        state = self.world.fleet.all_done([self.run], seconds)[self.run]
        if state != "success":
            raise AssertionError(f"{self.name}: {state}")
        return self.check()

    def seconds(self) -> float:
        """From the start of the first of its long tasks to the end of the last one."""
        tasks = [one for one in self.world.fleet.instances(self.run) if one["task_id"] == self.task]
        began = min(datetime.datetime.fromisoformat(one["start_date"]) for one in tasks)
        ended = max(datetime.datetime.fromisoformat(one["end_date"]) for one in tasks)
        return (ended - began).total_seconds()

    def let_end(self) -> None:  # noqa: B027 - most kinds wait for no person
        """Do what the work waits for, if it waits for people."""

    def goes_on(self) -> bool:
        """Start the next run of the work, after the last one has succeeded; whether there is one."""
        return False

    def tries(self) -> int:
        """How often its tasks were tried, beyond once each."""
        return sum(max(0, one["try_number"] - 1) for one in self.world.fleet.instances(self.run))

    @property
    @abstractmethod
    def task(self) -> str:
        """The task that takes long."""

    @abstractmethod
    def prepare(self) -> dict[str, Any]:
        """Make what the work is about.

        :return: Params of the run.
        """

    @abstractmethod
    def check(self) -> int:
        """Compare what came out with the emulator's truth.

        :return: How many items there are, each once.
        :raises AssertionError: Something is missing, there twice, or wrong.
        """


class NotOnceError(AssertionError):
    """Something is missing, there twice, or not expected."""

    def __init__(self, what: str, lost: list[Any], doubled: list[Any], strange: list[Any], of: int):
        super().__init__(
            f"{what}: {len(lost)} lost {lost[:3]}, {len(doubled)} doubled {doubled[:3]}, {len(strange)} not expected "
            f"{strange[:3]}, of {of}."
        )
        self.lost, self.doubled, self.strange = lost, doubled, strange


def require_each_once(what: str, found: Iterable[Any], expected: Iterable[Any]) -> int:
    """Require that exactly what is expected is there, each once.

    :return: How many there are.
    :raises NotOnceError: It is not so.
    """
    there, wanted = collections.Counter(found), set(expected)
    lost = sorted(wanted - there.keys(), key=str)
    doubled = sorted((one for one, times in there.items() if times > 1), key=str)
    strange = sorted(there.keys() - wanted, key=str)
    if lost or doubled or strange:
        raise NotOnceError(what, lost, doubled, strange, len(wanted))
    return len(wanted)
