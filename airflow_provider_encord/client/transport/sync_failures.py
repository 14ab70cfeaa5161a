"""Why `requests` received no response.

`requests` has one class for a certificate that is not trusted, a server that does not use TLS, and a server that closed
the connection. The real cause is up to three exceptions deeper.
"""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Iterator, Mapping

import requests
import urllib3.exceptions

from airflow_provider_encord.client.transport import failures
from airflow_provider_encord.client.transport.failures import Failure

NO_ANSWER = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)
"""All exceptions that `requests` raises instead of returning a response. Some are from `urllib3` or below."""

_CANNOT_ASK: Mapping[type[BaseException], str] = {
    requests.exceptions.InvalidProxyURL: failures.PROXY_UNUSABLE,
    requests.exceptions.InvalidSchema: failures.PROXY_UNSUPPORTED,
    requests.exceptions.InvalidURL: failures.HOST_UNUSABLE,
    requests.exceptions.InvalidHeader: failures.HEADER_UNUSABLE,
    urllib3.exceptions.LocationValueError: failures.HOST_UNUSABLE,
}
_LOST: Mapping[type[BaseException], str] = {
    requests.exceptions.ReadTimeout: failures.TIMED_OUT,
    urllib3.exceptions.ReadTimeoutError: failures.TIMED_OUT,
    urllib3.exceptions.InvalidChunkLength: failures.NOT_HTTP,
    http.client.RemoteDisconnected: failures.CUT,  # other kinds of a bad status line mean that it is not HTTP
    http.client.IncompleteRead: failures.BROKEN_OFF,
    http.client.HTTPException: failures.NOT_HTTP,
    urllib3.exceptions.InvalidHeader: failures.NOT_HTTP,
}
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})\b")


def failure(error: BaseException, host: str) -> Failure:
    """Find out why there is no response.

    :param error: One of `NO_ANSWER`.
    :param host: Host to which the request was sent.
    """
    if isinstance(error, requests.exceptions.InvalidHeader) and error.args and isinstance(error.args[0], Exception):
        return failures.lost(host, failures.NOT_HTTP)  # a header of the response, not of the request
    if why := _described(error, _CANNOT_ASK):
        return failures.cannot_ask(host, why)
    if not isinstance(error, requests.RequestException | urllib3.exceptions.HTTPError):
        return failures.no_certificates(host)  # only this raises an OSError that is not wrapped
    if isinstance(error, requests.exceptions.SSLError) and not failures.tls_was_cut(cause := _tls_cause(error)):
        return failures.no_tls(host, cause)
    if isinstance(error, requests.exceptions.ProxyError):
        return _proxy_failure(error, host)
    if never := _never_connected(error):
        return failures.not_connected(host, never)
    return failures.lost(host, _how(error))


def _how(error: BaseException) -> str:
    causes = list(_causes(error))
    if any(isinstance(cause, urllib3.exceptions.InvalidChunkLength) and not cause.length for cause in causes):
        return failures.BROKEN_OFF  # the length of a chunk is missing
    if how := next((how for cause in reversed(causes) if (how := _described(cause, _LOST))), None):
        return how
    # While the body is read, `urllib3` raises its own class; before that, `requests` wraps it.
    return failures.BROKEN_OFF if isinstance(error, urllib3.exceptions.ProtocolError) else failures.CUT


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and the exceptions inside it, outermost first."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = next((inner for inner in reversed(cause.args) if isinstance(inner, BaseException)), None)


def _described(error: BaseException, descriptions: Mapping[type[BaseException], str]) -> str | None:
    return next((text for class_, text in descriptions.items() if isinstance(error, class_)), None)


def _reason(error: BaseException) -> BaseException | None:
    """The reason for which `urllib3` stopped retrying."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return reason if isinstance(reason, BaseException) else None


def _tls_cause(error: BaseException) -> ssl.SSLError | None:
    inner = _reason(error)
    cause = inner.args[0] if inner is not None and inner.args else None
    return cause if isinstance(cause, ssl.SSLError) else None


def _proxy_failure(error: BaseException, host: str) -> Failure:
    """Find out why a connection through a proxy failed.

    `urllib3` blames the proxy for every broken connection through it, even after the request was sent. Only its errors
    about connecting are reliable; in all other cases, the request may have arrived.
    """
    inner = _reason(error)
    cause = inner.args[-1] if inner is not None and inner.args else None
    if refused := _TUNNEL.search(str(cause)):
        return failures.tunnel_refused(host, refused[1])
    if isinstance(cause, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError):
        return failures.proxy_not_reached(host)
    return failures.lost(host)


def _never_connected(error: BaseException) -> str | None:
    """Why no connection was made; None if one was."""
    reason = _reason(error)
    if isinstance(reason, urllib3.exceptions.NameResolutionError):
        return failures.UNKNOWN_NAME
    timed_out = urllib3.exceptions.ConnectTimeoutError
    if isinstance(error, requests.exceptions.ConnectTimeout) or type(reason) is timed_out:
        return failures.CONNECT_TIMED_OUT
    if not isinstance(reason, urllib3.exceptions.NewConnectionError | timed_out):
        return None
    return failures.refused_by(reason.__cause__ or reason.__context__)
