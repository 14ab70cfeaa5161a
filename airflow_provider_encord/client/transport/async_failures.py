"""Why `httpx` received no response.

`httpx` has one class for everything that can fail before a request is written. The cause is visible only in the chain
of exceptions, and a proxy is not mentioned at all. So `Progress` records how far a request got.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from airflow_provider_encord.client.transport import failures
from airflow_provider_encord.client.transport.failures import Failure


class ProxyUnusableError(Exception):
    """The proxy settings of this machine are not usable.

    :param why: `failures.PROXY_UNUSABLE` or `failures.PROXY_UNSUPPORTED`.
    """

    def __init__(self, why: str):
        super().__init__(why)
        self.why = why


NO_ANSWER = (httpx.HTTPError, httpx.InvalidURL, ProxyUnusableError, OSError)
"""All exceptions that `httpx` raises instead of returning a response, and those raised here before the request."""

_CANNOT_ASK: Mapping[type[BaseException], str] = {
    httpx.InvalidURL: failures.HOST_UNUSABLE,
    httpx.UnsupportedProtocol: failures.HOST_UNUSABLE,
    httpx.LocalProtocolError: failures.HEADER_UNUSABLE,
}
_STATUS = re.compile(r"(\d{3})\b")
_PASSING = (ssl.SSLWantReadError, ssl.SSLWantWriteError)  # a handshake raises these while it is not complete


class Progress:
    """Records how far a request got; `httpcore` calls it at each step.

    :param proxied: Whether the request uses a proxy.
    """

    __slots__ = ("connected", "proxied")

    def __init__(self, *, proxied: bool):
        self.proxied = proxied
        self.connected = False

    async def __call__(self, step: str, info: Mapping[str, Any]) -> None:  # noqa: ARG002 - `httpcore` gives both
        """Record a step."""
        if step.endswith(("connect_tcp.complete", "send_request_headers.started")):
            self.connected = True


def failure(error: BaseException, host: str, progress: Progress) -> Failure:
    """Find out why there is no response.

    :param error: One of `NO_ANSWER`.
    :param host: Host to which the request was sent.
    """
    if isinstance(error, ProxyUnusableError):
        return failures.cannot_ask(host, error.why)
    if why := next((text for class_, text in _CANNOT_ASK.items() if isinstance(error, class_)), None):
        return failures.cannot_ask(host, why)
    if isinstance(error, httpx.ProxyError):
        refused = _STATUS.match(str(error))
        return failures.tunnel_refused(host, refused[1]) if refused else failures.proxy_not_reached(host)
    causes = list(_causes(error))
    tls = next((cause for cause in causes if isinstance(cause, ssl.SSLError) and not isinstance(cause, _PASSING)), None)
    if tls is not None and not failures.tls_was_cut(tls):
        return failures.no_tls(host, tls)
    if tls is None and not isinstance(error, httpx.HTTPError):
        return failures.no_certificates(host)  # only this raises an OSError that is not wrapped
    if not progress.connected and progress.proxied:
        return failures.proxy_not_reached(host)
    if not progress.connected:
        return failures.not_connected(host, _why_not_connected(error, causes))
    return failures.lost(host, _how(error))


def _why_not_connected(error: BaseException, causes: list[BaseException]) -> str:
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return failures.UNKNOWN_NAME
    if isinstance(error, httpx.TimeoutException):
        return failures.CONNECT_TIMED_OUT
    return failures.refused_by(next((cause for cause in causes if getattr(cause, "errno", None) is not None), None))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and all its causes, including the members of exception groups."""
    following: list[BaseException | None] = [error]
    seen: set[int] = set()
    while following:
        cause = following.pop(0)
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        following += [*getattr(cause, "exceptions", ()), cause.__cause__, cause.__context__]


def _how(error: BaseException) -> str:
    if isinstance(error, httpx.ReadTimeout | httpx.ConnectTimeout):  # ConnectTimeout: in the middle of a handshake
        return failures.TIMED_OUT
    if isinstance(error, httpx.RemoteProtocolError):
        words = str(error)
        if "body" in words:
            return failures.BROKEN_OFF
        return failures.CUT if "disconnected" in words else failures.NOT_HTTP
    return failures.CUT
