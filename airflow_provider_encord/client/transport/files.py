"""A file on its way to a signed URL: sent with its length, checked to be whole, over a safe address only."""

from __future__ import annotations

import ipaddress
import socket
import urllib.parse
from typing import BinaryIO

from airflow_provider_encord.client.call import Transfer
from airflow_provider_encord.client.errors import InvalidArgumentError, RefusedError, UnavailableError
from airflow_provider_encord.client.transport.settings import is_loopback

BLOCK = 1 << 20  # bytes that are read at once


class SizedFile:
    """A file that says its length, so that it is sent with one and not in chunks, which object stores refuse.

    :param size: Bytes it is said to have.
    :param title: Names it in messages.
    """

    def __init__(self, file: BinaryIO, size: int, title: str):
        self._file, self._size, self._title = file, size, title
        self._read = 0

    def __len__(self) -> int:
        return self._size

    def __bool__(self) -> bool:
        return True  # an empty file is a file

    def __iter__(self) -> SizedFile:
        return self  # makes `requests` stream it

    def __next__(self) -> bytes:
        if block := self.read(BLOCK):
            return block
        raise StopIteration

    def read(self, size: int = -1) -> bytes:
        """Read on, but never more than the file is said to have: more would break the request."""
        left = self._size - self._read
        try:
            block = self._file.read(left if size < 0 else min(size, left))
        except OSError as error:  # not of the connection: `requests` would take it for one
            reason = error.strerror or type(error).__name__
            raise UnavailableError(f"{self._title} could not be read to its end: {reason}.") from None
        self._read += len(block)
        if not block and left:
            raise InvalidArgumentError(f"{self._title} became shorter while it was uploaded: {left} bytes are missing.")
        return block

    def require_whole(self) -> None:
        """Check that the file ended where it should.

        :raises InvalidArgumentError: It has become longer than it was said to be.
        """
        if self._read == self._size and self._file.read(1):
            raise InvalidArgumentError(f"{self._title} became longer while it was uploaded; upload it again.")


def opened(transfer: Transfer) -> BinaryIO:
    """The file of a transfer, open.

    :raises InvalidArgumentError: It is not there, or may not be read.
    :raises UnavailableError: It cannot be read just now.
    """
    try:
        return transfer.open()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise InvalidArgumentError(
            f"{transfer.title} cannot be uploaded: {error.strerror or 'not readable'}."
        ) from None
    except OSError as error:
        raise UnavailableError(f"{transfer.title} cannot be read: {error.strerror or type(error).__name__}.") from None


def require_safe(url: str, title: str, *, base_url: str, allow_http: bool) -> None:
    """Check that a signed URL is one to send data to. It comes from outside, so it is not trusted.

    Plain http is for an emulator: to the loopback if the API is there, too, and elsewhere only if `allow_http` is set.
    A link-local address (as clouds have their metadata services on) is never one of an object store.

    :param base_url: Of the API that gave the URL.
    :raises RefusedError: It is not a URL, or not safe.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise RefusedError(f"Encord wants {title} sent to what is not a URL. Report it to Encord.") from None
    if parts.scheme not in ("https", "http") or not host:
        raise RefusedError(f"Encord wants {title} sent to what is not a URL of https. Report it to Encord.")
    where = f"Encord wants {title} sent to {parts.scheme}://{host}"
    if _is_never_an_object_store(host):
        raise RefusedError(f"{where}, which is an address that no object store has. Report it to Encord.")
    if parts.scheme == "https":
        return
    here = _is_this_machine(host)
    if here and not is_loopback(urllib.parse.urlsplit(base_url).hostname or ""):
        raise RefusedError(f"{where}, which is this machine, and the API is not on it. Report it to Encord.")
    if not (allow_http or here):
        raise RefusedError(f"{where}, which is not https. Set the connection's allow_http if that is meant.")


def _is_this_machine(host: str) -> bool:
    """Whether it is the loopback, in whatever spelling."""
    address = _address(host)
    if address is None:
        return f".{host.rstrip('.').lower()}".endswith(".localhost")
    return address.is_loopback


def _is_never_an_object_store(host: str) -> bool:
    """Whether it is an address that is for no service: link-local (cloud metadata), unspecified, multicast."""
    address = _address(host)
    if address is None:
        return host.rstrip(".").lower() == "metadata.google.internal"
    return address.is_link_local or address.is_unspecified or address.is_multicast


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host name is, also in the spellings that only the system knows (``127.1``, ``0x7f000001``)."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
        except (OSError, UnicodeError, ValueError):
            return None
    return getattr(address, "ipv4_mapped", None) or address
