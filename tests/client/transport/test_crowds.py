"""More tasks at once than the rate limit has room for: all end, and few requests are sent that are not needed.

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
from airflow_provider_encord.defaults import FEW_PAUSES, LONGEST_WAIT_IN_SLOT
from airflow_provider_encord.pauses import after_pause, longest_wait_after, seconds_of_pause

SECONDS_ON_THE_WAY = 0.05
SECONDS_TO_DEFER = 5.0  # until a task that was deferred is in a slot again, besides its wait
SECONDS_BETWEEN_POLLS = 30.0


class Encord:
    """Takes so many requests a second, and refuses the others for `refused_for`; all of them until `closed_until`."""

    def __init__(self, rate: float, now: float):
        self.rate, self.tokens, self.filled_at = rate, rate, now
        self.closed_until, self.refused_for = 0.0, 1.0

    def answer(self, now: float) -> RateLimitedError | None:
        """What it answers to a request; None if it takes it."""
        self.tokens = min(max(1.0, self.rate), self.tokens + (now - self.filled_at) * self.rate)
        self.filled_at = now
        if now >= self.closed_until and self.tokens >= 1:
            self.tokens -= 1
            return None
        self.closed_until = max(self.closed_until, now + self.refused_for)
        return RateLimitedError("Too many requests.", retry_after=self.closed_until - now)


@dataclasses.dataclass
class Task:
    pacer: Pacer | None = None  # none while it is not in a slot
    turn: Turn | None = None
    turn_since: float = 0.0
    answers: list[RateLimitedError | None] = dataclasses.field(default_factory=list)  # one, if it is on its way
    done: int = 0
    pauses: float = 0


@dataclasses.dataclass
class Wait:
    """A trigger that polls; or a task without an end that may not be deferred, if it polls all the time."""

    pacer: Pacer
    turn: Turn | None = None
    every: float = SECONDS_BETWEEN_POLLS


class Crowd:
    """Tasks that begin together, each with so many requests, one after the other; and waits that are already there."""

    def __init__(self, tasks: int, requests: int, rate: float, *, known: bool, waits: int = 0, patient: int = 0):
        self.now = self.begun_at = 1_000_000.0
        self.requests, self.known_rate = requests, rate if known else None
        self.encord, self.store = Encord(rate, self.now), MemoryStore()
        self.on_the_way = SECONDS_ON_THE_WAY
        self.sent = self.sent_away = self.polled = self.ended = 0
        self.longest_in_slot = 0.0  # seconds that a request waited, of tasks that made few pauses
        self._tasks, self._order = tasks, itertools.count()
        pacer = Pacer(self.store, rate=self.known_rate, background=True, clock=lambda: self.now)
        self._events: list[tuple[float, int, Task | Wait]] = []
        for number in range(waits):
            self._see(number / waits * SECONDS_BETWEEN_POLLS, Wait(pacer))
        for _ in range(patient):
            self._see(0.0, Wait(Pacer(self.store, rate=self.known_rate, clock=lambda: self.now), every=0.0))
        for _ in range(tasks):
            self._see(2 * SECONDS_BETWEEN_POLLS if waits else 0.0, Task())

    def play(self, most_seconds: float) -> float:
        """The seconds until all tasks have ended."""
        while self.ended < self._tasks:
            self.now, _, one = heapq.heappop(self._events)
            assert self.now - self.begun_at < most_seconds, f"{self._tasks - self.ended} tasks have not ended"
            wait = self._go_on(one) if isinstance(one, Task) else self._poll(one)
            if wait is None:
                self.ended += 1
            else:
                self._see(wait, one)
        return self.now - self.begun_at

    def _see(self, seconds: float, one: Task | Wait) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._order), one))

    def _poll(self, one: Wait) -> float:
        """The seconds until a wait is looked at again."""
        one.turn = one.turn or one.pacer.turn("project.get", patient=True)
        try:
            if seconds := one.turn.seconds():
                return seconds
            if refusal := self.encord.answer(self.now):
                one.turn.refused(refusal)
                return SECONDS_ON_THE_WAY
        except RateLimitedError as error:
            one.turn = None
            return max(one.every, error.retry_after or 0.0)
        one.turn = None
        self.polled += 1
        return one.every or SECONDS_ON_THE_WAY

    def _go_on(self, task: Task) -> float | None:
        """The seconds until a task is looked at again; None if it has ended."""
        try:
            wait = self._take(task) if task.answers else self._ask(task)
        except RateLimitedError as error:
            self.sent_away += 1
            wait = SECONDS_TO_DEFER + seconds_of_pause(task.pauses, error)
            task.pauses = after_pause(task.pauses, error)
            task.pacer, task.turn, task.done = None, None, 0
        if task.pauses <= FEW_PAUSES:
            self.longest_in_slot = max(self.longest_in_slot, self.now - task.turn_since)
        return wait

    def _ask(self, task: Task) -> float:
        longest = longest_wait_after(task.pauses)
        task.pacer = task.pacer or Pacer(self.store, rate=self.known_rate, longest=longest, clock=lambda: self.now)
        if task.turn is None:
            task.turn, task.turn_since = task.pacer.turn("project.get", patient=True), self.now
        if seconds := task.turn.seconds():
            return seconds
        self.sent += 1
        task.answers.append(self.encord.answer(self.now))
        return self.on_the_way

    def _take(self, task: Task) -> float | None:
        """Take the answer that has arrived."""
        refusal, turn = task.answers.pop(), task.turn
        assert turn is not None
        if refusal:
            turn.refused(refusal)
            return 0.0
        task.turn, task.done = None, task.done + 1
        return None if task.done == self.requests else 0.0


@pytest.mark.parametrize("known", [False, True], ids=["the limit is found out", "the limit is set"])
@pytest.mark.parametrize(("tasks", "requests", "rate"), [(100, 10, 20.0), (100, 10, 2.0), (200, 10, 5.0)])
def test_tasks_that_begin_again_when_they_are_sent_away_end(
    caplog: pytest.LogCaptureFixture, tasks: int, requests: int, rate: float, known: bool
) -> None:
    """A hundred such tasks at two requests a second did not end within hours, and sent forty times as many requests."""
    caplog.set_level(logging.ERROR)
    crowd = Crowd(tasks, requests, rate, known=known)
    optimum = tasks * requests / rate
    assert crowd.play(most_seconds=2 * optimum) <= 1.35 * optimum
    assert crowd.sent <= 1.4 * tasks * requests
    assert crowd.sent_away <= crowd.sent


@pytest.mark.parametrize("known", [False, True], ids=["the limit is found out", "the limit is set"])
@pytest.mark.parametrize(("requests", "on_the_way"), [(33, 0.05), (100, 0.05), (300, 0.05), (33, 0.2), (100, 0.2)])
def test_those_that_have_begun_are_not_pushed_out(
    caplog: pytest.LogCaptureFixture, requests: int, on_the_way: float, known: bool
) -> None:
    """After thirty returns in vain, all of the others came into the queue at once: half of the work was done twice.

    A request that was refused after a wait went to the end of the queue, and waited in the slot once more.
    """
    caplog.set_level(logging.ERROR)
    crowd = Crowd(tasks=100, requests=requests, rate=20.0, known=known)
    crowd.on_the_way = on_the_way
    assert crowd.play(most_seconds=3600) <= 1.2 * 100 * requests / 20.0
    assert crowd.sent <= 1.15 * 100 * requests
    assert crowd.longest_in_slot <= LONGEST_WAIT_IN_SLOT + 4 * on_the_way
    assert crowd.sent_away <= 15 * 100


def test_a_crowd_that_fits_into_its_slots_is_not_sent_away(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    crowd = Crowd(tasks=50, requests=10, rate=20.0, known=True)  # each waits for 49 others: 2.5 seconds
    crowd.play(most_seconds=60)
    assert crowd.sent_away == 0


@pytest.mark.parametrize("known", [False, True], ids=["the limit is found out", "the limit is set"])
def test_neither_tasks_nor_waits_starve_if_the_waits_alone_are_too_many(
    caplog: pytest.LogCaptureFixture, known: bool
) -> None:
    """1,500 waits that poll every 30 seconds fill a limit of 20 requests a second more than twice."""
    caplog.set_level(logging.ERROR)
    crowd = Crowd(tasks=40, requests=10, rate=20.0, known=known, waits=1_500)
    seconds = crowd.play(most_seconds=600) - 2 * SECONDS_BETWEEN_POLLS
    assert seconds <= 4 * 40 * 10 / 20.0
    assert crowd.polled >= 0.4 * 20.0 * seconds


def test_tasks_do_not_come_back_after_all_waits_when_encord_was_closed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    crowd = Crowd(tasks=40, requests=1, rate=20.0, known=True, waits=3_000)
    opens = 2 * SECONDS_BETWEEN_POLLS + 120.0
    crowd.encord.closed_until = crowd.begun_at + opens
    assert crowd.play(most_seconds=opens + 300) <= opens + 30


@pytest.mark.parametrize("refused_for", [6.0, 10.0, 30.0])
def test_a_lone_task_ends_whatever_a_refusal_costs(caplog: pytest.LogCaptureFixture, refused_for: float) -> None:
    """It never came further than its 300th request: each refusal sent it away, and it began again."""
    caplog.set_level(logging.ERROR)
    crowd = Crowd(tasks=1, requests=700, rate=5.0, known=False)
    crowd.encord.refused_for = refused_for
    assert crowd.play(most_seconds=3600) <= 600


def test_tasks_do_not_starve_beside_others_that_wait_in_their_slots(caplog: pytest.LogCaptureFixture) -> None:
    """Those that may not be deferred queue for longer than the others may wait."""
    caplog.set_level(logging.ERROR)
    crowd = Crowd(tasks=20, requests=3, rate=5.0, known=True, patient=40)
    assert crowd.play(most_seconds=3600) <= 900


@pytest.mark.parametrize(("patient", "rate"), [(20, 5.0), (80, 20.0)])
def test_tasks_do_not_starve_beside_others_that_keep_their_part_of_the_queue_full(
    caplog: pytest.LogCaptureFixture, patient: int, rate: float
) -> None:
    """The queue is 4 seconds long all the time: too long for those who have not begun, and not longer than usual."""
    caplog.set_level(logging.ERROR)
    crowd = Crowd(tasks=20, requests=3, rate=rate, known=True, patient=patient)
    assert crowd.play(most_seconds=7200) <= 1200


@pytest.mark.parametrize("rate", [0.1, 0.19])
def test_a_task_ends_however_low_the_rate_is(caplog: pytest.LogCaptureFixture, rate: float) -> None:
    """The second request of a task waited for more than 5 seconds in any case, so none ended."""
    caplog.set_level(logging.ERROR)
    crowd = Crowd(tasks=5, requests=2, rate=rate, known=True)
    assert crowd.play(most_seconds=3600) <= 6 * 5 * 2 / rate
