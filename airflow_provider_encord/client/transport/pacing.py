"""Where the `Pace` of a credential is kept, and how a call waits for its turn.

By default, a transport keeps it for itself. The hook passes a `Pacer` that all processes of the machine share: each
task of Airflow is a process of its own, and what Encord said to one of them counts for all.
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import logging
import math
import os
import random
import stat
import struct
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from airflow_provider_encord.client.errors import RateLimitedError
from airflow_provider_encord.client.transport import retry
from airflow_provider_encord.client.transport.pace import LONG_QUEUE, Pace
from airflow_provider_encord.defaults import LONGEST_WAIT, LONGEST_WAIT_IN_ALL, LONGEST_WAIT_IN_SLOT

log = logging.getLogger(__name__)

T = TypeVar("T")

ROOM = 0.9  # of the longest wait in place, the queue may take when a request is put into it; others may delay it later
ROOM_FOR_NEW = 0.55  # the same before the first request of a client
LEAST_ROOM = 1.5  # times the time between two requests; who has begun may wait that long in any case
_FORMAT = struct.Struct(f"={len(dataclasses.fields(Pace))}d")
_TRIES = 500
_BETWEEN_TRIES = 0.001  # seconds; a process holds the lock for microseconds, if it is not stopped meanwhile


class Store(Protocol):
    """Keeps a `Pace`."""

    may_block: bool
    """Whether `update` may take longer than an event loop should wait."""

    def update(self, change: Callable[[Pace], T]) -> T:
        """Change what is kept, with no other change in between.

        :param change: Changes a pace, and nothing else: if another change came first, it is called again.
        :return: What `change` returns.
        """


class MemoryStore:
    """Keeps it in this object."""

    may_block = False

    def __init__(self) -> None:
        self._pace, self._lock, self._process = Pace(), threading.Lock(), os.getpid()

    def update(self, change: Callable[[Pace], T]) -> T:
        """See `Store`."""
        if self._process != os.getpid():  # the lock may have been held when this process was forked
            self._lock, self._process = threading.Lock(), os.getpid()
        with self._lock:
            return change(self._pace)


class FileStore:
    """Keeps it in a file of some bytes that all processes of this user on this machine share.

    :param path: Path of the file. Its directory exists.
    """

    may_block = False

    def __init__(self, path: Path):
        self._path, self._process, self._file = path, 0, -1
        self._lock, self._stand_in = threading.Lock(), MemoryStore()

    def update(self, change: Callable[[Pace], T]) -> T:
        """See `Store`. If the file cannot be used, this object keeps the pace."""
        if self._process != os.getpid():  # a lock belongs to an open file, which a fork would share
            self._lock, self._file = threading.Lock(), -1
            self._process = os.getpid()
        with self._lock:
            try:
                return self._update(change)
            except OSError as error:
                log.debug("The pace of requests is not shared: %s", error)
                return self._stand_in.update(change)

    def __del__(self) -> None:
        if self._file >= 0 and self._process == os.getpid():  # a fork may use the number for another file
            os.close(self._file)

    def _update(self, change: Callable[[Pace], T]) -> T:
        if self._file < 0:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        _lock(self._file)
        try:
            pace = unpacked(os.pread(self._file, _FORMAT.size, 0))
            result = change(pace)
            os.pwrite(self._file, packed(pace), 0)
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        return result


def _lock(file: int) -> None:
    """Lock a file against other processes. One that stands still with the lock is not waited for."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_BETWEEN_TRIES)
        else:
            return
    log.debug("Another process holds the lock of the pace for too long. A change of others may be lost.")


def packed(pace: Pace) -> bytes:
    """A pace as it is kept."""
    return _FORMAT.pack(*dataclasses.astuple(pace))


def unpacked(content: bytes) -> Pace:
    """A pace as it was kept; a new one if the content is empty or damaged."""
    if len(content) != _FORMAT.size:
        return Pace()
    numbers = _FORMAT.unpack(content)
    return Pace(*numbers) if all(math.isfinite(number) and number >= 0 for number in numbers) else Pace()


def shared_name(base_url: str, credential: str) -> str:
    """The name under which the pace of a credential at an address is kept. It says nothing about either.

    :param credential: What identifies it, and is not secret.
    """
    address, owner = (hashlib.sha256(text.encode()).hexdigest()[:16] for text in (base_url, credential))
    return f"pace-{address}-{owner}"


