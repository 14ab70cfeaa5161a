"""Creating a thing just once, though Encord has no idempotency keys: by its title.

Airflow retries, answers get lost, workers die between the request and the note of its result. So we look for the title
first, and once more when the answer to a creation was lost.

What is reused is taken as it is. If it differs from what was asked for, a warning names in what, as far as that look
tells.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.errors import ConflictError, InvalidRequestError, OutcomeUnknownError

T = TypeVar("T")

log = logging.getLogger(__name__)

REUSE = "reuse"
FAIL = "fail"
NEW = "new"
IF_EXISTS = (REUSE, FAIL, NEW)


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
    """

    id: str
    differs: Sequence[str] = ()


def require_title(title: object) -> str:
    """Check a title before it is sent.

    :raises InvalidRequestError: It is empty, or has blanks around it.
    """
    if not isinstance(title, str) or not title.strip():
        raise InvalidRequestError("title: it is empty; a resource needs one.")
    if title != title.strip():
        raise InvalidRequestError(
            f"title: {title!r} begins or ends with a blank, by which it would not be found again."
        )
    return title


def create_once(
    kind: str,
    title: str,
    *,
    find: Callable[[], Flow[Sequence[Existing]]],
    create: Call[T],
    id_of: Callable[[T], str],
    if_exists: str = REUSE,
) -> Flow[Created]:
    """Create a resource unless there is one of its title.

    :param kind: ``"project"``, ``"dataset"``, ``"ontology"``; for messages.
    :param find: Finds those with exactly this title that the credential can see.
    :param create: Creates one.
    :param id_of: The id in the answer to that.
    :param if_exists: ``"reuse"`` takes the one that is there, ``"fail"`` refuses, ``"new"`` does not look: it makes
        another one at every run.
    :raises ConflictError: There is one and `if_exists` is ``"fail"``, or there are several to choose from.
    """
    require_title(title)
    if if_exists not in IF_EXISTS:
        raise InvalidRequestError(f"if_exists: {if_exists!r} is none of {', '.join(IF_EXISTS)}.")
    if if_exists == NEW:
        return Created(id=id_of((yield from create)), created=True)
    found = yield from find()
    if found and if_exists == FAIL:
        raise ConflictError(f"There is a {kind} titled {title!r} already ({_ids(found)}), and if_exists is 'fail'.")
    if found:
        reused = _only(kind, title, found)
        _warn_of_differences(kind, title, reused)
        return Created(id=reused.id, created=False)
    try:
        answer: Any = yield from create
    except OutcomeUnknownError as error:
        found = yield from find()
        if not found:
            raise OutcomeUnknownError(
                f"{error.message} No {kind} of this title shows so far; a retry looks for it before it makes one.",
                retry_after=error.retry_after,
                operation=error.operation,
                trace_id=error.trace_id,
            ) from None
        return Created(id=_only(kind, title, found).id, created=True)
    return Created(id=id_of(answer), created=True)


def _only(kind: str, title: str, found: Sequence[Existing]) -> Existing:
    if len(found) == 1:
        return found[0]
    raise ConflictError(
        f"{len(found)} {_plural(kind)} are titled {title!r}: {_ids(found)}. Which is meant cannot be told: pass the id "
        "of the right one where it is used, rename the others, or set if_exists to 'new'."
    )


def _ids(found: Sequence[Existing]) -> str:
    return ", ".join(one.id for one in found)


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
