"""What an answer means: a result, or which error. Pure, so that both transports judge alike.

On v1 the status inside the body decides, whatever the HTTP status; only 429, 413 and what intermediaries send come
without an envelope (protocol, sections 3 and 5). A failure that may pass is an `OutcomeUnknownError` for a call that
must not be repeated blindly, else an `UnavailableError`.
"""

from __future__ import annotations

import dataclasses
import datetime
import email.utils
import itertools
import re
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

import msgspec

from airflow_provider_encord.client.call import API_KEY, SSH_KEY, V1, V2, Call, Envelope
from airflow_provider_encord.client.errors import (
    AuthenticationError,
    ConflictError,
    EncordError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitedError,
    RefusedError,
    TooLargeError,
    UnavailableError,
    UnexpectedAnswerError,
)
from airflow_provider_encord.client.item_stream import ItemStream
from airflow_provider_encord.client.transport import advice
from airflow_provider_encord.client.transport.scrubbing import scrub

T = TypeVar("T")

_LONGEST_SERVER_TEXT = 500
_LONGEST_LOOK = 20_000  # characters of a server's text that are looked at

_KEY_UNKNOWN = "the key was refused"  # stands for what `advice.refused_key` says
_NOT_ALLOWED = (
    "The user (or service account) of this SSH key has no access to it at {host}. Invite it to the project, dataset or "
    "folder, or use another connection."
)
_NOT_ALLOWED_TO_API_KEY = (
    "This API key has no access to it at {host}. Check resource_id: it must be the id of the project or dataset that "
    "the key was made for. Use a connection with an SSH key for anything else."
)
_SCOPE = "The scopes of this API key do not allow it. Make a key with the scope that is needed, or use an SSH key."
_NOT_FOUND = "Encord at {host} has no such {kind}, or the credential cannot see it. Check the id and the region."
_EXISTS = "It exists already at Encord."
_INVALID = "Encord does not accept the arguments."
_TOO_LARGE = "Too much for one request; send less at once."
_RATE_LIMITED = "Encord is there, but asks for fewer requests."

_ABOUT_ONE = (_NOT_FOUND, _NOT_ALLOWED, _NOT_ALLOWED_TO_API_KEY)
_KINDS = {
    "projects": "project",
    "datasets": "dataset",
    "ontologies": "ontology",
    "folders": "folder",
    "items": "storage item",
    "stages": "workflow stage",
    "groups": "group",
}
_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_KINDLESS = "Encord refuses it."
_NOT_ALLOWED_IN_JSON = (
    "cannot be read: it holds what JSON does not allow (NaN, Infinity, half of a surrogate pair, bytes that are not "
    "UTF-8), or it is nested too deeply. Correct the content in Encord, or leave it out."
)

_V1_ERRORS: dict[str, tuple[type[EncordError], str]] = {
    "AUTHENTICATION_ERROR": (AuthenticationError, _KEY_UNKNOWN),
    "SSH_KEY_NOT_FOUND_ERROR": (AuthenticationError, _KEY_UNKNOWN),
    "DUPLICATE_SSH_KEY_ERROR": (
        AuthenticationError,
        "This public key is registered more than once at {host}; remove it from all users but one.",
    ),
    "AUTHORISATION_ERROR": (PermissionDeniedError, _NOT_ALLOWED),
    "OPERATION_NOT_ALLOWED": (PermissionDeniedError, _SCOPE),
    "RESOURCE_NOT_FOUND_ERROR": (NotFoundError, _NOT_FOUND),
    "RESOURCE_EXISTS_ERROR": (ConflictError, _EXISTS),
    "MULTI_LABEL_LIMIT_ERROR": (TooLargeError, _TOO_LARGE),
    "RATE_LIMIT_ERROR": (RateLimitedError, _RATE_LIMITED),
    **dict.fromkeys(
        (
            "INVALID_ARGUMENTS_ERROR",
            "INVALID_DATE_FORMAT_ERROR",
            "WRONG_PROJECT_TYPE_ERROR",
            "METHOD_NOT_ALLOWED_ERROR",
            "ANSWER_DICTIONARY_ERROR",
            "CORRUPTED_LABEL_ERROR",
            "FEATURE_DOES_NOT_EXIST_ERROR",
            "FILE_TYPE_NOT_SUPPORTED_ERROR",
            "FILE_SIZE_NOT_SUPPORTED_ERROR",
            "UPLOAD_OPERATION_NOT_SUPPORTED_ERROR",
            "MODEL_WEIGHTS_INCONSISTENT_ERROR",
            "MODEL_FEATURES_INCONSISTENT_ERROR",
            "DETECTION_RANGE_INVALID_ERROR",
            "MUST_SET_DETECTION_RANGE_ERROR",
        ),
        (InvalidRequestError, _INVALID),
    ),
}
_V2_ERRORS: dict[int, tuple[type[EncordError], str]] = {
    400: (InvalidRequestError, _INVALID),
    401: (AuthenticationError, _KEY_UNKNOWN),
    403: (PermissionDeniedError, _NOT_ALLOWED),
    404: (NotFoundError, _NOT_FOUND),
    405: (InvalidRequestError, "Encord does not offer this operation."),
    409: (ConflictError, _EXISTS),
    413: (TooLargeError, _TOO_LARGE),
    422: (InvalidRequestError, _INVALID),
    429: (RateLimitedError, _RATE_LIMITED),
}
_LONGEST_RETRY_AFTER = 366 * 86_400.0  # seconds; more is a mistake, and overflows dates
_TIMED_OUT = (408, 504)  # the second from a gateway that waited for Encord
_DEFAULT_LABEL_LIMIT = 100  # where MULTI_LABEL_LIMIT_ERROR names none (protocol, section 5.1)


