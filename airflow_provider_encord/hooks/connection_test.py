"""Test a connection with a small read request, and write the message for the user.

The message is short, because Airflow shows it in a toast of the form, in a terminal, or in a response of the REST API.
``airflow connections test`` prints it as Rich markup: a word in square brackets would be read as a style, and would
disappear or raise an error.
"""

from __future__ import annotations

import logging
import re
import traceback
import uuid
from typing import TYPE_CHECKING

from airflow_provider_encord.client.api.datasets import get_dataset
from airflow_provider_encord.client.api.labels import LabelRowFilter, list_label_rows
from airflow_provider_encord.client.api.projects import list_projects
from airflow_provider_encord.client.errors import (
    AuthenticationError,
    EncordError,
    NotFoundError,
    PermissionDeniedError,
    RefusedError,
    TransientError,
    UnexpectedResponseError,
)
from airflow_provider_encord.client.regions import BOTH

if TYPE_CHECKING:
    from airflow_provider_encord.client.call import Resource
    from airflow_provider_encord.client.client import EncordClient

LONGEST = 400  # characters that a toast can show
_MARKUP = re.compile(r"\[([a-z#/@][^\[\]]*)\]")

_log = logging.getLogger(__name__)


def accepted(client: EncordClient) -> str:
    """Send one small read request, or two with an API key.

    :return: The kind of the credential, and what it can access.
    :raises EncordError: Encord does not accept the credential, or it has no access. The message says how to fix that.
    """
    host = client.settings.host
    if own := _resource_of_key(client):
        _require_readable(client, own)
        return f"{host} accepts this API key. It can read {own.kind} {own.id}, and has no access to anything else."
    try:
        page = client.send(list_projects())
    except NotFoundError as error:
        if error.not_encord:
            raise
        raise RefusedError(
            f"Connection field host: {host} answers, but it is not an Encord API (HTTP 404). Leave the field empty, or "
            f"enter {BOTH}, or the API host of your own installation."
        ) from None
    public = getattr(client.credential, "public_key_hex", "")
    return (
        f"{host} accepts this SSH key (public key {public[:16]}...). {_seen(len(page.results), page.next_page_token)}"
    )


def explained(error: Exception) -> str:
    """Return the message for an error: what is wrong, in which field, and how to fix it. It contains no secrets."""
    from airflow.providers.common.compat.sdk import AirflowNotFoundException

    if isinstance(error, EncordError):
        return _readable(_with_what_it_means(error))
    if isinstance(error, AirflowNotFoundException):
        return _readable(str(error))
    # Without the text of the exception, which may quote a secret.
    frames = "".join(traceback.format_tb(error.__traceback__))
    _log.error("The connection could not be tested: %s\n%s", type(error).__name__, frames)
    return (
        f"The connection could not be tested: unexpected {type(error).__name__}. See the traceback in the log of the "
        "Airflow process that ran the test."
    )


def _resource_of_key(client: EncordClient) -> Resource | None:
    """The project or dataset of an API key; None with an SSH key."""
    try:
        return client.key_resource
    except PermissionDeniedError:
        raise PermissionDeniedError(
            f"Connection field resource_id: {client.settings.host} knows this API key, but the key does not belong to "
            "this id. Enter the id of the project or dataset that the key was created for. For a key of a project, do "
            "not enter the id of one of its datasets."
        ) from None


def _require_readable(client: EncordClient, own: Resource) -> None:
    """Raise an error if the scopes of an API key do not allow it to read its project or dataset."""
    of_project = own.kind == "project"
    try:
        if of_project:
            nothing = LabelRowFilter(data_hashes=[str(uuid.uuid4())])
            client.send(list_label_rows(str(own.id), nothing))
        else:
            client.send(get_dataset(str(own.id)))
    except PermissionDeniedError:
        what, scope = ("label rows", "label") if of_project else ("its data", "dataset")
        raise PermissionDeniedError(
            f"Connection field api_key: {client.settings.host} knows this API key of {own.kind} {own.id}, but its "
            f"scopes do not allow it to read {what}. Create a key with the scope {scope}.read (and {scope}.write to "
            "change data), or use an SSH key."
        ) from None


def _seen(projects: int, more: str | None) -> str:
    if not projects:
        return "It has no access to any project yet: add its user (or service account) to the projects that it needs."
    return f"It has access to {'more than ' if more else ''}{projects} project{'' if projects == 1 else 's'}."


def _with_what_it_means(error: EncordError) -> str:
    message, trace = error.message, f" (Trace id: {error.trace_id})" if error.trace_id else ""
    if error.not_encord:
        return message
    if isinstance(error, TransientError) and error.trace_id:  # Encord answered, but did not check the credential
        return f"{message} The connection may be correct: wait a moment and try again.{trace}"
    if isinstance(error, UnexpectedResponseError):
        return f"{message} Check that the connection's host is Encord's API.{trace}"
    if isinstance(error, AuthenticationError | PermissionDeniedError):
        return message
    return message + trace


def _readable(message: str) -> str:
    plain = _MARKUP.sub(r"(\1)", message)
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 3]}..."
