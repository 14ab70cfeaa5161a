"""Encord's two regions, and the addresses of their API and web app.

The regions share nothing. A key that is registered in one region is unknown in the other, and Encord's response is the
same as for a key that is not registered at all (protocol, section 1.1). So an error about a key must name both regions.
"""

from __future__ import annotations

WEB_APPS = {
    "https://api.encord.com": "https://app.encord.com",
    "https://api.us.encord.com": "https://app.us.encord.com",
}
"""Address of the web app by base URL of the API. For other hosts (private installations), it is not known."""

BOTH = " or ".join(WEB_APPS)
"""Base URLs of both regions, for messages."""

_NO_API = {
    "app.encord.com": "https://api.encord.com",
    "app.us.encord.com": "https://api.us.encord.com",
    "encord.com": BOTH,
    "www.encord.com": BOTH,
    "docs.encord.com": BOTH,
}


def api_instead_of(host_name: str) -> str | None:
    """The API for a host that is another site of Encord. People paste the address that their browser shows."""
    return _NO_API.get(host_name)


def other_regions(host: str) -> str:
    """Base URLs of the regions to which no request was sent.

    :param host: Host and port to which the request was sent.
    """
    return " or ".join(api for api in WEB_APPS if api != f"https://{host}")
