"""Which calls a credential can make. Where possible, this is decided before anything is sent.

An API key belongs to one project or dataset, but the key does not show which kind it is; only Encord knows. The clients
ask Encord when they need to know (no id is given, or Encord refuses a call) and cache the answer. This module contains
that request and the decisions that follow from it.
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

    :raises UnsupportedByCredentialError: It belongs to neither a project nor a dataset.
    """
    kind = (yield from get_key_resource()).resource_type
    if kind not in ("project", "dataset"):
        raise UnsupportedByCredentialError(
            f"This API key belongs to a {kind}. Only API keys of projects and datasets can be used."
        )
    return Resource(kind, key.resource_id)


def require_possible(call: Call[Any], credential: Credential) -> None:
    """Refuse a call that the credential can never make.

    Sends no request: only the id of an API key's resource is known.

    :raises UnsupportedByCredentialError: It cannot make the call. The message names the kind of connection that can.
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

    Only then is it worth a request to find out which kind that is; see `require_own_kind`.
    """
    of_own_resource = isinstance(call.request, Envelope) and not call.request.own_resource
    refused = isinstance(error, PermissionDeniedError | NotFoundError | InvalidRequestError)
    return isinstance(credential, ApiKey) and of_own_resource and refused


def require_own_kind(call: Call[Any], own: Resource | None) -> None:
    """Refuse a call on a project with the API key of a dataset, or the reverse.

    :param own: The resource that the API key belongs to; None with an SSH key.
    :raises UnsupportedByCredentialError: The call acts on the other kind of resource.
    """
    wanted = call.request.resource if isinstance(call.request, Envelope) else None
    if own and wanted and own.kind != wanted.kind:
        raise UnsupportedByCredentialError(
            f"The API key of this connection belongs to a {own.kind} ({own.id}), but this call acts on a "
            f"{wanted.kind}. Use a connection with an API key of a {wanted.kind}, or with an SSH key.",
            operation=call.operation,
        )


def _wrong_kind(call: Call[Any]) -> str:
    if API_KEY in call.credentials:
        return "Only an API key can do this, but this connection has an SSH key."
    return (
        "This needs the SSH key of a user or service account, but this connection has an API key, which can only act "
        "on the project or dataset that it belongs to. Use a connection with auth_method ssh_key."
    )
