"""Creating a thing just once, though Encord has no idempotency keys: by its title.

Airflow retries, answers get lost, workers die between the request and the note of its result. So we look for the title
first, and once more when the answer to a creation was lost.

What is reused is taken as it is. If the search shows that it differs from what was asked for, a warning says in what.
"""

from __future__ import annotations

import datetime
import logging
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

import msgspec

from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.errors import ConflictError, EncordError, InvalidArgumentError, OutcomeUnknownError
from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.defaults import IF_EXISTS

T = TypeVar("T")

log = logging.getLogger(__name__)

REUSE, FAIL, NEW = IF_EXISTS
TOGETHER = 600.0
"""Seconds between the first and the last creation of things of one title that count as one mishap."""


class Created(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a creation.

    :param id: Id of the resource.
    :param created: False if it was there before.
    """

    id: str
    created: bool


class Existing(msgspec.Struct, frozen=True, kw_only=True):
    """Something of the wanted title that is there already.

    :param differs: Clauses that name what is not as asked for: ``"its description is another"``.
    :param created_at: When it was created, as Encord writes it.
    """

    id: str
    differs: Sequence[str] = ()
    created_at: str | None = None


Find: TypeAlias = Callable[[str], Flow[Sequence[Existing]]]


class _Titled(Protocol):
    @property
    def title(self) -> str: ...

    @property
    def created_at(self) -> str | None: ...


TitledT = TypeVar("TitledT", bound=_Titled)


def existing(
    title: str,
    found: Iterable[TitledT],
    *,
    id_of: Callable[[TitledT], str],
    differs: Callable[[TitledT], Sequence[str]],
) -> list[Existing]:
    """Those of a search that have exactly this title; Encord's search may ignore case.

    :param differs: What is not as asked for, see `Existing`.
    """
    return [
        Existing(id=id_of(record), differs=differs(record), created_at=record.created_at)
        for record in found
        if record.title == title
    ]


def require_title(title: object) -> str:
    """Check a title before it is sent.

    :return: The title with composed characters (NFC), as most of the world writes it.
    :raises InvalidArgumentError: It is empty, or has blanks around it.
    """
    if title is not None and not isinstance(title, str):
        raise InvalidArgumentError(f"title: it must be text, not a {type(title).__name__}.")
    if title is None or not title.strip():
        raise InvalidArgumentError("title: it is empty; a resource needs one.")
    if any("\ud800" <= character <= "\udfff" for character in title):
        raise InvalidArgumentError(f"title: {title[:80]!a} has half of a surrogate pair, which is not a character.")
    if title != title.strip():
        raise InvalidArgumentError(
            f"title: {title!r} begins or ends with a blank, by which it would not be found again."
        )
    return unicodedata.normalize("NFC", title)


def get_or_create(
    kind: str,
    title: str,
    *,
    find: Find,
    create: Callable[[str], Call[T]],
    id_of: Callable[[T], str],
    if_exists: str = REUSE,
) -> Flow[Created]:
    """Create a resource unless there is one of its title.

    Two tasks that create one title in the same moment can both find nothing. So it looks again after creating; if there
    are several by then, all these tasks, and all later ones, take the oldest, and a warning names the others.

    :param kind: ``"project"``, ``"dataset"``, ``"ontology"``; for messages.
    :param find: Finds those with exactly this title that the credential can see.
    :param create: Makes the call that creates one of a title.
    :param id_of: The id in the answer to that.
    :param if_exists: ``"reuse"`` takes the one that is there, ``"fail"`` refuses, ``"new"`` does not look: it makes
        another one at every run.
    :raises ConflictError: There is one and `if_exists` is ``"fail"``, or there are several that were not created
        together, so that which one is meant cannot be known.
    """
    title = require_title(title)
    if if_exists not in IF_EXISTS:
        raise InvalidArgumentError(f"if_exists: {if_exists!r} is not one of {', '.join(IF_EXISTS)}.")
    if if_exists == NEW:
        return Created(id=id_of((yield from create(title))), created=True)
    found = yield from _find(find, title)
    if found and if_exists == FAIL:
        raise ConflictError(f"There is a {kind} titled {title!r} already ({_ids(found)}), and if_exists is 'fail'.")
    if found:
        reused = _choose(kind, title, found)
        _warn_of_differences(kind, title, reused)
        return Created(id=reused.id, created=False)
    try:
        answer: Any = yield from create(title)
    except OutcomeUnknownError as error:
        found = yield from _find(find, title)
        if not found:
            raise OutcomeUnknownError(
                f"{error.message} No {kind} of this title shows so far; a retry looks for it before it makes one.",
                retry_after=error.retry_after,
                operation=error.operation,
                trace_id=error.trace_id,
            ) from None
        return Created(id=_choose(kind, title, found).id, created=True)
    mine = id_of(answer)
    chosen = yield from _oldest_by_now(kind, title, mine, find)
    return Created(id=chosen, created=chosen == mine)


def _find(find: Find, title: str) -> Flow[Sequence[Existing]]:
    """Those of this title, and of the title that looks the same (an accent may be a character of its own)."""
    found = list((yield from find(title)))
    decomposed = unicodedata.normalize("NFD", title)
    if decomposed != title:
        found += yield from find(decomposed)
    return list({match.id: match for match in found}.values())


def _oldest_by_now(kind: str, title: str, mine: str, find: Find) -> Flow[str]:
    """The id to use, now that others may have created the same title meanwhile."""
    try:
        found = yield from _find(find, title)
    except EncordError as error:  # it is created; nothing is lost but the look
        log.warning("Whether others created the %s %r at the same time is not known: %s", kind, title, error)
        return mine
    if mine not in {match.id for match in found}:  # a listing may lag behind
        return mine
    oldest = sorted(found, key=_age)[0]
    if len(found) > 1:
        _warn_of_others(kind, title, oldest, found)
    return oldest.id


def _choose(kind: str, title: str, found: Sequence[Existing]) -> Existing:
    """The one to reuse: the only one, or the oldest of those that were created together."""
    oldest = sorted(found, key=_age)[0]
    if len(found) == 1:
        return oldest
    if _were_created_together(found):
        _warn_of_others(kind, title, oldest, found)
        return oldest
    raise ConflictError(
        f"{len(found)} {_plural(kind)} are titled {title!r}: {_ids(found)}. Pass the id of the right one where it is "
        "used, rename the others, or set if_exists to 'new'."
    )


def _were_created_together(found: Sequence[Existing]) -> bool:
    created = [parse_time(match.created_at) for match in found if match.created_at]
    return len(created) == len(found) and (max(created) - min(created)).total_seconds() <= TOGETHER


def _age(one: Existing) -> tuple[str, str]:
    created = parse_time(one.created_at).astimezone(datetime.UTC).isoformat() if one.created_at else ""
    return created, one.id


def _warn_of_others(kind: str, title: str, oldest: Existing, found: Sequence[Existing]) -> None:
    others = ", ".join(match.id for match in found if match.id != oldest.id)
    log.warning(
        "Several tasks created the %s %r at the same time. All of them use the oldest, %s. Remove or rename the "
        "others: %s. To avoid this, create it in one task that the others depend on, or set max_active_tis_per_dag=1.",
        kind,
        title,
        oldest.id,
        others,
    )


def _ids(found: Sequence[Existing]) -> str:
    return ", ".join(match.id for match in found)


def _plural(kind: str) -> str:
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"


def _warn_of_differences(kind: str, title: str, reused: Existing) -> None:
    if reused.differs:
        log.warning(
            "The %s titled %r (%s) is reused as it is, though it differs from what was asked for: %s. Change it in "
            "Encord, or give another title.",
            kind,
            title,
            reused.id,
            "; ".join(reused.differs),
        )


def another_description(wanted: str | None, there: str | None) -> list[str]:
    """The clause on a description, if one was asked for and another is there."""
    return ["its description is another"] if wanted and wanted != there else []
