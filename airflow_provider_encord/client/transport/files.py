"""Uploading a file to a signed URL: with its length, checked for completeness, and to safe addresses only."""

from __future__ import annotations

import ipaddress
import socket
import urllib.parse
from typing import BinaryIO

from airflow_provider_encord.client.call import Transfer
from airflow_provider_encord.client.errors import InvalidArgumentError, RefusedError, UnavailableError
from airflow_provider_encord.client.transport.settings import is_loopback

BLOCK = 1 << 20  # bytes to read at once


class SizedFile:
    """A file with a known length. Without a length, it would be sent in chunks, which object stores refuse.

    :param size: Expected size in bytes.
    :param title: Name of the file, for messages.
    """

    def __init__(self, file: BinaryIO, size: int, title: str):
        self._file, self._size, self._title = file, size, title
        self._read = 0

    def __len__(self) -> int:
        return self._size

    def __bool__(self) -> bool:
        return True  # also if the file is empty

    def __iter__(self) -> SizedFile:
        return self  # makes `requests` stream it

    def __next__(self) -> bytes:
        if block := self.read(BLOCK):
            return block
        raise StopIteration

    def read(self, size: int = -1) -> bytes:
        """Read the next bytes, but never more than the expected size: more would make the request invalid."""
        left = self._size - self._read
        try:
            block = self._file.read(left if size < 0 else min(size, left))
        except OSError as error:  # an error of the file; `requests` would treat it as an error of the connection
            reason = error.strerror or type(error).__name__
            raise UnavailableError(f"{self._title} could not be read completely: {reason}.") from None
        self._read += len(block)
        if not block and left:
            raise InvalidArgumentError(
                f"{self._title} became shorter while it was uploaded: {left} bytes are missing. Upload it again."
            )
        return block

    def require_whole(self) -> None:
        """Check that the file has no bytes after its expected end.

        :raises InvalidArgumentError: The file is longer than expected.
        """
        if self._read == self._size and self._file.read(1):
            raise InvalidArgumentError(f"{self._title} became longer while it was uploaded. Upload it again.")


def opened(transfer: Transfer) -> BinaryIO:
    """Open the file of a transfer.

    :raises InvalidArgumentError: The file does not exist, or this user may not read it.
    :raises UnavailableError: The file cannot be read at the moment.
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
    """Check that it is safe to send data to a signed URL. The URL comes from a server, so it is not trusted.

    Plain http is only for emulators: it is allowed to this machine if the API is on this machine, too, and to other
    machines only if `allow_http` is set. A link-local address (used by the metadata services of clouds) is never an
    object store.

    :param base_url: Base URL of the API that returned the signed URL.
    :raises RefusedError: It is not a URL, or not safe.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise RefusedError(
            f"Encord returned an upload address for {title} that is not a URL. Report it to Encord."
        ) from None
    if parts.scheme not in ("https", "http") or not host:
        raise RefusedError(
            f"Encord returned an upload address for {title} that is not an https URL. Report it to Encord."
        )
    where = f"Encord returned the upload address {parts.scheme}://{host} for {title}"
    if _is_never_an_object_store(host):
        raise RefusedError(f"{where}, but no object store has such an address. Report it to Encord.")
    if parts.scheme == "https":
        return
    here = _is_this_machine(host)
    if here and not is_loopback(urllib.parse.urlsplit(base_url).hostname or ""):
        raise RefusedError(f"{where}, which is this machine, but the API is on another machine. Report it to Encord.")
    if not (allow_http or here):
        raise RefusedError(f"{where}, which is not https. Set the connection's allow_http if this is intended.")


def _is_this_machine(host: str) -> bool:
    """Whether a host is this machine (the loopback), in any spelling."""
    address = _address(host)
    if address is None:
        return f".{host.rstrip('.').lower()}".endswith(".localhost")
    return address.is_loopback


def _is_never_an_object_store(host: str) -> bool:
    """Whether an object store cannot have this address: link-local (cloud metadata), unspecified, multicast."""
    address = _address(host)
    if address is None:
        return host.rstrip(".").lower() == "metadata.google.internal"
    return address.is_link_local or address.is_unspecified or address.is_multicast


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address in a host name, also in spellings that only the system accepts (``127.1``, ``0x7f000001``)."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
        except (OSError, UnicodeError, ValueError):
            return None
    return getattr(address, "ipv4_mapped", None) or address
