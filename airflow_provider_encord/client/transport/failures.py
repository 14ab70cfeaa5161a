"""What it means when `requests` gives no answer: hopeless, never sent, or cut; and what to do about it.

An exception of `requests` holds the prepared request with its credentials, and its text may quote URLs. So we tell what
happened in our own words, and keep nothing of it. Surprise: `requests` has one class for a certificate that is not
trusted, a server that speaks no TLS, and one that hung up; what it was is three exceptions further in.
"""

from __future__ import annotations

import dataclasses
import errno
import re
import ssl
from collections.abc import Mapping

import requests
import urllib3.exceptions

from airflow_provider_encord.client.transport.advice import PROXY_WANTS_A_LOGIN

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
_BROKEN_OFF: Mapping[type[BaseException], str] = {
    requests.exceptions.ReadTimeout: "nothing came within the read_timeout",
    requests.exceptions.ChunkedEncodingError: "the answer broke off",
    requests.exceptions.ContentDecodingError: "the answer could not be unpacked",
}

_NOT_VALID_YET, _EXPIRED, _OTHER_NAME, _OTHER_ADDRESS = 9, 10, 62, 64  # of OpenSSL: X509_V_ERR_...
_UNKNOWN_AUTHORITY = (
    "its certificate is signed by an authority that this machine does not trust. Write the path of a PEM file with the "
    "certificates of that authority (your company's, or a proxy's) into the connection's ca_bundle; if it is filled, "
    "that file lacks them."
)
_OF_ANOTHER_NAME = (
    "its certificate is made for another name. Write the name in the certificate into the connection's host; if host "
    "is right, a proxy or a wrong DNS entry led to another server."
)
_CERTIFICATE_ADVICE: Mapping[int, str] = {
    _NOT_VALID_YET: "its certificate is not valid yet. Check the clock of this machine first, then the server.",
    _EXPIRED: (
        "its certificate has expired. Check the clock of this machine; if it is right, whoever runs that server or "
        "proxy must renew the certificate."
    ),
    _OTHER_NAME: _OF_ANOTHER_NAME,
    _OTHER_ADDRESS: _OF_ANOTHER_NAME,
}
# OpenSSL's words for bytes that are no TLS; they differ from release to release.
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")
_OF_OUR_OWN_FILES = ("PEM", "X509")  # parts of OpenSSL that read certificates from files
_CERTIFICATES_UNREADABLE = (
    "No request to {host} can be made: the certificates to trust cannot be read. Check that the connection's "
    "ca_bundle, or the variable REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE of this machine, names a PEM file of certificates."
)
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})\b")
_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH)


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer.

    :param what: What happened and what to do.
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
        return Failure(_CERTIFICATES_UNREADABLE.format(host=host), hopeless=True, connected=False)
    if isinstance(error, requests.exceptions.SSLError) and not _tls_was_cut(error):
        return Failure(_tls_refusal(error, host), hopeless=True, connected=False)
    if isinstance(error, requests.exceptions.ProxyError):
        return _proxy_failure(error, host)
    if never := _never_connected(error):
        return Failure(f"No answer from {host}: {never}", connected=False)
    return Failure(f"No answer from {host} ({_described(error, _BROKEN_OFF) or 'the connection was cut'}).")


def _described(error: BaseException, descriptions: Mapping[type[BaseException], str]) -> str | None:
    return next((text for class_, text in descriptions.items() if isinstance(error, class_)), None)


def _reason(error: BaseException) -> BaseException | None:
    """What `urllib3` gave up for."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return reason if isinstance(reason, BaseException) else None


def _tls_cause(error: BaseException) -> ssl.SSLError | None:
    inner = _reason(error)
    cause = inner.args[0] if inner is not None and inner.args else None
    return cause if isinstance(cause, ssl.SSLError) else None


def _tls_was_cut(error: BaseException) -> bool:
    """Whether the peer went away, which `requests` calls an SSL error as well."""
    return isinstance(_tls_cause(error), ssl.SSLEOFError | ssl.SSLZeroReturnError)


def _tls_refusal(error: BaseException, host: str) -> str:
    cause = _tls_cause(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"No trusted TLS connection to {host}: {_CERTIFICATE_ADVICE.get(cause.verify_code, _UNKNOWN_AUTHORITY)}"
    if cause is not None and cause.library in _OF_OUR_OWN_FILES:
        return _CERTIFICATES_UNREADABLE.format(host=host)
    if cause is not None and cause.reason in _NO_TLS:
        return (
            f"What listens at {host} speaks no TLS. Check the connection's port; if it is meant to be plain http (an "
            "emulator on this machine, say), write http:// in front of host."
        )
    reason = f" ({cause.reason})" if cause is not None and cause.reason else ""
    return (
        f"No TLS connection to {host} can be agreed on{reason}. Check the connection's host and port, its ca_bundle, "
        "and any proxy on the way."
    )


def _proxy_failure(error: BaseException, host: str) -> Failure:
    inner = _reason(error)
    refused = _TUNNEL.search(str(inner.args[-1])) if inner is not None and inner.args else None
    if refused and refused[1] == "407":
        return Failure(PROXY_WANTS_A_LOGIN.format(host=host), hopeless=True, connected=False)
    if refused:
        return Failure(
            f"The proxy of this machine refuses to connect to {host} (HTTP {refused[1]}). Have it allowed there, or "
            "list the host in the variable NO_PROXY if it is reached without the proxy.",
            connected=False,
        )
    return Failure(
        f"The proxy of this machine was not reached, so nothing was sent to {host}. Check the variables HTTPS_PROXY "
        "and ALL_PROXY where Airflow runs, or list the host in NO_PROXY if it is reached without a proxy.",
        connected=False,
    )


def _never_connected(error: BaseException) -> str | None:
    """Why no connection was made; None if one was."""
    reason = _reason(error)
    if isinstance(reason, urllib3.exceptions.NameResolutionError):
        return (
            "its host name is not known to DNS. Check the spelling of the connection's host, and that this machine can "
            "resolve names of the internet."
        )
    timed_out = urllib3.exceptions.ConnectTimeoutError
    if isinstance(error, requests.exceptions.ConnectTimeout) or type(reason) is timed_out:
        return (
            "no connection was made within the connect_timeout. A firewall may swallow it: check the connection's host "
            "and port, and whether this machine needs a proxy (HTTPS_PROXY)."
        )
    if not isinstance(reason, urllib3.exceptions.NewConnectionError | timed_out):
        return None
    cause = reason.__cause__ or reason.__context__
    if getattr(cause, "errno", None) in _UNREACHABLE:
        return (
            "there is no route to it from this machine. Check its network, whether it needs a proxy (HTTPS_PROXY), and "
            "the connection's host."
        )
    return (
        "the connection was refused; nothing listens there. Check the connection's host and port, and that the server "
        "is running."
    )
