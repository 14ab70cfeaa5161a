"""Files on their way to and from signed URLs: with their length, checked, and of safe addresses only."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
import socket
import urllib.parse
from collections.abc import Mapping
from typing import BinaryIO

from airflow_provider_encord.client.call import Downloaded, Transfer, Writer
from airflow_provider_encord.client.errors import InvalidArgumentError, RefusedError, UnavailableError
from airflow_provider_encord.client.transport.settings import is_loopback

BLOCK = 1 << 20  # bytes to read at once
_OF_S3 = "AES256"  # encryption with keys of S3, which does not change the ETag


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


class NotWrittenError(Exception):
    """What was received could not be written.

    :param error: Why.
    """

    def __init__(self, error: OSError):
        super().__init__(str(error))
        self.error = error


class ReceivedFile:
    """A file that is received, with its checksums.

    :param writer: Gets the bytes.
    :param size: The expected size; None if it is not known.
    """

    def __init__(self, writer: Writer, size: int | None):
        self._writer, self._expected = writer, size
        self._size = 0
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)

    def write(self, block: bytes) -> None:
        """Write a block, unless the file is longer than expected: then there is no need for the rest.

        :raises RefusedError: It is longer.
        """
        self._size += len(block)
        if self._expected is not None and self._size > self._expected:
            raise self._of_another_size(f"more than {self._expected}")
        self._sha256.update(block)
        self._md5.update(block)
        try:
            self._writer.write(block)
        except OSError as error:  # an error of the target; `requests` would treat it as an error of the connection
            raise NotWrittenError(error) from None

    def end(self, title: str, headers: Mapping[str, str], *, has_end: bool = True) -> Downloaded:
        """Check the whole file.

        :param headers: Headers of the response; of the common object stores, they state an MD5.
        :param has_end: Whether the end of the file was stated, and arrived. Otherwise the connection was closed.
        :raises RefusedError: It is shorter than expected, although it is complete.
        :raises UnavailableError: It arrived damaged, or it may have broken off.
        """
        if self._expected is not None and self._size != self._expected:
            if not has_end:
                raise UnavailableError(
                    f"The connection was closed after {self._size} of {self._expected} bytes of {title}."
                )
            raise self._of_another_size(str(self._size))
        stated = stated_md5(headers)
        if stated is not None and stated != self._md5.hexdigest():
            raise UnavailableError(f"{title} was damaged on its way: its MD5 is not the one that the store states.")
        return Downloaded(
            size=self._size,
            sha256=self._sha256.hexdigest(),
            md5_matched=stated is not None,
            length_known=has_end or self._expected is not None or stated is not None,
        )

    def _of_another_size(self, received: str) -> RefusedError:
        return RefusedError(
            f"The file has {received} bytes, but Encord states {self._expected}. It may have been replaced in its "
            "bucket after it was registered."
        )


def states_end(headers: Mapping[str, str]) -> bool:
    """Whether a response states where its body ends: by a length, or by chunks, of which the last one is marked."""
    chunked = headers.get("transfer-encoding", "").lower().strip().endswith("chunked")
    return chunked or headers.get("content-length", "").strip().isdecimal()


def stated_md5(headers: Mapping[str, str]) -> str | None:
    """The MD5 of a file according to an object store, hexadecimal; None if the store does not state one.

    Azure states it as ``Content-MD5``, Google Cloud as ``x-goog-hash``. The ``ETag`` of S3 is the MD5 only of files
    that were uploaded in one part and are not encrypted with a key of KMS or of the customer.
    """
    of_google = re.search(r"md5=([A-Za-z0-9+/=]+)", headers.get("x-goog-hash", ""))
    encoded = headers.get("content-md5") or (of_google[1] if of_google else None)
    if encoded is not None:
        try:
            return base64.b64decode(encoded, validate=True).hex()
        except ValueError:
            return None
    tag = re.fullmatch(r'"([0-9a-f]{32})"', headers.get("etag", ""))
    plain = headers.get("x-amz-server-side-encryption", _OF_S3) == _OF_S3
    of_s3 = "x-amz-request-id" in headers and "x-amz-server-side-encryption-customer-algorithm" not in headers
    return tag[1] if tag and plain and of_s3 else None


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
    """Check that a signed URL is safe to use. The URL comes from a server, so it is not trusted.

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
        raise RefusedError(f"Encord returned an address for {title} that is not a URL. Report it to Encord.") from None
    if parts.scheme not in ("https", "http") or not host:
        raise RefusedError(f"Encord returned an address for {title} that is not an https URL. Report it to Encord.")
    where = f"Encord returned the address {parts.scheme}://{host} for {title}"
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
