"""A piece of work from its begin to its end, and what was seen of it."""

from __future__ import annotations

import dataclasses
import time

from tests.cluster.workloads.base import NotOnceError, Work
from tests.cluster.world import World

ENDED = ("success", "failed")


@dataclasses.dataclass
class Begun:
    """Work that has begun.

    :param lets_end_at: When people do what it waits for (`time.monotonic`).
    :param others: Runs that do the same work at the same time.
    """

    work: Work
    began: float
    lets_end_at: float
    others: list[str] = dataclasses.field(default_factory=list)
    _let: bool = False

    @property
    def name(self) -> str:
        return self.work.name

    def has_ended(self, world: World) -> bool | None:
        """Whether all its runs have succeeded; None while they have not ended.

        :raises AssertionError: A run has failed.
        """
        if not self._let and time.monotonic() >= self.lets_end_at:
            self.work.let_end()
            self._let = True
        states = [world.fleet.state(run) for run in (self.work.run, *self.others)]
        if "failed" in states:
            raise AssertionError(f"{self.name}: a run has failed: {_failures(world, self.work)}")
        if any(state not in ENDED for state in states):
            return None
        return True

    def problem_meanwhile(self) -> str | None:
        """What is wrong already, though the work has not ended: something is there twice, or not expected at all."""
        try:
            self.work.check()
        except NotOnceError as error:
            return str(error) if error.doubled or error.strange else None
        except Exception:  # noqa: BLE001 - what is not there yet cannot be looked at
            return None
        return None


def _failures(world: World, work: Work) -> str:
    wrong = [one for one in world.fleet.instances(work.run) if one["state"] not in ("success", "skipped")]
    return ", ".join(f"{one['task_id']}[{one['map_index']}] {one['state']} at try {one['try_number']}" for one in wrong)