class _EnvelopeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    status: int
    response: msgspec.Raw = msgspec.Raw(b"null")
    payload: msgspec.Raw = msgspec.Raw(b"null")


_ENVELOPE = msgspec.json.Decoder(_EnvelopeAnswer)
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)  # what the decoder raises at bytes from outside


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back for one attempt.

    :param headers: With lower-case names.
    :param host: Whom we asked, for messages.
    :param now: Our clock when it arrived, in seconds.
    :param proofs: What was sent to prove who we are, to be kept out of messages.
    :param credential_kind: With what it was asked; the advice differs.
    :param public_key: The public half of the SSH key with which it was asked.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    host: str
    trace_id: str
    now: float
    proofs: tuple[str, ...] = dataclasses.field(default=(), repr=False)
    credential_kind: str = SSH_KEY
    public_key: str = ""

    def said(self, text: str) -> str:
        """What the server said, fit to be shown: without secrets, and not too long."""
        text = scrub(text[:_LONGEST_LOOK], self.proofs)
        return text if len(text) <= _LONGEST_SERVER_TEXT else text[:_LONGEST_SERVER_TEXT] + "..."


def result(call: Call[T], answer: Answer, stream: ItemStream[Any] | None = None) -> T:
    """Read the result of a call out of an answer.

    :param stream: What took items out of it before; they are the first of the result.
    :raises EncordError: The answer is an error, or not what the operation answers with.
    """
    v1 = call.request.api == V1
    if stream and stream.error:
        if isinstance(stream.error, msgspec.ValidationError):
            raise _unexpected(call, answer, str(stream.error))
        raise _not_allowed_in_json(call, answer)
    content = _v1_content(call, answer) if v1 else _v2_content(call, answer)
    try:
        read = call.read(content)
        return read if not stream else _together(stream, read)
    except msgspec.ValidationError as error:
        raise _unexpected(call, answer, str(error)) from None
    except msgspec.DecodeError as error:
        if v1:  # the envelope was JSON, so this is a text inside it that should be JSON, too
            raise _unexpected(call, answer, str(error)) from None
        raise _unreadable(call, answer) from None
    except (UnicodeDecodeError, RecursionError):
        raise _unreadable(call, answer) from None
    except EncordError as error:
        error.operation, error.trace_id = call.operation, answer.trace_id
        kind, id_ = subject(call)
        if isinstance(error, NotFoundError) and id_:
            error.message = f"{kind.capitalize()} {id_}: {error.message}"
        raise


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
    """The error for a request that was sent and whose outcome did not reach us.

    :param retry_after: Seconds that the server asks us to wait, if it does.
    :param timed_out: Whether the answer took too long.
    """
    class_: type[UnavailableError | OutcomeUnknownError] = UnavailableError
    if not call.repeatable:
        class_, what = OutcomeUnknownError, f"{what} Whether Encord carried it out is not known."
    error = class_(what, retry_after=retry_after, operation=call.operation, trace_id=trace_id)
    error.timed_out = timed_out
    return error


