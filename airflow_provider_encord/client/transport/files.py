"""A file on its way to a signed URL: sent with its length, checked to be whole, over a safe address only."""

from __future__ import annotations

import urllib.parse
from typing import BinaryIO

from airflow_provider_encord.client.call import Transfer
from airflow_provider_encord.client.errors import InvalidRequestError, RefusedError, UnavailableError
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
            raise InvalidRequestError(f"{self._title} became shorter while it was uploaded: {left} bytes are missing.")
        return block

    def require_whole(self) -> None:
        """Check that the file ended where it should.

        :raises InvalidRequestError: It has become longer than it was said to be.
        """
        if self._read == self._size and self._file.read(1):
            raise InvalidRequestError(f"{self._title} became longer while it was uploaded; upload it again.")


def opened(transfer: Transfer) -> BinaryIO:
    """The file of a transfer, open.

    :raises InvalidRequestError: It is not there, or may not be read.
    :raises UnavailableError: It cannot be read just now.
    """
    try:
        return transfer.open()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise InvalidRequestError(f"{transfer.title} cannot be uploaded: {error.strerror or 'not readable'}.") from None
    except OSError as error:
        raise UnavailableError(f"{transfer.title} cannot be read: {error.strerror or type(error).__name__}.") from None


def require_safe(url: str, title: str, *, allow_http: bool) -> None:
    """Check that a signed URL is one to send data to.

    :raises RefusedError: It is neither https nor on the loopback, and plain http is not allowed.
    """
    parts = urllib.parse.urlsplit(url)
    plain = parts.scheme == "http" and (allow_http or is_loopback(parts.hostname or ""))
    if parts.scheme != "https" and not plain:
        raise RefusedError(
            f"Encord wants {title} sent to {parts.scheme}://{parts.hostname}, which is not https. "
            "Set the connection's allow_http if that is meant."
        )
