"""What it means when `requests` gives no answer: hopeless, never sent, or cut.

An exception of `requests` holds the prepared request with its credentials, and its text may quote URLs. So we tell what
happened in our own words, and keep nothing of it.
"""

from __future__ import annotations

import dataclasses
import ssl
from collections.abc import Mapping

import requests
import urllib3.exceptions

NO_ANSWER = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)
"""Everything that `requests` raises instead of an answer; some of it comes from below, unwrapped."""

_HOPELESS_ADVICE: Mapping[type[BaseException], str] = {
    requests.exceptions.InvalidProxyURL: "the proxy settings of this machine are not usable: check HTTPS_PROXY",
    requests.exceptions.InvalidSchema: (
        "the proxy settings of this machine name a kind of proxy that is not supported here: check HTTPS_PROXY and "
        "ALL_PROXY"
    ),
    requests.exceptions.InvalidURL: "the host is not a name that can be asked: check the connection's host",
    requests.exceptions.InvalidHeader: "a header has characters that cannot be sent",
    urllib3.exceptions.LocationValueError: "the host is not a name that can be asked: check the connection's host",
}
_CAUSES: Mapping[type[BaseException], str] = {
    requests.exceptions.ConnectTimeout: "no connection within the connect_timeout",
    requests.exceptions.ReadTimeout: "nothing came within the read_timeout",
    requests.exceptions.ProxyError: "the proxy refused or was not reached",
    requests.exceptions.ChunkedEncodingError: "the answer broke off",
    requests.exceptions.ContentDecodingError: "the answer could not be unpacked",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer.

    :param what: A sentence.
    :param hopeless: It will be the same next time.
    :param connected: Whether a connection was made, so that the request may have arrived.
    """

    what: str
    hopeless: bool = False
    connected: bool = True


def failure(error: BaseException, host: str) -> Failure:
    """Tell what happened.

    :param error: One of `NO_ANSWER`.
    :param host: Whom we asked.
    """
    if advice := _described(error, _HOPELESS_ADVICE):
        return Failure(f"No request to {host} can be made: {advice}.", hopeless=True, connected=False)
    if not isinstance(error, requests.RequestException | urllib3.exceptions.HTTPError):
        return Failure(
            f"No request to {host} can be made: the certificates to trust cannot be read. Check the connection's "
            "ca_bundle, and the variables REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE of this machine.",
            hopeless=True,
            connected=False,
        )
    if isinstance(error, requests.exceptions.SSLError) and not _tls_was_cut(error):
        return Failure(
            f"No trusted TLS connection to {host}: its certificate is not accepted. Set the connection's ca_bundle to "
            "the certificates of your own authority or proxy. If the server speaks plain http, write http:// in host.",
            hopeless=True,
            connected=False,
        )
    what = f"No answer from {host} ({_cause(error)})."
    if _never_connected(error):
        advice = "Check the connection's host, the network and the proxy settings of this machine."
        return Failure(f"{what} {advice}", connected=False)
    return Failure(what)


def _described(error: BaseException, descriptions: Mapping[type[BaseException], str]) -> str | None:
    return next((text for class_, text in descriptions.items() if isinstance(error, class_)), None)


def _tls_was_cut(error: requests.RequestException) -> bool:
    """Whether the peer went away, which `requests` calls an SSL error as well."""
    inner = _reason(error)
    cause = inner.args[0] if inner is not None and inner.args else None
    return isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError)


def _reason(error: BaseException) -> BaseException | None:
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return reason if isinstance(reason, BaseException) else None


def _never_connected(error: BaseException) -> bool:
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    reason = _reason(error)
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


def _cause(error: BaseException) -> str:
    if cause := _described(error, _CAUSES):
        return cause
    if isinstance(_reason(error), urllib3.exceptions.NameResolutionError):
        return "the host name is not known"
    return "the connection was refused" if _never_connected(error) else "the connection was cut"