def _v1_content(call: Call[Any], answer: Answer) -> bytes:
    if answer.status in (413, 429):  # these come without an envelope, whatever their body looks like
        _raise_for_status(call, answer)
    succeeded = 200 <= answer.status < 300
    try:
        envelope = _ENVELOPE.decode(answer.body)
        response = msgspec.json.decode(envelope.response) if envelope.status != 200 else None
        details = msgspec.json.decode(envelope.payload) if envelope.status != 200 else None
    except _NOT_JSON as error:
        if not succeeded:
            _raise_for_status(call, answer)
        if isinstance(error, msgspec.ValidationError):
            raise _unexpected(call, answer, str(error)) from None
        raise _unreadable(call, answer) from None
    if envelope.status != 200:
        code = response[0] if isinstance(response, list) and response else response
        if not isinstance(code, str) and not succeeded:
            _raise_for_status(call, answer)  # a gateway's JSON, which happens to have a status, too
        _raise_for_code(call, answer, envelope.status, code if isinstance(code, str) else None, details)
    return bytes(envelope.response)


def _v2_content(call: Call[Any], answer: Answer) -> bytes:
    if not 200 <= answer.status < 300:
        _raise_for_status(call, answer)
    return answer.body or b"null"


def _raise_for_code(call: Call[Any], answer: Answer, status: int, code: str | None, details: Any) -> NoReturn:
    """Raise what an envelope says; a code that we do not know counts as its status does."""
    known = _V1_ERRORS.get(code or "")
    name = code or f"status {status}"
    if code == "UNKNOWN_ERROR" or (known is None and (status == 408 or status >= 500)):
        what = f"Encord failed ({answer.said(name)})."
        raise transient(call, what, trace_id=answer.trace_id, timed_out=status in _TIMED_OUT)
    class_, words = known or _V2_ERRORS.get(status, (RefusedError, _KINDLESS))
    detail = f"{name}: {details}" if isinstance(details, str) and details else name
    message = _message(words, call, answer, detail)
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
    if class_ is TooLargeError:
        raise TooLargeError(message, maximum=maximum, **about)
    if class_ is RateLimitedError:
        wait = retry_after(answer)
        asked = "" if wait is None else f" It asks to wait for {wait:.0f} s."
        raise RateLimitedError(message + asked, retry_after=wait, **about)
    error = class_(message, **about)
    error.not_encord = not_encord
    raise error


def _raise_for_status(call: Call[Any], answer: Answer) -> NoReturn:
    status, text = answer.status, _server_text(answer)
    if status == 408 or status >= 500:
        detail = f": {text}" if text else ""
        what = f"Encord at {answer.host} failed with HTTP {status}{detail}."
        wait, late = retry_after(answer), status in _TIMED_OUT
        raise transient(call, what, trace_id=answer.trace_id, retry_after=wait, timed_out=late)
    if 300 <= status < 400:
        raise RefusedError(
            f"{answer.host} redirects (HTTP {status}), and credentials follow no redirect. Set the connection's host "
            "to the address of Encord's API itself.",
            **_about(call, answer),
        )
    class_, words = _V2_ERRORS.get(status, (RefusedError, _KINDLESS))
    if elsewhere := _words_of_something_else(answer):
        _raise(call, answer, class_, _filled(elsewhere, answer), not_encord=True)
    _raise(call, answer, class_, _message(words, call, answer, f"HTTP {status}: {text}" if text else f"HTTP {status}"))


def _words_of_something_else(answer: Answer) -> str | None:
    """What to tell of an answer that is not Encord's; None if it may be."""
    if answer.status == 407:
        return advice.PROXY_WANTS_A_LOGIN
    if not _is_web_page(answer) or answer.status in (413, 429):
        return None
    return advice.GATEWAY if answer.status in (401, 403) else advice.NOT_THE_API


def _is_web_page(answer: Answer) -> bool:
    return "html" in answer.headers.get("content-type", "").lower() or answer.body.lstrip()[:1] == b"<"


