"""The failures of a request without a response: the message, and whether the request was sent and a retry can help.

The messages are written here and nothing of the original exception is kept: exceptions of `requests` and `httpx`
contain the request with its credentials, and their texts may quote URLs. `sync_failures` and `async_failures` find out
which failure it is.
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
HOST_UNUSABLE = "the host is not a valid host name: check the connection's host"
HEADER_UNUSABLE = "a header contains characters that cannot be sent"

TIMED_OUT = "nothing came within the read_timeout"
BROKEN_OFF = "the answer broke off"
NOT_UNPACKED = "the answer could not be decompressed"
CUT = "the connection was cut"
NOT_HTTP = "the answer is not valid HTTP; a proxy may have written it"
TOOK_TOO_LONG = "it was not complete within the total_timeout; the bytes came too slowly"

UNKNOWN_NAME = (
    "its host name is not known to DNS. Check the spelling of the connection's host, and whether this machine can "
    "resolve names of the internet."
)
CONNECT_TIMED_OUT = (
    "no connection was made within the connect_timeout. A firewall may block it: check the connection's host and "
    "port (443 for https if it is empty), and whether this machine needs a proxy (HTTPS_PROXY)."
)
_NO_ROUTE = (
    "there is no route to it from this machine. Check its network, whether it needs a proxy (HTTPS_PROXY), and the "
    "connection's host."
)
_NOBODY_LISTENS = (
    "the connection was refused; no server listens there. Check the connection's host and port (443 for https if it is "
    "empty), and whether the server is running."
)
_NOT_VALID_YET, _EXPIRED, _OTHER_NAME, _OTHER_ADDRESS = 9, 10, 62, 64  # of OpenSSL: X509_V_ERR_...
_UNKNOWN_AUTHORITY = (
    "its certificate is signed by an authority that this machine does not trust. Set the connection's ca_bundle to the "
    "path of a PEM file with the certificates of that authority (your company's, or a proxy's). If ca_bundle is set "
    "already, its file does not contain them."
)
_OF_ANOTHER_NAME = (
    "its certificate is made for another name. Set the connection's host to the name in the certificate. If host is "
    "correct, a proxy or a wrong DNS entry led to another server."
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
# OpenSSL's error names for bytes that are not TLS; they differ between releases.
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")
_OF_OUR_OWN_FILES = ("PEM", "X509")  # parts of OpenSSL that read certificates from files
_CERTIFICATES_UNREADABLE = (
    "Cannot send a request to {host}: the certificates to trust cannot be read. Check that the connection's ca_bundle, "
    "or the environment variable REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE, is the path of a PEM file with certificates."
)
_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH)


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no response.

    :param what: What happened and what to do.
    :param hopeless: Whether a retry cannot help.
    :param connected: Whether a connection was made, so that the request may have arrived.
    :param timed_out: Whether the response took too long.
    :param too_much: Whether the response is larger than its limit.
    """

    what: str
    hopeless: bool = False
    connected: bool = True
    timed_out: bool = False
    too_much: bool = False


def cannot_ask(host: str, why: str) -> Failure:
    """With these settings, no request can be sent.

    :param why: ``PROXY_UNUSABLE`` or a similar constant.
    """
    return Failure(f"Cannot send a request to {host}: {why}.", hopeless=True, connected=False)


def no_certificates(host: str) -> Failure:
    """The certificates to trust cannot be read."""
    return Failure(_CERTIFICATES_UNREADABLE.format(host=host), hopeless=True, connected=False)


def not_connected(host: str, why: str) -> Failure:
    """No connection was made.

    :param why: ``UNKNOWN_NAME``, ``CONNECT_TIMED_OUT``, or a result of `refused_by`.
    """
    return Failure(f"No answer from {host}: {why}", connected=False)


def refused_by(cause: BaseException | None) -> str:
    """Why the operating system made no connection.

    :param cause: The exception of the system, if it is known.
    """
    return _NO_ROUTE if getattr(cause, "errno", None) in _UNREACHABLE else _NOBODY_LISTENS


def lost(host: str, how: str = CUT) -> Failure:
    """The request was sent at least in part, and no response came.

    :param how: ``TIMED_OUT``, ``BROKEN_OFF``, ``NOT_UNPACKED``, ``NOT_HTTP`` or ``CUT``.
    """
    return Failure(f"No answer from {host} ({how}).", timed_out=how == TIMED_OUT)


def too_slow(host: str) -> Failure:
    """The whole attempt took too long, although bytes kept arriving."""
    return Failure(f"No answer from {host} ({TOOK_TOO_LONG}).", timed_out=True)


def too_much(host: str, most: int) -> Failure:
    """The response is larger than its limit.

    :param most: The limit in bytes.
    """
    return Failure(
        f"The answer of {host} is larger than {most // 2**20} MiB (decompressed), the limit for this operation. "
        "Request less at once.",
        too_much=True,
    )


def tls_was_cut(cause: ssl.SSLError | None) -> bool:
    """Whether the peer only closed the connection, which OpenSSL reports as a TLS error, too."""
    return isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError)


def no_tls(host: str, cause: ssl.SSLError | None) -> Failure:
    """The TLS handshake failed, so nothing was sent."""
    return Failure(_tls_refusal(cause, host), hopeless=True, connected=False)


def _tls_refusal(cause: ssl.SSLError | None, host: str) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"No trusted TLS connection to {host}: {_CERTIFICATE_ADVICE.get(cause.verify_code, _UNKNOWN_AUTHORITY)}"
    if cause is not None and cause.library in _OF_OUR_OWN_FILES:
        return _CERTIFICATES_UNREADABLE.format(host=host)
    if cause is not None and cause.reason in _NO_TLS:
        return (
            f"The server at {host} does not use TLS. Check the connection's port (443 if it is empty). If it should be "
            "plain http (such as an emulator on this machine), write http:// in front of host."
        )
    reason = f" ({cause.reason})" if cause is not None and cause.reason else ""
    return (
        f"The TLS handshake with {host} failed{reason}. Check the connection's host, port and ca_bundle, and any proxy "
        "on the way."
    )


def tunnel_refused(host: str, status: str) -> Failure:
    """The proxy was reached but does not connect to Encord.

    :param status: The HTTP status of the proxy's response.
    """
    if status == "407":
        return Failure(PROXY_WANTS_A_LOGIN.format(host=host), hopeless=True, connected=False)
    return Failure(
        f"The proxy of this machine refuses to connect to {host} (HTTP {status}). Have the host allowed in the proxy, "
        "or add it to the environment variable NO_PROXY if it can be reached without the proxy.",
        connected=False,
    )


def proxy_not_reached(host: str) -> Failure:
    """The proxy cannot be reached, or closed the connection before it connected to Encord."""
    return Failure(
        f"The proxy of this machine was not reached, so nothing was sent to {host}. Check the environment variables "
        "HTTPS_PROXY and ALL_PROXY where Airflow runs, or add the host to NO_PROXY if it can be reached without a "
        "proxy.",
        connected=False,
    )
