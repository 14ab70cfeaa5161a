"""Messages that say what to do when Encord does not accept a credential.

Encord's response contains no reason. The message adds which key was used, which host it was sent to and which other
hosts exist, and whether the clock of this machine is wrong. A wrong clock looks like an unknown key, because v2
signatures contain the time.
"""

from __future__ import annotations

from airflow_provider_encord.client.call import API_KEY
from airflow_provider_encord.client.regions import BOTH, WEB_APPS, other_regions

SKEW_WORTH_SAYING = 30.0  # seconds

NOT_THE_API = (
    "{host} answers with a web page ({status}), so it is not Encord's API. Correct the connection's host: leave it "
    f"empty, or enter {BOTH}, or the API of your own installation."
)
GATEWAY = (
    "A proxy or gateway between this machine and {host} refused the request with a web page ({status}); Encord did not "
    "see it. Check the connection's host and the proxy settings of this machine (HTTPS_PROXY, NO_PROXY)."
)

PROXY_WANTS_A_LOGIN = (
    "The proxy of this machine asks for a user name and a password (HTTP 407). Add both to the environment variable "
    "HTTPS_PROXY (http://USER:PASSWORD@PROXY:PORT), or list {host} in NO_PROXY if it is reached without the proxy."
)


def refused_key(*, host: str, credential_kind: str, public_key: str, skew: float | None) -> str:
    """The message about a refused key: possible causes, and what to do.

    :param host: Host to which the request was sent.
    :param public_key: The public key of an SSH key, in the form to register in Encord.
    :param skew: Seconds by which this machine's clock is ahead of Encord's; None if it is not known, or if the request
        did not contain the time.
    """
    if credential_kind == API_KEY:
        return (
            f"{host} does not accept the API key of this connection. Check api_key (copy it again) and resource_id, "
            f"the id of the project or dataset that it was made for. If that is in {_another(host)}, set the "
            f"connection's host to {other_regions(host)}."
        )
    if skew is not None and abs(skew) >= SKEW_WORTH_SAYING:
        return (
            f"The clock of this machine is {_seconds(skew)} the clock of {host}. Signatures contain the time, so "
            "Encord refuses every SSH key. Set the clock (NTP) and try again. If the key is still refused, check the "
            "key and the region in host."
        )
    page = f" at {app}/settings/public-keys" if (app := WEB_APPS.get(f"https://{host}")) else " there"
    return (
        f"{host} does not accept the SSH key of this connection. Register its public half ({public_key}){page}. "
        f"If it is registered in {_another(host)}, set the connection's host to {other_regions(host)}."
    )


def _another(host: str) -> str:
    return "the other region" if f"https://{host}" in WEB_APPS else "one of Encord's own regions"


def _seconds(skew: float) -> str:
    return f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'}"
