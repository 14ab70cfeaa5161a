"""Converting a response into a result or an error. It does no I/O, so both transports use it.

On v1, the status inside the body decides, not the HTTP status. Only 429, 413 and the responses of intermediaries have
no envelope (protocol, sections 3 and 5). A temporary failure is an `OutcomeUnknownError` if the call may not be
repeated, and otherwise an `UnavailableError`.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any, Literal, NoReturn, TypeVar

import msgspec

from airflow_provider_encord.client.call import V1, Call
from airflow_provider_encord.client.errors import (
    EncordError,
    NotFoundError,
    OutcomeUnknownError,
    PayloadTooLargeError,
    RateLimitedError,
    RefusedError,
    UnavailableError,
    UnexpectedResponseError,
)
from airflow_provider_encord.client.item_stream import ItemStream
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.client.transport import connection_hints, refusals
from airflow_provider_encord.client.transport.responses import (
    Answer,
    is_web_page,
    looks_whole,
    retry_after,
    server_text,
)

T = TypeVar("T")

_NOT_ALLOWED_IN_JSON = (
    "cannot be read: it contains values that JSON does not allow (NaN, Infinity, half of a surrogate pair, bytes that "
    "are not UTF-8), or it is nested too deeply. Correct the content in Encord, or leave it out."
)
_TIMED_OUT = (408, 504)  # 504: from a gateway that waited for Encord
_DEFAULT_LABEL_LIMIT = 100  # used if MULTI_LABEL_LIMIT_ERROR names no limit (protocol, section 5.1)


class _EnvelopeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    status: int
    response: msgspec.Raw = msgspec.Raw(b"null")
    payload: msgspec.Raw = msgspec.Raw(b"null")


class _ItemsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    status: Literal[200]
    response: list[msgspec.Raw]


_ENVELOPE = msgspec.json.Decoder(_EnvelopeAnswer)
_ENVELOPE_WITH_ITEMS = msgspec.json.Decoder(_ItemsAnswer)


def result(call: Call[T], answer: Answer, stream: ItemStream[Any] | None = None) -> T:
    """Read the result of a call from a response.

    :param stream: The reader that has already taken items out of the response. They come first in the result.
    :raises EncordError: The response is an error, or not valid for the operation.
    """
    v1 = call.request.api == V1
    if stream and stream.error:
        if isinstance(stream.error, msgspec.ValidationError):
            raise _unexpected(call, answer, str(stream.error))
        raise _not_allowed_in_json(call, answer)
    read_result = _reading(call, answer)
    try:
        read = read_result()
        return read if not stream else _together(stream, read)
    except msgspec.ValidationError as error:
        raise _unexpected(call, answer, str(error)) from None
    except msgspec.DecodeError as error:
        if v1:  # the envelope is valid JSON, so a string inside it that should be JSON is not
            raise _unexpected(call, answer, str(error)) from None
        raise _unreadable(call, answer) from None
    except (UnicodeDecodeError, RecursionError):
        raise _unreadable(call, answer) from None
    except EncordError as error:
        error.operation, error.trace_id = call.operation, answer.trace_id
        kind, id_ = refusals.subject(call)
        if isinstance(error, NotFoundError) and id_:
            error.message = f"{kind.capitalize()} {id_}: {error.message}"
        raise


def _reading(call: Call[T], answer: Answer) -> Callable[[], T]:
    """What reads the result of a successful response.

    :raises EncordError: The response is an error.
    """
    if call.read_items and 200 <= answer.status < 300:
        with contextlib.suppress(*NOT_JSON):
            return functools.partial(call.read_items, _ENVELOPE_WITH_ITEMS.decode(answer.body).response)
    content = _v1_content(call, answer) if call.request.api == V1 else _v2_content(call, answer)
    return functools.partial(call.read, content)


def _together(stream: ItemStream[Any], rest: Any) -> Any:
    stream.items.extend(rest)
    return stream.items


def transient(
    call: Call[Any],
    what: str,
    *,
    trace_id: str | None,
    retry_after: float | None = None,
    timed_out: bool = False,
) -> UnavailableError | OutcomeUnknownError:
    """The error for a request that was sent, but whose outcome did not arrive.

    :param retry_after: Seconds that the server asks to wait; None if it does not.
    :param timed_out: Whether the response took too long.
    """
    class_: type[UnavailableError | OutcomeUnknownError] = UnavailableError
    if not call.repeatable:
        class_, what = OutcomeUnknownError, f"{what} It is not known whether Encord carried out the request."
    error = class_(what, retry_after=retry_after, operation=call.operation, trace_id=trace_id)
    error.timed_out = timed_out
    return error


def _v1_content(call: Call[Any], answer: Answer) -> bytes:
    if answer.status in (413, 429):  # these never have an envelope, even if the body looks like one
        _raise_for_status(call, answer)
    succeeded = 200 <= answer.status < 300
    try:
        envelope = _ENVELOPE.decode(answer.body)
        response = msgspec.json.decode(envelope.response) if envelope.status != 200 else None
        details = msgspec.json.decode(envelope.payload) if envelope.status != 200 else None
    except NOT_JSON as error:
        if not succeeded:
            _raise_for_status(call, answer)
        if isinstance(error, msgspec.ValidationError):
            raise _unexpected(call, answer, str(error)) from None
        raise _unreadable(call, answer) from None
    if envelope.status != 200:
        code = response[0] if isinstance(response, list) and response else response
        if not isinstance(code, str) and not succeeded:
            _raise_for_status(call, answer)  # JSON of a gateway that happens to contain a status, too
        _raise_for_code(call, answer, envelope.status, code if isinstance(code, str) else None, details)
    return bytes(envelope.response)


def _v2_content(call: Call[Any], answer: Answer) -> bytes:
    if not 200 <= answer.status < 300:
        _raise_for_status(call, answer)
    return answer.body or b"null"


def _raise_for_code(call: Call[Any], answer: Answer, status: int, code: str | None, details: Any) -> NoReturn:
    """Raise the error of an envelope. For an unknown code, the status decides."""
    known = refusals.of_code(code)
    name = code or f"status {status}"
    if code == "UNKNOWN_ERROR" or (known is None and (status == 408 or status >= 500)):
        what = f"Encord failed ({answer.said(name)})."
        raise transient(call, what, trace_id=answer.trace_id, timed_out=status in _TIMED_OUT)
    class_, words = known or refusals.of_status(status)
    detail = f"{name}: {details}" if isinstance(details, str) and details else name
    message = refusals.message(words, call, answer, detail)
    maximum = details.get("maximum_labels_allowed") if isinstance(details, dict) else None
    _raise(call, answer, class_, message, maximum if type(maximum) is int and maximum > 0 else _DEFAULT_LABEL_LIMIT)


def _raise(
    call: Call[Any],
    answer: Answer,
    class_: type[EncordError],
    message: str,
    maximum: int | None = None,
    *,
    not_encord: bool = False,
) -> NoReturn:
    about = _about(call, answer)
    if class_ is PayloadTooLargeError:
        raise PayloadTooLargeError(message, maximum=maximum, **about)
    if class_ is RateLimitedError:
        wait = retry_after(answer)
        asked = "" if wait is None else f" It asks to wait for {wait:.0f} s."
        raise RateLimitedError(message + asked, retry_after=wait, **about)
    error = class_(message, **about)
    error.not_encord = not_encord
    raise error


def _raise_for_status(call: Call[Any], answer: Answer) -> NoReturn:
    status, text = answer.status, server_text(answer)
    if status == 408 or status >= 500:
        detail = f": {text}" if text else ""
        what = f"Encord at {answer.host} failed with HTTP {status}{detail}."
        wait, late = retry_after(answer), status in _TIMED_OUT
        raise transient(call, what, trace_id=answer.trace_id, retry_after=wait, timed_out=late)
    if 300 <= status < 400:
        raise RefusedError(
            f"{answer.host} redirects (HTTP {status}), but credentials are not sent to another address. Set the "
            "connection's host to the address of Encord's API itself.",
            **_about(call, answer),
        )
    class_, words = refusals.of_status(status)
    if elsewhere := refusals.words_of_something_else(answer):
        _raise(call, answer, class_, refusals.filled(elsewhere, answer), not_encord=True)
    _raise(
        call,
        answer,
        class_,
        refusals.message(words, call, answer, f"HTTP {status}: {text}" if text else f"HTTP {status}"),
    )


def _unreadable(call: Call[Any], answer: Answer) -> EncordError:
    what = f"The answer of {answer.host} (HTTP {answer.status}) is not JSON; a proxy may have written it."
    if not call.changes and looks_whole(answer.body):
        return _not_allowed_in_json(call, answer)
    page = is_web_page(answer)  # can be the login portal of a network, so a retry may help
    error = transient(
        call, refusals.filled(connection_hints.NOT_THE_API, answer) if page else what, trace_id=answer.trace_id
    )
    error.not_encord = page
    return error


def _not_allowed_in_json(call: Call[Any], answer: Answer) -> UnexpectedResponseError:
    return UnexpectedResponseError(f"{_whose(call)} {_NOT_ALLOWED_IN_JSON}", rows=call.rows, **_about(call, answer))


def _unexpected(call: Call[Any], answer: Answer, why: str) -> UnexpectedResponseError:
    return UnexpectedResponseError(
        f"{_whose(call)} is not valid for this operation: {answer.said(why)}.",
        rows=call.rows,
        **_about(call, answer),
    )


def _whose(call: Call[Any]) -> str:
    """Describe the response for a message; names the row if only one was requested."""
    what = f"Encord's answer to {call.request.path}"
    return f"Label row {call.rows[0]}: {what}" if len(call.rows) == 1 else what


def _about(call: Call[Any], answer: Answer) -> dict[str, str]:
    return {"operation": call.operation, "trace_id": answer.trace_id}