def _unreadable(call: Call[Any], answer: Answer) -> EncordError:
    what = f"The answer of {answer.host} (HTTP {answer.status}) is not JSON; a proxy may have written it."
    if not call.changes and _looks_whole(answer.body):
        return _not_allowed_in_json(call, answer)
    page = _is_web_page(answer)  # a portal where one logs in to a network looks the same, and that may pass
    error = transient(call, _filled(advice.NOT_THE_API, answer) if page else what, trace_id=answer.trace_id)
    error.not_encord = page
    return error


def _looks_whole(body: bytes) -> bool:
    """Whether it begins and ends as a JSON object or array does, so that it is not a page and not cut off."""
    text = body.strip()
    return (text[:1], text[-1:]) in ((b"{", b"}"), (b"[", b"]"))


def _not_allowed_in_json(call: Call[Any], answer: Answer) -> UnexpectedAnswerError:
    return UnexpectedAnswerError(f"{_whose(call)} {_NOT_ALLOWED_IN_JSON}", rows=call.rows, **_about(call, answer))


def _unexpected(call: Call[Any], answer: Answer, why: str) -> UnexpectedAnswerError:
    return UnexpectedAnswerError(
        f"{_whose(call)} is not what this operation answers with: {answer.said(why)}.",
        rows=call.rows,
        **_about(call, answer),
    )


def _whose(call: Call[Any]) -> str:
    """Which answer it is; the row, where only one was asked for."""
    what = f"Encord's answer to {call.request.path}"
    return f"Label row {call.rows[0]}: {what}" if len(call.rows) == 1 else what


def _about(call: Call[Any], answer: Answer) -> dict[str, str]:
    return {"operation": call.operation, "trace_id": answer.trace_id}


def _message(words: str, call: Call[Any], answer: Answer, detail: str) -> str:
    if answer.credential_kind == API_KEY and words == _NOT_ALLOWED:
        words = _NOT_ALLOWED_TO_API_KEY
    if words == _KEY_UNKNOWN:
        words = advice.refused_key(
            host=answer.host,
            credential_kind=answer.credential_kind,
            public_key=answer.public_key,
            skew=clock_skew(answer) if call.request.api == V2 else None,  # a signature of v1 carries no time
        )
    kind, id_ = subject(call)
    about = f"{kind.capitalize()} {id_}: " if id_ and words in _ABOUT_ONE else ""
    return f"{about}{_filled(words, answer, kind)} ({answer.said(detail)})"


def _filled(words: str, answer: Answer, kind: str = "") -> str:
    return words.format(host=answer.host, status=f"HTTP {answer.status}", kind=kind)


def subject(call: Call[Any]) -> tuple[str, str]:
    """What a call is about: the kind of resource, as people call it, and its id, or nothing if it names none."""
    if isinstance(call.request, Envelope):
        resource = call.request.resource
        return resource.kind or "resource", resource.id or ""
    segments = call.request.relative_path.split("/")
    for name, id_ in reversed(list(itertools.pairwise(segments))):
        if name in _KINDS and _ID.fullmatch(id_):
            return _KINDS[name], id_
    return "resource", ""


def _server_text(answer: Answer) -> str:
    """What the server says: ``message``, else ``detail`` (protocol, section 5.2); nothing if it is not JSON."""
    try:
        content = msgspec.json.decode(answer.body)
    except _NOT_JSON:
        return ""
    if not isinstance(content, dict):
        return ""
    text = content.get("message") or content.get("detail") or ""
    return answer.said(text if isinstance(text, str) else msgspec.json.encode(text).decode())


def retry_after(answer: Answer) -> float | None:
    """Seconds that the server asks us to wait: ``Retry-After`` as seconds or as a date; None if it does not say."""
    text = answer.headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return min(float(text), _LONGEST_RETRY_AFTER)
    moment = _http_date(text)
    return None if moment is None else min(max(0.0, moment - answer.now), _LONGEST_RETRY_AFTER)


def clock_skew(answer: Answer) -> float | None:
    """Seconds by which our clock is ahead of the server's; None if the answer does not tell."""
    moment = _http_date(answer.headers.get("date", ""))
    return None if moment is None else answer.now - moment


def _http_date(text: str) -> float | None:
    try:
        moment = email.utils.parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
