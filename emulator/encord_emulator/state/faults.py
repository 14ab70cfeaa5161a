"""Scripted misbehaviour: which requests go wrong, when, and how.

Every fault counts the requests that match it, whether or not it or another one fires; the first that fires wins.
"""

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid
from ..wire.shapes import Count, PositiveCount, Share, Strict

_WITHOUT_BODY = (204, 304)
_OF_THE_SERVER = ("content-length", "transfer-encoding")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"([\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?")


class Match(Strict, frozen=True):
    """Which requests are meant; what is left out matches everything. ``path`` is searched, not matched whole."""

    method: Annotated[str, msgspec.Meta(pattern="^[A-Z]+$")] | None = None
    path: str | None = None
    query_type: str | None = None
    query_method: str | None = None


class When(Strict, frozen=True):
    """At which of the matching requests; every condition given must hold. ``times``: at most so often in all."""

    nth: PositiveCount | None = None
    every: PositiveCount | None = None
    probability: Share | None = None
    seed: int | None = None
    times: Count | None = None


class Do(Strict, frozen=True):
    """What happens: exactly one of an HTTP status, a v1 error, a delay, a cut connection."""

    status: Annotated[int, msgspec.Meta(ge=200, le=599)] | None = None
    headers: dict[str, str] | None = None
    json: Any = msgspec.UNSET
    text: str | None = None
    v1_error: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    payload: Any = msgspec.UNSET
    delay_s: Annotated[float, msgspec.Meta(ge=0, le=3600)] | None = None
    cut: Literal["before", "after"] | None = None

    def check(self) -> None:
        """:raises RefusalError: None or several things to do, or a detail of another one."""
        kinds = [name for name in ("status", "v1_error", "delay_s", "cut") if getattr(self, name) is not None]
        if len(kinds) != 1:
            raise RefusalError(Reason.MALFORMED, "do: give exactly one of status, v1_error, delay_s, cut")
        if self.status is None and (
            self.headers is not None or self.json is not msgspec.UNSET or self.text is not None
        ):
            raise RefusalError(Reason.MALFORMED, "do: headers, json and text belong to status")
        if self.v1_error is None and self.payload is not msgspec.UNSET:
            raise RefusalError(Reason.MALFORMED, "do: payload belongs to v1_error")
        if self.status in _WITHOUT_BODY and (self.json is not msgspec.UNSET or self.text is not None):
            raise RefusalError(Reason.MALFORMED, f"do: an answer with status {self.status} has no json and no text")
        for name, value in (self.headers or {}).items():
            _check_header(name, value)


def _check_header(name: str, value: str) -> None:
    if _HEADER_NAME.fullmatch(name) is None:
        raise RefusalError(Reason.MALFORMED, f"headers: {name!r} cannot be the name of a header")
    if name.lower() in _OF_THE_SERVER:
        raise RefusalError(Reason.MALFORMED, f"headers: {name} is set by the server; leave it out")
    if _HEADER_VALUE.fullmatch(value) is None:
        raise RefusalError(
            Reason.MALFORMED, f"headers: the value of {name} has a line break or a character that is not Latin-1"
        )


class FaultScript(Strict, frozen=True):
    """One fault as the control takes it."""

    do: Do
    match: Match = Match()
    when: When = When()


@dataclasses.dataclass
class _Fault:
    identifier: str
    script: FaultScript
    path: re.Pattern[str] | None
    dice: random.Random
    matched: int = 0
    fired: int = 0

    def concerns(self, method: str, path: str, query_type: str | None, query_method: str | None) -> bool:
        match = self.script.match
        return (
            match.method in (None, method)
            and match.query_type in (None, query_type)
            and match.query_method in (None, query_method)
            and (self.path is None or self.path.search(path) is not None)
        )

    def fires(self) -> bool:
        """Count one matching request; whether this is one that goes wrong."""
        when = self.script.when
        self.matched += 1
        if when.times is not None and self.fired >= when.times:
            return False
        if when.nth is not None and self.matched != when.nth:
            return False
        if when.every is not None and self.matched % when.every != 0:
            return False
        return when.probability is None or self.dice.random() < when.probability


class Faults:
    """The faults in force, in the order given."""

    def __init__(self) -> None:
        self._faults: list[_Fault] = []

    def add(self, scripts: Sequence[FaultScript]) -> list[str]:
        """Put faults in force; their ids.

        :raises RefusalError: One of them makes no sense; then none is added.
        """
        added = [_make(script) for script in scripts]
        self._faults.extend(added)
        return [fault.identifier for fault in added]

    def clear(self) -> int:
        """Take all back; how many that were."""
        count = len(self._faults)
        self._faults.clear()
        return count

    def pick(
        self, method: str, path: str, query_type: str | None = None, query_method: str | None = None
    ) -> tuple[str, Do] | None:
        """The id and deed of the fault that befalls this request, if any."""
        chosen: _Fault | None = None
        for fault in self._faults:
            if not fault.concerns(method, path, query_type, query_method):
                continue
            if fault.fires() and chosen is None:
                chosen = fault
        if chosen is None:
            return None
        chosen.fired += 1
        return chosen.identifier, chosen.script.do


def _make(script: FaultScript) -> _Fault:
    script.do.check()
    try:
        path = re.compile(script.match.path) if script.match.path is not None else None
    except re.error as error:
        raise RefusalError(Reason.MALFORMED, f"match.path: no regular expression: {error}") from None
    seed: Any = script.when.seed
    return _Fault(new_uuid(), script, path, random.Random(seed))  # noqa: S311 - dice, not a secret
