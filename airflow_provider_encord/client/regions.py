"""Encord's two regions: where the API and the web app of each are.

They share nothing. A key that is registered in one is unknown in the other, and the refusal is the same as
for a key that is registered nowhere (protocol, section 1.1); so an error about it has to name both.
"""

from __future__ import annotations

WEB_APPS = {
    "https://api.encord.com": "https://app.encord.com",
    "https://api.us.encord.com": "https://app.us.encord.com",
}
"""Where the web app is, by the base URL of the API. Other hosts are private installations, and theirs is not known."""

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
    """Where the API is, if this is another of Encord's sites: people paste the address that their browser shows."""
    return _NO_API.get(host_name)


def other_regions(host: str) -> str:
    """Base URLs of the regions that were not asked.

    :param host: Whom we asked, as host and port.
    """
    return " or ".join(api for api in WEB_APPS if api != f"https://{host}")
