"""Creating a resource only once, identified by its title, because Encord has no idempotency keys.

Airflow retries tasks, responses get lost, and workers die before the result is stored. So we search for the title
first, and again when the response to a creation was lost.

An existing resource is reused unchanged. If the search shows that it differs from the request, a warning names the
differences.
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
"""Seconds.

Resources with one title count as created together if the last was created at most this long after the first.
"""


class Created(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a creation.

    :param id: Id of the resource.
    :param created: False if it existed already.
    """

    id: str
    created: bool


class Existing(msgspec.Struct, frozen=True, kw_only=True):
    """An existing resource with the requested title.

    :param differs: Clauses that name the differences from the request, such as ``"its description differs"``.
    :param created_at: When it was created, in Encord's format.
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
    """The search results with exactly this title; Encord's search may ignore case.

    :param differs: Returns the differences from the request; see `Existing`.
    """
    return [
        Existing(id=id_of(record), differs=differs(record), created_at=record.created_at)
        for record in found
        if record.title == title
    ]


def require_title(title: object) -> str:
    """Check a title before it is sent.

    :return: The title in Unicode form NFC (composed characters), the usual form.
    :raises InvalidArgumentError: It is empty, not text, not valid Unicode, or begins or ends with a blank.
    """
    if title is not None and not isinstance(title, str):
        raise InvalidArgumentError(f"title: it must be text, not a {type(title).__name__}.")
    if title is None or not title.strip():
        raise InvalidArgumentError("title: it is empty. Pass a title.")
    if any("\ud800" <= character <= "\udfff" for character in title):
        raise InvalidArgumentError(
            f"title: {title[:80]!a} contains half of a surrogate pair, which is not a character."
        )
    if title != title.strip():
        raise InvalidArgumentError(
            f"title: {title!r} begins or ends with a blank, so a later search would not find it. Remove the blank."
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
    """Create a resource, or reuse one with the same title.

    Two tasks that create the same title at the same moment can both find nothing. So the title is searched again after
    the creation. If several resources have it by then, these tasks and all later ones use the oldest, and a warning
    names the others.

    :param kind: ``"project"``, ``"dataset"`` or ``"ontology"``, for messages.
    :param find: Finds the resources with exactly this title that the credential can see.
    :param create: Makes the call that creates a resource with a given title.
    :param id_of: Returns the id from the response to that call.
    :param if_exists: ``"reuse"`` uses the existing resource, ``"fail"`` raises an error, ``"new"`` does not search and
        creates another resource in every run.
    :raises ConflictError: The title exists and `if_exists` is ``"fail"``; or several resources have it, but they were
        not created together, so the right one is not known.
    """
    title = require_title(title)
    if if_exists not in IF_EXISTS:
        raise InvalidArgumentError(f"if_exists: {if_exists!r} is not one of {', '.join(IF_EXISTS)}.")
    if if_exists == NEW:
        return Created(id=id_of((yield from create(title))), created=True)
    found = yield from _find(find, title)
    if found and if_exists == FAIL:
        raise ConflictError(f"A {kind} titled {title!r} exists already ({_ids(found)}), and if_exists is 'fail'.")
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
                f"{error.message} No {kind} with this title is listed yet. A retry searches for it before it creates "
                "one.",
                retry_after=error.retry_after,
                operation=error.operation,
                trace_id=error.trace_id,
            ) from None
        return Created(id=_choose(kind, title, found).id, created=True)
    mine = id_of(answer)
    chosen = yield from _oldest_by_now(kind, title, mine, find)
    return Created(id=chosen, created=chosen == mine)


def _find(find: Find, title: str) -> Flow[Sequence[Existing]]:
    """The resources with this title in either Unicode form; in NFD, an accent is a separate character."""
    found = list((yield from find(title)))
    decomposed = unicodedata.normalize("NFD", title)
    if decomposed != title:
        found += yield from find(decomposed)
    return list({match.id: match for match in found}.values())


def _oldest_by_now(kind: str, title: str, mine: str, find: Find) -> Flow[str]:
    """The id to use after a creation, because another task may have created the same title meanwhile."""
    try:
        found = yield from _find(find, title)
    except EncordError as error:  # the resource is created; only the second search failed
        log.warning("Cannot check whether other tasks created the %s %r at the same time: %s", kind, title, error)
        return mine
    if mine not in {match.id for match in found}:  # a listing may lag behind
        return mine
    oldest = sorted(found, key=_age)[0]
    if len(found) > 1:
        _warn_of_others(kind, title, oldest, found)
    return oldest.id


def _choose(kind: str, title: str, found: Sequence[Existing]) -> Existing:
    """The resource to reuse: the only one, or the oldest if all were created together."""
    oldest = sorted(found, key=_age)[0]
    if len(found) == 1:
        return oldest
    if _were_created_together(found):
        _warn_of_others(kind, title, oldest, found)
        return oldest
    raise ConflictError(
        f"{len(found)} {_plural(kind)} are titled {title!r}: {_ids(found)}. Pass the id of the right one to the tasks "
        "that use it, rename the others, or set if_exists to 'new'."
    )


def _were_created_together(found: Sequence[Existing]) -> bool:
    created = [parse_time(match.created_at) for match in found if match.created_at]
    return len(created) == len(found) and (max(created) - min(created)).total_seconds() <= TOGETHER


def _age(thing: Existing) -> tuple[str, str]:
    created = parse_time(thing.created_at).astimezone(datetime.UTC).isoformat() if thing.created_at else ""
    return created, thing.id


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
            "The existing %s titled %r (%s) is reused unchanged, but it differs from the request: %s. Change it in "
            "Encord, or use another title.",
            kind,
            title,
            reused.id,
            "; ".join(reused.differs),
        )


def another_description(wanted: str | None, there: str | None) -> list[str]:
    """The clause about the description, if one was requested and the existing one differs."""
    return ["its description differs"] if wanted and wanted != there else []
