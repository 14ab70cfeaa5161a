"""What a credential can do at all, decided before anything is sent where that is possible.

An API key belongs to one project or dataset, and does not say to which of the two: Encord has to be asked. The clients
ask where it matters (no id is given, or Encord refuses a call) and cache the answer. This module has the question and
the decisions that follow from the answer.
"""

from __future__ import annotations

from typing import Any

from airflow_provider_encord.client.api.keys import get_key_resource
from airflow_provider_encord.client.call import API_KEY, Call, Envelope, Flow, Resource
from airflow_provider_encord.client.credentials import ApiKey, Credential
from airflow_provider_encord.client.errors import (
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RefusedError,
    UnsupportedByCredentialError,
)


def resource_of(key: ApiKey) -> Flow[Resource]:
    """Ask which project or dataset an API key belongs to.

    :raises UnsupportedByCredentialError: It belongs to neither.
    """
    kind = (yield from get_key_resource()).resource_type
    if kind not in ("project", "dataset"):
        raise UnsupportedByCredentialError(
            f"This API key belongs to a {kind}; only keys of projects and datasets can be used."
        )
    return Resource(kind, key.resource_id)


def require_possible(call: Call[Any], credential: Credential) -> None:
    """Refuse what the credential can never do. Nothing is asked: of an API key only the id of its resource is known.

    :raises UnsupportedByCredentialError: It cannot do this; the message says what kind of connection could.
    """
    if credential.kind not in call.credentials:
        raise UnsupportedByCredentialError(_wrong_kind(call), operation=call.operation)
    if not isinstance(credential, ApiKey) or not isinstance(call.request, Envelope) or call.request.own_resource:
        return
    wanted = call.request.resource
    if (wanted.id or "").lower() != credential.resource_id:
        raise UnsupportedByCredentialError(
            f"The API key of this connection belongs to {credential.resource_id} and cannot act on {wanted.kind} "
            f"{wanted.id}. Use a connection with an API key of that {wanted.kind}, or with an SSH key.",
            operation=call.operation,
        )


def may_be_of_other_kind(call: Call[Any], credential: Credential, error: RefusedError) -> bool:
    """Whether Encord may have refused a call because the API key belongs to a resource of another kind.

    Only then is it worth a request to ask which kind that is; see `require_own_kind`.
    """
    of_own_resource = isinstance(call.request, Envelope) and not call.request.own_resource
    refused = isinstance(error, PermissionDeniedError | NotFoundError | InvalidRequestError)
    return isinstance(credential, ApiKey) and of_own_resource and refused


def require_own_kind(call: Call[Any], own: Resource | None) -> None:
    """Refuse what acts on a project with the key of a dataset, or the other way round.

    :param own: What the API key belongs to; None with an SSH key.
    :raises UnsupportedByCredentialError: They differ.
    """
    wanted = call.request.resource if isinstance(call.request, Envelope) else None
    if own and wanted and own.kind != wanted.kind:
        raise UnsupportedByCredentialError(
            f"The API key of this connection belongs to a {own.kind} ({own.id}), and this acts on a {wanted.kind}. "
            f"Use a connection with an API key of a {wanted.kind}, or with an SSH key.",
            operation=call.operation,
        )


def _wrong_kind(call: Call[Any]) -> str:
    if API_KEY in call.credentials:
        return "Only an API key can do this, and this connection holds an SSH key."
    return (
        "This needs a user's or service account's SSH key, and this connection holds an API key, which can only act on "
        "the project or dataset it belongs to. Use a connection with auth_method ssh_key."
    )
