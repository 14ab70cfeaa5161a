"""What a refused credential says, for the tests of credentials."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from airflow_provider_encord.client.credentials import Credential, SshKey
from airflow_provider_encord.client.errors import CredentialError
from airflow_provider_encord.client.key_refusals import Refusal


def message_of(make: Callable[[], Credential]) -> str:
    with pytest.raises(CredentialError) as refused:
        make()
    return refused.value.message


def refusal_of(text: str, passphrase: str | None = None) -> Refusal:
    """The reason why a text is refused; checks that the message names the field and gives the reason word for word."""
    message = message_of(lambda: SshKey.parse(text, passphrase))
    return Refusal(message.removeprefix("Connection field private_key: "))
