"""More tasks at once than the rate limit has room for: all come to their end, and little is sent in vain.

Tasks and time are played. A task that is sent away comes back later and begins again from its first request, as one
does that keeps nothing of what it had found.
"""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import logging

import pytest

from airflow_provider_encord.client.errors import RateLimitedError
from airflow_provider_encord.client.transport.pacing import MemoryStore, Pacer, Turn

SECONDS_ON_THE_WAY = 0.05
SECONDS_TO_DEFER = 5.0  # until a task that was deferred is in a slot again, besides its wait
LONGEST = 5.0


class Encord:
    """Takes so many requests a second, and refuses the others for a second."""

    def __init__(self, rate: float, now: float):
        self.rate, self.tokens, self.filled_at = rate, rate, now

    def takes(self, now: float) -> bool:
        self.tokens = min(self.rate, self.tokens + (now - self.filled_at) * self.rate)
        self.filled_at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclasses.dataclass
class Task:
    pacer: Pacer | None = None  # none while it is not in a slot
    turn: Turn | None = None
    done: int = 0


class Crowd:
    """Tasks that all begin at once, each with so many requests, one after the other."""

    def __init__(self, tasks: int, requests: int, rate: float, *, known: bool):
        self.now = self.begun_at = 1_000_000.0
        self.requests, self.known_rate = requests, rate if known else None
        self.encord, self.store = Encord(rate, self.now), MemoryStore()
        self.sent = self.sent_away = 0
        self._order = itertools.count()
        self._events = [(self.now, next(self._order), Task()) for _ in range(tasks)]

    def play(self, most_seconds: float) -> float:
        """The seconds until all tasks have ended."""
        while self._events:
            self.now, _, task = heapq.heappop(self._events)
            assert self.now - self.begun_at < most_seconds, f"{len(self._events) + 1} tasks have not ended"
            wait = self._go_on(task)
            if wait is not None:
                heapq.heappush(self._events, (self.now + wait, next(self._order), task))
        return self.now - self.begun_at

    def _go_on(self, task: Task) -> float | None:
        """The seconds until a task is looked at again; None if it has ended."""
        task.pacer = task.pacer or Pacer(self.store, rate=self.known_rate, longest=LONGEST, clock=lambda: self.now)
        task.turn = task.turn or task.pacer.turn("project.get", patient=True)
        try:
            return task.turn.seconds() or self._send(task, task.turn)
        except RateLimitedError as error:
            self.sent_away += 1
            task.pacer, task.turn, task.done = None, None, 0
            return SECONDS_TO_DEFER + (error.retry_after or 0.0)

    def _send(self, task: Task, turn: Turn) -> float | None:
        self.sent += 1
        if not self.encord.takes(self.now):
            turn.refused(RateLimitedError("Too many requests.", retry_after=1.0))
            return SECONDS_ON_THE_WAY
        task.turn, task.done = None, task.done + 1
        return None if task.done == self.requests else SECONDS_ON_THE_WAY


@pytest.mark.parametrize("known", [False, True], ids=["the limit is found out", "the limit is set"])
@pytest.mark.parametrize(("tasks", "requests", "rate"), [(100, 10, 20.0), (100, 10, 2.0), (200, 10, 5.0)])
def test_tasks_that_begin_again_when_they_are_sent_away_come_to_their_end(
    caplog: pytest.LogCaptureFixture, tasks: int, requests: int, rate: float, known: bool
) -> None:
    """A hundred such tasks at two requests a second did not end within hours, and sent forty times as many requests."""
    caplog.set_level(logging.ERROR)
    crowd = Crowd(tasks, requests, rate, known=known)
    optimum = tasks * requests / rate
    assert crowd.play(most_seconds=2 * optimum) <= 1.25 * optimum
    assert crowd.sent <= 1.1 * tasks * requests
    assert crowd.sent_away <= crowd.sent


def test_a_crowd_that_fits_into_its_slots_is_not_sent_away(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    crowd = Crowd(tasks=60, requests=10, rate=20.0, known=True)  # each waits for 59 others: 3 seconds
    crowd.play(most_seconds=60)
    assert crowd.sent_away == 0
