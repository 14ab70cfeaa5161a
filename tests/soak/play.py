"""Plays a soak: some pieces of work at any time, moves in between, and a comparison with the truth every minute."""

from __future__ import annotations

import collections
import dataclasses
import random
import time

import requests

from airflow_provider_encord.client.errors import EncordError
from tests.cluster.workloads.base import NotOnceError, Work
from tests.cluster.world import World
from tests.deployment.polling import DeploymentError
from tests.soak.kinds import KINDS, SIZE, TWICE, Media
from tests.soak.moves import Moves
from tests.soak.run import Begun

AT_ONCE = 3
SECONDS_BETWEEN_LOOKS = 3.0
CHECK_SECONDS = 60.0
FAULT_SECONDS = (20.0, 60.0)
MOVE_SECONDS = (15.0, 45.0)
WORKER_SECONDS = (400.0, 900.0)
LET_END_SECONDS = (5.0, 60.0)
LOOKED_AT_AGAIN = 6
"""How many pieces that have ended are compared each minute; at the end all are."""
END_SECONDS = 900.0
"""How long the last pieces may take once nothing disturbs them any more."""
SAME_WORK_TWICE = 0.3


@dataclasses.dataclass
class Outcome:
    """What a soak has seen.

    :param pieces: How many pieces of work of each kind have ended well.
    :param items: How many items they had, each once.
    :param moves: How often each move was made.
    :param checks: How many comparisons with the truth there were.
    :param postponed: Comparisons that a fault made impossible.
    :param problems: What was lost, doubled or failed.
    """

    pieces: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    items: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    moves: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    checks: int = 0
    postponed: int = 0
    problems: list[str] = dataclasses.field(default_factory=list)


class Soak:
    """Plays until its time is over.

    :param seed: Of all that is left to chance; what the machine does with it differs.
    """

    def __init__(self, world: World, seed: int):
        self._world, self._chance = world, random.Random(seed)
        self.outcome = Outcome()
        self._moves = Moves(world, self._chance, self._note)
        self._begun: list[Begun] = []
        self._ended: list[Begun] = []
        self._number = 1000

    def play(self, seconds: float) -> Outcome:
        """Play, then let everything end, and compare all of it."""
        ends = time.monotonic() + seconds
        next_check = time.monotonic() + CHECK_SECONDS
        next_fault, next_move, next_worker = (self._in(one) for one in (FAULT_SECONDS, MOVE_SECONDS, WORKER_SECONDS))
        while time.monotonic() < ends:
            self._keep_busy()
            now = time.monotonic()
            if now >= next_fault:
                self._moves.next_faults()
                next_fault = self._in(FAULT_SECONDS)
            if now >= next_move:
                self._move()
                next_move = self._in(MOVE_SECONDS)
            if now >= next_worker:
                self._moves.break_a_worker()
                next_worker = self._in(WORKER_SECONDS)
            self._look()
            if now >= next_check:
                self._check_now()
                next_check = time.monotonic() + CHECK_SECONDS
            time.sleep(SECONDS_BETWEEN_LOOKS)
        self._end()
        return self.outcome

    def _keep_busy(self) -> None:
        while len(self._begun) < AT_ONCE:
            self._number += 1
            work = self._chance.choice(KINDS)(self._world, SIZE, self._number)
            try:
                self._begun.append(self._begin(work))
            except (EncordError, DeploymentError, requests.RequestException):  # a fault met us
                self.outcome.postponed += 1
                return

    def _begin(self, work: Work) -> Begun:
        fleet, conf = self._world.fleet, work.prepare()
        twice = isinstance(work, TWICE) and self._chance.random() < SAME_WORK_TWICE
        if twice and not isinstance(work, Media):
            conf |= {"name": work.name}
        work.run = fleet.trigger(work.dag, conf)
        begun = Begun(work, time.monotonic(), self._in(LET_END_SECONDS))
        if twice:
            begun.others.append(fleet.trigger(work.dag, conf))
            self._note("two runs of the same work")
        return begun

    def _move(self) -> None:
        moves = self._moves
        try:
            self._chance.choice(
                [
                    lambda: moves.clear_a_task(self._begun),
                    lambda: moves.clear_a_task(self._ended[-LOOKED_AT_AGAIN:]),
                    moves.kill_a_task,
                    lambda: moves.people_act(self._begun),
                    lambda: moves.people_act(self._begun),
                ]
            )()
        except (EncordError, DeploymentError, requests.RequestException):
            self.outcome.postponed += 1

    def _look(self) -> None:
        for begun in list(self._begun):
            try:
                if begun.has_ended(self._world) and not begun.work.goes_on():
                    self._begun.remove(begun)
                    self._ended.append(begun)
                    self.outcome.pieces[begun.work.dag] += 1
            except AssertionError as error:
                self._begun.remove(begun)
                self._found(str(error))
            except (EncordError, requests.RequestException):
                self.outcome.postponed += 1

    def _check_now(self) -> None:
        self._world.emulator.clear_journal()
        for begun in self._begun:
            self.outcome.checks += 1
            if problem := begun.problem_meanwhile():
                self._found(f"{begun.name}, in progress: {problem}")
        for begun in self._chance.sample(self._ended, min(LOOKED_AT_AGAIN, len(self._ended))):
            self._compare(begun)
        done = sum(self.outcome.pieces.values())
        print(
            f"{time.strftime('%H:%M:%S')} {done} pieces have ended, {len(self._begun)} are in progress, "
            f"{sum(self.outcome.moves.values())} moves, {len(self.outcome.problems)} problems",
            flush=True,
        )

    def _compare(self, begun: Begun, *, last: bool = False) -> int:
        """Compare a piece that has ended, unless it was cleared and is being done again.

        :param last: Whether it is the last comparison, which no fault can meet.
        """
        self.outcome.checks += 1
        try:
            if begun.has_ended(self._world) is None:
                return 0
            return begun.work.check()
        except AssertionError as error:
            lost_while_cleared = isinstance(error, NotOnceError) and not error.doubled and not error.strange
            if not (lost_while_cleared and begun.has_ended(self._world) is None):
                self._found(f"{begun.name}: {error}")
        except Exception as error:  # noqa: BLE001 - a fault met the comparison: it is made again at the end
            problem = f"{begun.name} could not be compared: {type(error).__name__}: {error}"[:500]
            if last:
                self._found(problem)
            else:
                self.outcome.postponed += 1
                print(f"  {problem}", flush=True)
        return 0

    def _end(self) -> None:
        self._moves.no_faults()
        print(f"{time.strftime('%H:%M:%S')} Everything is to end now.", flush=True)
        deadline = time.monotonic() + END_SECONDS
        while self._unfinished() and time.monotonic() < deadline:
            self._look()
            time.sleep(SECONDS_BETWEEN_LOOKS)
        for begun in self._unfinished():
            self._found(f"{begun.name} did not end.")
        for begun in self._ended:
            self.outcome.items[begun.work.dag] += self._compare(begun, last=True)

    def _unfinished(self) -> list[Begun]:
        return [*self._begun, *(one for one in self._ended if one.has_ended(self._world) is None)]

    def _found(self, problem: str) -> None:
        if problem not in self.outcome.problems:
            self.outcome.problems.append(problem)
            print(f"  PROBLEM: {problem}", flush=True)

    def _note(self, move: str) -> None:
        self.outcome.moves[move] += 1

    def _in(self, seconds: tuple[float, float]) -> float:
        return time.monotonic() + self._chance.uniform(*seconds)
