"""The client of Encord's SDK, made from the same connection as our client; needs the extra ``sdk``.

It has the same host, key and timeouts. A field that the SDK does not support is an error here; otherwise it would be
ignored silently. The SDK quotes an invalid key in its exception. So it gets only keys that this package has already
parsed, and the text of its exceptions is never shown.
"""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any

from airflow_provider_encord import __version__
from airflow_provider_encord.client.credentials import ApiKey, Credential
from airflow_provider_encord.client.errors import UnsupportedByCredentialError
from airflow_provider_encord.client.transport import network_environment
from airflow_provider_encord.client.transport.settings import Settings

if TYPE_CHECKING:
    from encord import EncordUserClient  # of the extra

INSTALL = "pip install 'airflow-provider-encord[sdk]'"


def sdk_client(credential: Credential, settings: Settings) -> EncordUserClient:
    """Create the client of the SDK.

    :raises UnsupportedByCredentialError: The connection has an API key or a `ca_bundle`.
    :raises ModuleNotFoundError: The extra is not installed.
    """
    if isinstance(credential, ApiKey):
        raise UnsupportedByCredentialError(
            "Connection field api_key: Encord's SDK does not support API keys since November 2024. Use the client that "
            "get_conn() returns, or a connection with an SSH key."
        )
    _require_trust_of_the_machine(settings)
    from encord import EncordUserClient
    from encord.http.constants import RequestsSettings

    connect: Any = settings.connect_timeout  # the SDK is typed for integers, but accepts fractions
    read: Any = settings.read_timeout
    time_outs = RequestsSettings(connect_timeout=connect, read_timeout=read, write_timeout=read)
    try:
        return EncordUserClient.create_with_ssh_private_key(
            ssh_private_key=credential.openssh_private_key(),
            requests_settings=time_outs,
            domain=settings.base_url,
            user_agent_suffix=f"airflow-provider-encord/{__version__} {settings.user_agent_suffix}".strip(),
        )
    except Exception as error:  # noqa: BLE001 - the text of any error may quote the key
        what = type(error).__name__
    raise UnsupportedByCredentialError(
        f"The installed version of Encord's SDK could not create a client from this connection ({what}). Use the "
        "client that get_conn() returns, or install another version of the SDK."
    )


def _require_trust_of_the_machine(settings: Settings) -> None:
    """Raise an error for a `ca_bundle` that differs from the machine's, because the SDK has no setting for it."""
    trusted = settings.trusted
    if trusted and pathlib.Path(trusted).resolve() != pathlib.Path(network_environment.bundle(None)).resolve():
        raise UnsupportedByCredentialError(
            "Connection field ca_bundle: Encord's SDK has no setting for it. Set the environment variable "
            f"REQUESTS_CA_BUNDLE to {trusted} on the Airflow machines, or use the client that get_conn() returns."
        )
