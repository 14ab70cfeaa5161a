"""Refusing what a web page sends: a browser on this machine reaches the loopback, so its pages could use the emulator.

Three things give a page away. After DNS rebinding, its own name stands in ``Host``. A browser names the page in
``Origin`` and its relation to this server in ``Sec-Fetch-Site``. And without asking first (a CORS preflight, which
the emulator never grants), a page cannot send ``Content-Type: application/json``.
"""

from __future__ import annotations

import ipaddress
import re
import urllib.parse
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Scope  # the command checks names before it knows that starlette is installed

HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""On every answer: an uploaded page that is opened from a signed URL runs no script with access to the controls."""

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(?::([0-9]{1,5}))?", re.ASCII)
_NAME = re.compile(r"[0-9A-Za-z_]([0-9A-Za-z._-]*[0-9A-Za-z_])?", re.ASCII)
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_OWN_SITE = ("same-origin", "none")  # "none": a person typed the address


def host_name(text: str) -> str:
    """A host name or address in the form that is compared: lower case, without brackets or final dot.

    :raises ValueError: It is neither a name nor an address, or has a port, a wildcard or a path.
    """
    name = text.removeprefix("[").removesuffix("]") if text.startswith("[") else text
    try:
        return str(_plain_address(name))
    except ValueError:
        name = name.removesuffix(".").lower()
    if _NAME.fullmatch(name) is None or ".." in name:
        raise ValueError(f"{text!r} is not a host name or address (pass it without scheme, port and path)")
    return name


def is_loopback(host: str) -> bool:
    """Whether a name or address, as :func:`host_name` gives it, can only mean this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_from_loopback(scope: Scope) -> bool:
    """Whether the client is on this machine."""
    client = scope.get("client")
    try:
        return client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


def refusal(scope: Scope, allowed_hosts: Collection[str], *, is_page: bool = False) -> tuple[int, str] | None:
    """HTTP status and message for a request that is not served, whatever it asks for; ``None`` for one that is.

    :param allowed_hosts: Names and addresses beside the loopback's, as :func:`host_name` gives them.
    :param is_page: Whether a page for people is asked for, to which a link of another page may lead.
    """
    hosts = _values(scope, b"host")
    if len(hosts) != 1:
        return 400, f"Host: exactly one is required, {len(hosts)} were sent."
    authority = _authority(scope["scheme"], hosts[0])
    if authority is None:
        return 400, "Host: it is not a host name or address with an optional port."
    if not (is_loopback(authority[0]) or authority[0] in allowed_hosts or authority[0] == _own_address(scope)):
        return 403, (
            f"Host: {authority[0]} is not the loopback, so a web page may have sent this. Use 127.0.0.1 or "
            f"localhost, or start the emulator with --allow-host {authority[0]}."
        )
    if not _target_agrees(scope, authority):
        return 400, "Request target: it must be a path, or a URL with the same host as the Host header."
    origins = _values(scope, b"origin")
    if origins and any(_origin(origin) != (scope["scheme"], *authority) for origin in origins):
        return 403, "Origin: requests of other web pages are refused. Only pages of the emulator itself may use it."
    followed_link = is_page and _opens_in_a_tab(scope)
    if not followed_link and any(site not in _OWN_SITE for site in _values(scope, b"sec-fetch-site")):
        return 403, "Sec-Fetch-Site: requests of other web pages are refused."
    return None


def _opens_in_a_tab(scope: Scope) -> bool:
    """Whether a browser shows the answer to a person, in a tab. The page with the link cannot read it.

    Frames, images and requests of scripts have another destination, and a form sends no GET with side effects here.
    """
    mode, destination = _values(scope, b"sec-fetch-mode"), _values(scope, b"sec-fetch-dest")
    return (scope["method"], mode, destination) == ("GET", ["navigate"], ["document"])


def is_json(content_types: Iterable[str]) -> bool:
    """Whether a request says once, and clearly, that its body is JSON."""
    return [kind.partition(";")[0].strip().lower() for kind in content_types] == ["application/json"]


def _own_address(scope: Scope) -> str | None:
    """The address that the client connected to: no page can have an address of this machine as its origin."""
    server = scope.get("server")
    return None if server is None or server[1] is None else str(_plain_address(server[0]))


def _plain_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1").strip() for header, value in scope["headers"] if header.lower() == name]


def _authority(scheme: str, text: str) -> tuple[str, str] | None:
    """Host and port of ``host[:port]``."""
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        return None
    try:
        return host_name(match[1]), (match[2] or _DEFAULT_PORTS[scheme]).lstrip("0") or "0"
    except ValueError:
        return None


def _origin(text: str) -> tuple[str, str, str] | None:
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in _DEFAULT_PORTS:
        return None
    authority = _authority(scheme, rest)
    return None if authority is None else (scheme, *authority)


def _target_agrees(scope: Scope, authority: tuple[str, str]) -> bool:
    """Whether the target is a path; or a whole URL, as a proxy is sent, of the host that the Host header names."""
    target: str = scope.get("encord.target") or scope["raw_path"].decode("latin-1")
    if target.startswith("/") and not target.startswith("//"):
        return True
    try:
        parts = urllib.parse.urlsplit(target)
    except ValueError:
        return False
    return parts.scheme == scope["scheme"] and _authority(parts.scheme, parts.netloc) == authority
