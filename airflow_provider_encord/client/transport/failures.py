"""What to say when there is no answer: whether it is hopeless, never sent, or lost; and what to do about it.

In our own words, and nothing is kept of the exception: those of `requests` and `httpx` hold the request with its
credentials, and their texts may quote URLs. Which of these it was is made out by `sync_failures` and `async_failures`.
"""

from __future__ import annotations

import dataclasses
import errno
import ssl
from collections.abc import Mapping

from airflow_provider_encord.client.transport.connection_hints import PROXY_WANTS_A_LOGIN

PROXY_UNUSABLE = "the proxy settings of this machine are not usable: check HTTPS_PROXY"
PROXY_UNSUPPORTED = (
    "the proxy settings of this machine name a kind of proxy that is not supported here: check HTTPS_PROXY and "
    "ALL_PROXY"
)
HOST_UNUSABLE = "the host is not a name that can be asked: check the connection's host"
HEADER_UNUSABLE = "a header has characters that cannot be sent"

TIMED_OUT = "nothing came within the read_timeout"
BROKEN_OFF = "the answer broke off"
NOT_UNPACKED = "the answer could not be unpacked"
CUT = "the connection was cut"
NOT_HTTP = "the answer is not valid HTTP; a proxy may have written it"
TOOK_TOO_LONG = "it was not whole within the total_timeout; what came, came too slowly"

UNKNOWN_NAME = (
    "its host name is not known to DNS. Check the spelling of the connection's host, and that this machine can resolve "
    "names of the internet."
)
CONNECT_TIMED_OUT = (
    "no connection was made within the connect_timeout. A firewall may swallow it: check the connection's host and "
    "port (443 for https if it is empty), and whether this machine needs a proxy (HTTPS_PROXY)."
)
_NO_ROUTE = (
    "there is no route to it from this machine. Check its network, whether it needs a proxy (HTTPS_PROXY), and the "
    "connection's host."
)
_NOBODY_LISTENS = (
    "the connection was refused; nothing listens there. Check the connection's host and port (443 for https if it is "
    "empty), and that the server is running."
)
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
        "its certificate has expired. Check the clock of this machine; if it is right, the operator of that server or "
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
_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH)


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer.

    :param what: What happened and what to do.
    :param hopeless: It will be the same next time.
    :param connected: Whether a connection was made, so that the request may have arrived.
    :param timed_out: Whether it arrived, but its answer took too long.
    :param too_much: Whether an answer came that is larger than what is taken.
    """

    what: str
    hopeless: bool = False
    connected: bool = True
    timed_out: bool = False
    too_much: bool = False


def cannot_ask(host: str, why: str) -> Failure:
    """The settings are such that nothing can be sent.

    :param why: ``PROXY_UNUSABLE`` and the like.
    """
    return Failure(f"No request to {host} can be made: {why}.", hopeless=True, connected=False)


def no_certificates(host: str) -> Failure:
    """The certificates to trust cannot be read."""
    return Failure(_CERTIFICATES_UNREADABLE.format(host=host), hopeless=True, connected=False)


def not_connected(host: str, why: str) -> Failure:
    """No connection was made.

    :param why: ``UNKNOWN_NAME``, ``CONNECT_TIMED_OUT``, or of `refused_by`.
    """
    return Failure(f"No answer from {host}: {why}", connected=False)


def refused_by(cause: BaseException | None) -> str:
    """Why the system made no connection.

    :param cause: What it raised, if that is known.
    """
    return _NO_ROUTE if getattr(cause, "errno", None) in _UNREACHABLE else _NOBODY_LISTENS


def lost(host: str, how: str = CUT) -> Failure:
    """The request was sent, or a part of it, and no answer came.

    :param how: ``TIMED_OUT``, ``BROKEN_OFF``, ``NOT_UNPACKED``, ``NOT_HTTP`` or ``CUT``.
    """
    return Failure(f"No answer from {host} ({how}).", timed_out=how == TIMED_OUT)


def too_slow(host: str) -> Failure:
    """The attempt as a whole took too long, though the connection was never silent for long."""
    return Failure(f"No answer from {host} ({TOOK_TOO_LONG}).", timed_out=True)


def too_much(host: str, most: int) -> Failure:
    """The answer is larger than what is taken.

    :param most: The limit in bytes.
    """
    return Failure(
        f"The answer of {host} is larger than {most // 2**20} MiB (unpacked), which is the most that is taken for this "
        "operation. Ask for less at once.",
        too_much=True,
    )


def tls_was_cut(cause: ssl.SSLError | None) -> bool:
    """Whether the peer only went away, which counts as an error of TLS as well."""
    return isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError)


def no_tls(host: str, cause: ssl.SSLError | None) -> Failure:
    """No TLS connection was agreed on, so nothing was sent."""
    return Failure(_tls_refusal(cause, host), hopeless=True, connected=False)


def _tls_refusal(cause: ssl.SSLError | None, host: str) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"No trusted TLS connection to {host}: {_CERTIFICATE_ADVICE.get(cause.verify_code, _UNKNOWN_AUTHORITY)}"
    if cause is not None and cause.library in _OF_OUR_OWN_FILES:
        return _CERTIFICATES_UNREADABLE.format(host=host)
    if cause is not None and cause.reason in _NO_TLS:
        return (
            f"What listens at {host} speaks no TLS. Check the connection's port (443 if it is empty); if it is meant "
            "to be plain http (an emulator on this machine, say), write http:// in front of host."
        )
    reason = f" ({cause.reason})" if cause is not None and cause.reason else ""
    return (
        f"No TLS connection to {host} can be agreed on{reason}. Check the connection's host and port, its ca_bundle, "
        "and any proxy on the way."
    )


def tunnel_refused(host: str, status: str) -> Failure:
    """The proxy was reached and makes no connection to Encord.

    :param status: The HTTP status that it gave.
    """
    if status == "407":
        return Failure(PROXY_WANTS_A_LOGIN.format(host=host), hopeless=True, connected=False)
    return Failure(
        f"The proxy of this machine refuses to connect to {host} (HTTP {status}). Have it allowed there, or list the "
        "host in the variable NO_PROXY if it is reached without the proxy.",
        connected=False,
    )


def proxy_not_reached(host: str) -> Failure:
    """The proxy is not there, or hung up before it had made a connection."""
    return Failure(
        f"The proxy of this machine was not reached, so nothing was sent to {host}. Check the variables HTTPS_PROXY "
        "and ALL_PROXY where Airflow runs, or list the host in NO_PROXY if it is reached without a proxy.",
        connected=False,
    )