def shared_file(name: str) -> Path | None:
    """The file of a pace; None if this machine has no directory of our own for it.

    :param name: From `shared_name`.
    """
    directory = Path(tempfile.gettempdir()) / f"airflow-provider-encord-{os.getuid()}"
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        found = directory.lstat()
    except OSError:
        return None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():  # somebody else was first
        return None
    return directory / name


class Pacer:
    """Gives each call its turn.

    :param store: Where the pace is kept.
    :param rate: Requests per second at most; None if only Encord's refusals count.
    :param longest: Seconds that a request may wait in place. Instead of a longer wait, an error is raised. Default: 60
        if Encord asks for the wait; with the time until it is its turn, 300.
    :param spread: By up to this fraction, a wait that Encord asked for is made longer.
    :param background: Whether its requests let others pass while the queue is long, as those of triggers do: there may
        be thousands of them, and nothing waits for each in a slot.
    :param clock: Returns the time in seconds since 1970.
    """

    def __init__(
        self,
        store: Store,
        *,
        rate: float | None = None,
        longest: float | None = None,
        spread: float = 0.0,
        background: bool = False,
        clock: Callable[[], float] = time.time,
    ):
        self.store, self.spread, self.clock = store, spread, clock
        self.longest_asked = LONGEST_WAIT if longest is None else longest
        self.longest = LONGEST_WAIT_IN_ALL if longest is None else longest
        self.wait_elsewhere = longest is not None
        self.background = background
        self.away_until = 0.0
        """Until when a client that can wait elsewhere was sent away; its other threads are as well."""
        self.first: Turn | None = None
        """Its turn that keeps its place in the queue after a refusal; one, as its threads ask one after the other."""
        self.begun = False
        """Whether a request was sent. Until then, a client that can wait elsewhere finds the queue full sooner."""
        self.least = 1 / rate if rate else 0.0

    def takes(self, wait: float, interval: float) -> bool:
        """Whether a request is put into the queue if it would wait so many seconds.

        Who has begun comes first: a task that is sent away may have to do its work again from the beginning. If new
        ones could fill the queue, all would be sent away again and again, and none would end. So the last part of the
        usual queue is not for new ones; those that may wait longer enter one that is longer than usual anyway.

        :param interval: Seconds between two requests.
        """
        if not self.wait_elsewhere:
            return wait <= self.longest
        if self.begun:
            return wait <= max(self.longest * ROOM, LEAST_ROOM * interval)
        usual = min(self.longest, LONGEST_WAIT_IN_SLOT)
        return wait <= usual * ROOM_FOR_NEW or usual < wait <= self.longest * ROOM_FOR_NEW

    def may_be_let_in(self, wait: float) -> bool:
        """Whether a request belongs to one who was sent away many times, and would wait no longer than is usual."""
        was_sent_away_many_times = self.wait_elsewhere and self.longest > LONGEST_WAIT_IN_SLOT
        return was_sent_away_many_times and not self.begun and wait <= LONGEST_WAIT_IN_SLOT

    @property
    def may_block(self) -> bool:
        """Whether asking for a turn may take longer than an event loop should wait."""
        return self.store.may_block

    def turn(self, operation: str, *, patient: bool) -> Turn:
        """The turn of a call that is to be sent.

        :param operation: Name of the operation, for messages.
        :param patient: Whether the call may be sent again after a refusal.
        """
        return Turn(self, operation, patient=patient)


class _Answer(NamedTuple):
    """What a call hears that asks for its turn.

    :param number: Its place in the queue; None if it is not in it.
    :param seconds: To wait; 0 if it is to be sent now.
    :param sent_away: Whether it is not to wait in place.
    :param lets_pass: Whether it is to ask again then, and to be put into the queue.
    """

    number: float | None
    seconds: float
    sent_away: bool = False
    lets_pass: bool = False


