"""The pacer that all tasks of a machine share, as Airflow's configuration asks for it."""

from __future__ import annotations

import math
from urllib.parse import parse_qs, unquote, urlsplit

from airflow.providers.common.compat.sdk import conf

from airflow_provider_encord.client.credentials import Credential, SshKey
from airflow_provider_encord.client.errors import CredentialError
from airflow_provider_encord.client.transport.pacing import (
    FileStore,
    MemoryStore,
    Pacer,
    Store,
    shared_file,
    shared_name,
)
from airflow_provider_encord.client.transport.settings import Settings

SECTION, RATE_LIMIT, REDIS_URL = "encord", "rate_limit", "rate_limit_redis_url"
SPREAD = 0.05  # machines do not know of each other's turns, so they come back at different times


def shared_pacer(
    credential: Credential, settings: Settings, *, longest: float | None, background: bool = False
) -> Pacer:
    """Return the pacer for a credential at an address.

    :param longest: Seconds that a request may wait in place.
    :param background: Whether its requests let others pass while many wait.
    :raises CredentialError: The option ``rate_limit`` is not a number, or ``rate_limit_redis_url`` cannot be used.
    """
    owner = credential.public_key_hex if isinstance(credential, SshKey) else credential.resource_id
    name = shared_name(settings.base_url, f"{credential.kind} {owner}")
    file = shared_file(name)
    of_machine = MemoryStore() if file is None else FileStore(file)
    url = _redis_url()
    store = _in_redis(url, name, of_machine) if url else of_machine
    return Pacer(store, rate=rate_limit(), longest=longest, spread=SPREAD, background=background)


def _redis_url() -> str:
    return (conf.get(SECTION, REDIS_URL, fallback="") or "").strip()


def secret_values() -> list[str]:
    """The secrets in the options, for Airflow's masker: the password of Redis.

    It is in the URL before the host, or in its query (``?password=``).
    """
    url = _redis_url()
    try:
        parts = urlsplit(url)
        passwords = [unquote(parts.password or ""), *parse_qs(parts.query).get("password", [])]
    except ValueError:  # not a URL; a password may be anywhere in it
        passwords = [url]
    return [password for password in passwords if password]


def _in_redis(url: str, name: str, of_machine: Store) -> Store:
    from airflow_provider_encord.client.transport.redis_pacing import RedisStore

    try:
        return RedisStore(url, name, of_machine)
    except ModuleNotFoundError:
        what = "the module redis is not installed. Install the extra: pip install 'airflow-provider-encord[redis]'"
    except ValueError:
        what = "it is not a URL of Redis. Enter one such as redis://host:6379/0"
    raise CredentialError(f"Option {REDIS_URL} of section [{SECTION}] in Airflow's configuration: {what}.")


def rate_limit() -> float | None:
    """The option ``rate_limit``: requests per second; None if it is empty.

    :raises CredentialError: It is not a number over 0.
    """
    text = (conf.get(SECTION, RATE_LIMIT, fallback="") or "").strip()
    if not text:
        return None
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0 < rate < math.inf:
        raise CredentialError(
            f"Option {RATE_LIMIT} of section [{SECTION}] in Airflow's configuration: {text!r} is not a number over 0. "
            "Enter requests per second, such as 20, or leave it empty."
        )
    return rate
