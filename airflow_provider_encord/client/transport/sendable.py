"""Writing a call as a request. If this is not possible, the call is refused before anything is sent.

`msgspec` writes ``NaN`` and ``Infinity`` as ``null``, so a coordinate would be lost without an error. So the content is
checked if there is a ``null`` in what was written.
"""

from __future__ import annotations

import math
import re
import urllib.parse
from typing import Any

import msgspec

from airflow_provider_encord.client.call import Call, Envelope
from airflow_provider_encord.client.errors import InvalidArgumentError

_PATH = re.compile(r"[A-Za-z0-9._~%!$&'()*+,;=:@/-]*")
_ALWAYS_FINITE = frozenset({str, int, bool, type(None)})  # most values, so that there is little to look at
_HEADER = re.compile(r"[ -~]*")
# NotImplementedError: a time whose `tzinfo` has no `utcoffset`.
_UNWRITABLE = (TypeError, ValueError, OverflowError, RecursionError, NotImplementedError)


def json_body(call: Call[Any], content: Any) -> bytes:
    """Write the content as JSON.

    :raises InvalidArgumentError: The content cannot be written as JSON without loss.
    """
    try:
        body = msgspec.json.encode(content)
    except _UNWRITABLE as error:
        raise _refused(call, _why(error)) from None
    if b"null" in body and not _is_finite(content):
        raise _refused(call, "it contains a number that JSON does not support (NaN, Infinity)")
    return body


def query_text(call: Call[Any]) -> str:
    """The parameters of a v2 call as the query of a URL; empty without parameters.

    :raises InvalidArgumentError: A string cannot be written as UTF-8.
    """
    if isinstance(call.request, Envelope):
        return ""
    try:
        return urllib.parse.urlencode(call.request.parameters())
    except _UNWRITABLE as error:
        raise _refused(call, _why(error)) from None


def require_ids_that_can_be_sent(call: Call[Any]) -> None:
    """Check the ids that become part of a path or of a header.

    :raises InvalidArgumentError: An id contains characters that are not allowed in ids.
    """
    request = call.request
    if isinstance(request, Envelope):
        id_: Any = request.resource.id
        if id_ is not None and not (isinstance(id_, str) and _HEADER.fullmatch(id_)):
            raise _refused(call, f"the id of the {request.resource.kind} contains characters that no id contains")
    elif not _PATH.fullmatch(request.relative_path) or ".." in request.relative_path.split("/"):
        raise _refused(call, "an id in it contains characters that no id contains")


def _refused(call: Call[Any], why: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"The request {call.operation or call.request.path} cannot be sent: {why}.", operation=call.operation
    )


def _why(error: Exception) -> str:
    if isinstance(error, UnicodeError):
        return "a string in it contains half of a surrogate pair, which is not a character"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return "it contains a value that JSON does not support"


def _is_finite(content: Any) -> bool:
    """Whether all numbers are finite. Checks plain Python values only, because records and raw JSON are made here."""
    waiting: list[Any] = [[content]]
    while waiting:
        item = waiting.pop()
        for value in item.values() if isinstance(item, dict) else item:
            if type(value) in _ALWAYS_FINITE:
                continue
            if isinstance(value, dict | list | tuple):
                waiting.append(value)
            elif isinstance(value, float) and not math.isfinite(value):
                return False
    return True
