"""The vendor's own client, made of the same connection as ours; needs the extra ``sdk``.

Same address, key and time-outs. What the SDK has no setting for is an error here, as it would otherwise be left out in
silence. The SDK puts the text of a key that it cannot use into its exception, so it only gets keys that we
have read ourselves, and nothing of its exceptions is passed on.
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
    """Make the vendor's client.

    :raises UnsupportedByCredentialError: The connection has an API key, or certificates of its own.
    :raises ModuleNotFoundError: The extra is not installed.
    """
    if isinstance(credential, ApiKey):
        raise UnsupportedByCredentialError(
            "Encord's SDK takes no API keys since November 2024, and this connection holds one. Use what get_conn() "
            "gives, which does, or a connection with an SSH key."
        )
    _require_trust_of_the_machine(settings)
    from encord import EncordUserClient
    from encord.http.constants import RequestsSettings

    connect: Any = settings.connect_timeout  # the SDK asks for whole seconds, and hands on what it gets
    read: Any = settings.read_timeout
    time_outs = RequestsSettings(connect_timeout=connect, read_timeout=read, write_timeout=read)
    try:
        return EncordUserClient.create_with_ssh_private_key(
            ssh_private_key=credential.openssh_private_key(),
            requests_settings=time_outs,
            domain=settings.base_url,
            user_agent_suffix=f"airflow-provider-encord/{__version__} {settings.user_agent_suffix}".strip(),
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, its text may quote the key
        what = type(error).__name__
    raise UnsupportedByCredentialError(
        f"The installed release of Encord's SDK makes no client of this connection ({what})."
    )


def _require_trust_of_the_machine(settings: Settings) -> None:
    """The SDK trusts what the machine trusts, and has no setting for anything else."""
    trusted = settings.trusted
    if trusted and pathlib.Path(trusted).resolve() != pathlib.Path(network_environment.bundle(None)).resolve():
        raise UnsupportedByCredentialError(
            f"Connection field ca_bundle: Encord's SDK has no setting for it. Set the variable REQUESTS_CA_BUNDLE to "
            f"{trusted} where Airflow runs, which the SDK honours; or use what get_conn() gives."
        )
