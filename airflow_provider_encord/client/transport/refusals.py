"""The refusals of Encord: the class of error for each code and status, and the message that says what to do.

On v1 the code inside the body decides (protocol, section 5.1), on v2 the HTTP status (section 5.2).
"""

from __future__ import annotations

import itertools
import re
from typing import Any

from airflow_provider_encord.client.call import API_KEY, V2, Call, Envelope
from airflow_provider_encord.client.errors import (
    AuthenticationError,
    ConflictError,
    EncordError,
    InvalidRequestError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RateLimitedError,
    RefusedError,
)
from airflow_provider_encord.client.transport import connection_hints
from airflow_provider_encord.client.transport.responses import Answer, clock_skew, is_web_page

Refusal = tuple[type[EncordError], str]
"""The class of an error, and the template of its message."""

_KEY_UNKNOWN = "the key was refused"  # replaced by the message of `connection_hints.refused_key`
_NOT_ALLOWED = (
    "The user (or service account) of this SSH key has no access to it at {host}. Invite the user to the project, "
    "dataset or folder, or use another connection."
)
_NOT_ALLOWED_TO_API_KEY = (
    "This API key has no access to it at {host}. Check resource_id: it must be the id of the project or dataset that "
    "the key was made for. Use a connection with an SSH key for anything else."
)
_SCOPE = "The scopes of this API key do not allow it. Create a key with the required scope, or use an SSH key."
_NOT_FOUND = "Encord at {host} has no such {kind}, or the credential cannot see it. Check the id and the region."
_OTHERS_NOT_FOUND = (
    "Encord at {host} does not have all of these, or the credential cannot see them. Check the ids and the region."
)
_EXISTS = "It exists already at Encord."
_INVALID = "Encord does not accept the arguments."
_TOO_LARGE = "The request is too large. Send less at once."
_RATE_LIMITED = "Encord is reachable, but asks for fewer requests."

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


_V1_ERRORS: dict[str, Refusal] = {
    "AUTHENTICATION_ERROR": (AuthenticationError, _KEY_UNKNOWN),
    "SSH_KEY_NOT_FOUND_ERROR": (AuthenticationError, _KEY_UNKNOWN),
    "DUPLICATE_SSH_KEY_ERROR": (
        AuthenticationError,
        "This public key is registered more than once at {host}. Remove it from all users except one.",
    ),
    "AUTHORISATION_ERROR": (PermissionDeniedError, _NOT_ALLOWED),
    "OPERATION_NOT_ALLOWED": (PermissionDeniedError, _SCOPE),
    "RESOURCE_NOT_FOUND_ERROR": (NotFoundError, _NOT_FOUND),
    "RESOURCE_EXISTS_ERROR": (ConflictError, _EXISTS),
    "MULTI_LABEL_LIMIT_ERROR": (PayloadTooLargeError, _TOO_LARGE),
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
_V2_ERRORS: dict[int, Refusal] = {
    400: (InvalidRequestError, _INVALID),
    401: (AuthenticationError, _KEY_UNKNOWN),
    403: (PermissionDeniedError, _NOT_ALLOWED),
    404: (NotFoundError, _NOT_FOUND),
    405: (InvalidRequestError, "Encord does not offer this operation."),
    409: (ConflictError, _EXISTS),
    413: (PayloadTooLargeError, _TOO_LARGE),
    422: (InvalidRequestError, _INVALID),
    429: (RateLimitedError, _RATE_LIMITED),
}


def of_code(code: str | None) -> Refusal | None:
    """The refusal for a v1 code; None for an unknown code."""
    return _V1_ERRORS.get(code or "")


def of_status(status: int) -> Refusal:
    """The refusal for a v2 status; an unknown status is a `RefusedError`."""
    return _V2_ERRORS.get(status, (RefusedError, _KINDLESS))


def words_of_something_else(answer: Answer) -> str | None:
    """The message template for a response that is not Encord's; None if it may be Encord's."""
    if answer.status == 407:
        return connection_hints.PROXY_WANTS_A_LOGIN
    if not is_web_page(answer) or answer.status in (413, 429):
        return None
    return connection_hints.GATEWAY if answer.status in (401, 403) else connection_hints.NOT_THE_API


def message(words: str, call: Call[Any], answer: Answer, detail: str) -> str:
    """The message of a refusal: the resource, the completed template, and the text of Encord.

    :param words: The template of a `Refusal`.
    :param detail: The text of Encord.
    """
    if answer.credential_kind == API_KEY and words == _NOT_ALLOWED:
        words = _NOT_ALLOWED_TO_API_KEY
    if words == _KEY_UNKNOWN:
        words = connection_hints.refused_key(
            host=answer.host,
            credential_kind=answer.credential_kind,
            public_key=answer.public_key,
            skew=clock_skew(answer) if call.request.api == V2 else None,  # a v1 signature does not contain the time
        )
    kind, id_ = subject(call)
    about = ""
    if words in _ABOUT_ONE and (call.others or id_):
        about = f"{kind.capitalize()} {id_}: " if not call.others else f"{call.others}: "
        if call.others and id_:
            about = f"{call.others}, for {kind} {id_}: "
        words = _OTHERS_NOT_FOUND if call.others and words == _NOT_FOUND else words
    return f"{about}{filled(words, answer, kind)} ({answer.said(detail)})"


def filled(words: str, answer: Answer, kind: str = "") -> str:
    """The template with the host, the status and the kind of resource filled in."""
    return words.format(host=answer.host, status=f"HTTP {answer.status}", kind=kind)


def subject(call: Call[Any]) -> tuple[str, str]:
    """The resource of a call: its kind in plain words, and its id. Both are empty if the call names no resource."""
    if isinstance(call.request, Envelope):
        resource = call.request.resource
        return resource.kind or "resource", resource.id or ""
    segments = call.request.relative_path.split("/")
    for name, id_ in reversed(list(itertools.pairwise(segments))):
        if name in _KINDS and _ID.fullmatch(id_):
            return _KINDS[name], id_
    return "resource", ""
