"""Trying a connection: one small read, and what to tell the person who pressed Test.

The message appears in a toast of the form, in a terminal, or in the answer of the REST API, so it is short.
``airflow connections test`` prints it as markup, in which a word in square brackets is a style: it vanishes,
or is an error.
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

LONGEST = 400  # characters; a toast shows that many at a glance
_MARKUP = re.compile(r"\[([a-z#/@][^\[\]]*)\]")

_log = logging.getLogger(__name__)


def accepted(client: EncordClient) -> str:
    """Send one small read, or two with an API key.

    :return: What the credential is, and what it can do.
    :raises EncordError: It is not accepted, or can do nothing; the message says how to mend that.
    """
    host = client.settings.host
    if own := _resource_of_key(client):
        _require_readable(client, own)
        return f"{host} accepts this API key. It belongs to {own.kind} {own.id}, can read it, and acts on nothing else."
    try:
        page = client.send(list_projects())
    except NotFoundError as error:
        if error.not_encord:
            raise
        raise RefusedError(
            f"{host} answers, but has no Encord API (HTTP 404). Correct the connection's host: leave it empty, or "
            f"enter {BOTH}, or the API of your own installation."
        ) from None
    public = getattr(client.credential, "public_key_hex", "")
    return (
        f"{host} accepts this SSH key (public key {public[:16]}...). {_seen(len(page.results), page.next_page_token)}"
    )


def explained(error: Exception) -> str:
    """What to tell of an error: what is wrong, which field, and how to mend it. Holds no secret."""
    from airflow.providers.common.compat.sdk import AirflowNotFoundException

    if isinstance(error, EncordError):
        return _readable(_with_what_it_means(error))
    if isinstance(error, AirflowNotFoundException):
        return _readable(str(error))
    # Without the text of the exception, which may quote a secret.
    frames = "".join(traceback.format_tb(error.__traceback__))
    _log.error("The connection could not be tried: %s\n%s", type(error).__name__, frames)
    return (
        f"The connection could not be tried ({type(error).__name__}). The log of the process that tried it says more."
    )


def _resource_of_key(client: EncordClient) -> Resource | None:
    """What an API key belongs to; None with an SSH key."""
    try:
        return client.key_resource
    except PermissionDeniedError:
        raise PermissionDeniedError(
            f"{client.settings.host} knows this API key, but it was not made for the resource_id of this connection. "
            "Enter in resource_id the id of the project or dataset that the key was made for; the id of a dataset in "
            "that project is another one."
        ) from None


def _require_readable(client: EncordClient, own: Resource) -> None:
    """Refuse an API key whose scopes do not even let it read what it belongs to."""
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
            f"{client.settings.host} knows this API key of {own.kind} {own.id}, but its scopes do not let it read "
            f"{what}. Make a key with the scope {scope}.read (and {scope}.write to change anything), and put it into "
            "api_key; or use an SSH key."
        ) from None


def _seen(projects: int, more: str | None) -> str:
    if not projects:
        return "It sees no project yet: invite its user (or service account) to those that it should work on."
    return f"It sees {'more than ' if more else ''}{projects} project{'' if projects == 1 else 's'}."


def _with_what_it_means(error: EncordError) -> str:
    message, trace = error.message, f" (Trace id: {error.trace_id})" if error.trace_id else ""
    if error.not_encord:
        return message
    if isinstance(error, TransientError) and error.trace_id:  # Encord was there, and did not judge the credential
        return f"{message} Nothing is known to be wrong with the connection: wait a little and try again.{trace}"
    if isinstance(error, UnexpectedResponseError):
        return f"{message} Check that the connection's host is Encord's API.{trace}"
    if isinstance(error, AuthenticationError | PermissionDeniedError):
        return message
    return message + trace


def _readable(message: str) -> str:
    plain = _MARKUP.sub(r"(\1)", message)
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 3]}..."