class Turn:
    """One call on its way. The transport waits as `seconds` says, sends the call, and reports a refusal."""

    def __init__(self, pacer: Pacer, operation: str, *, patient: bool):
        self._pacer, self._operation, self._patient = pacer, operation, patient
        self._number: float | None = None
        self._refusals, self._waited, self._sent_at = 0, 0.0, 0.0
        self._has_let_pass = False

    def seconds(self) -> float:
        """Seconds to wait, and then to ask again; 0 if the call is to be sent now.

        :raises RateLimitedError: It is longer than a request may wait in place. The error says when to try again.
        """
        left = self._pacer.away_until - self._now()
        away = left > self._pacer.longest
        answer = _Answer(None, left, sent_away=True) if away else self._pacer.store.update(self._ask)
        self._number, wait = answer.number, answer.seconds
        if self.keeps_place and (self._number is None or not wait):
            self._pacer.first = None
        self._sent_at = self._now() + wait
        if answer.sent_away and self._pacer.wait_elsewhere:
            self._pacer.away_until = self._sent_at
        if answer.sent_away or (answer.lets_pass and self._waited + wait > self._pacer.longest):
            raise self._ended(
                RateLimitedError(
                    "Encord has asked for fewer requests with this credential. The next one may be sent in "
                    f"{wait:.0f} s.",
                    retry_after=wait,
                    operation=self._operation,
                )
            )
        self._has_let_pass |= answer.lets_pass
        self._waited += wait
        self._pacer.begun |= not wait
        return wait

    def refused(self, error: RateLimitedError) -> None:
        """Note that Encord refused the call.

        :raises RateLimitedError: The same error, if the call is not to be sent again in place.
        """
        self._refusals += 1
        asked = retry.back_off(self._refusals) if error.retry_after is None else error.retry_after
        seconds = asked * (1 + random.uniform(0, self._pacer.spread))  # noqa: S311 - spreads the load

        longest_in_all = self._pacer.longest if self._pacer.wait_elsewhere else LONGEST_WAIT_IN_ALL
        too_long = asked > self._pacer.longest_asked or self._waited + seconds > longest_in_all
        without_a_word = not error.retry_after and self._refusals >= retry.ATTEMPTS  # as after other failures
        ends = too_long or without_a_word or not self._patient
        # After no wait it would be refused again at once, so it goes to the end of the queue.
        keeps_place = not ends and asked > 0 and self._pacer.first is None

        def refuse(pace: Pace) -> float | None:
            pace.refuse(self._now(), sent_at=self._sent_at, seconds=seconds)
            return pace.take_first() if keeps_place else None

        self._number = self._pacer.store.update(refuse)
        if keeps_place:
            self._pacer.first = self
        if ends:
            if self._pacer.wait_elsewhere and not error.retry_after:
                error.retry_after = retry.back_off(self._refusals)
            raise self._ended(error)
        log.warning("The request is sent again in %.1f s or later, because: %s", seconds, error)

    @property
    def keeps_place(self) -> bool:
        """Whether its place is before all those that are waiting, because it was refused there."""
        return self._pacer.first is self

    def _ended(self, error: RateLimitedError) -> RateLimitedError:
        """The error with which the call ends."""
        error.wait_elsewhere, error.begun = self._pacer.wait_elsewhere, self._pacer.begun
        return error

    def _ask(self, pace: Pace) -> _Answer:
        """Ask for the turn. It changes nothing but the pace, because a store may call it again."""
        now, least = self._now(), self._pacer.least
        number = self._number
        if number is not None and pace.has_passed(now, number):
            number = None
        wait = pace.wait(now, number, least=least)
        if self._is_too_long(pace, now, wait) and not (number is None and self._is_let_in(pace, now, wait)):
            if number is not None:
                pace.give_back()
            later = pace.let_pass if self._pacer.background else pace.send_away
            return _Answer(None, later(now, wait, least=least), sent_away=True)
        if self._lets_pass and wait > LONG_QUEUE:
            return _Answer(None, pace.let_pass(now, wait, least=least), lets_pass=True)
        number = pace.take() if number is None else number
        wait = pace.nap(now, number, least=least)
        if not wait:
            pace.send(now, number, least=least)
        return _Answer(number, wait)

    def _is_too_long(self, pace: Pace, now: float, wait: float) -> bool:
        """Whether a wait is not to be waited for in place."""
        pacer = self._pacer
        if pace.opens_at - now > pacer.longest_asked * (1 + pacer.spread):
            return True
        interval = max(pace.interval(now), pacer.least)
        waited = self._waited if pacer.wait_elsewhere else 0.0
        if waited + wait > max(pacer.longest, LEAST_ROOM * interval):
            return True
        return self._number is None and not pacer.takes(wait, interval)

    def _is_let_in(self, pace: Pace, now: float, wait: float) -> bool:
        return self._pacer.may_be_let_in(wait) and pace.let_in(now)

    @property
    def _lets_pass(self) -> bool:
        return self._pacer.background and self._number is None and not self._has_let_pass

    def _now(self) -> float:
        """The time; not before that until which the call was to wait."""
        return max(self._pacer.clock(), self._sent_at)
