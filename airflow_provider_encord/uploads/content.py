"""Reading a file's bytes for an upload. The checksum is computed at the same time, so that no file is read twice."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from types import TracebackType
from typing import Any, BinaryIO, cast

from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError, UnavailableError
from airflow_provider_encord.sources.files import SourceFile

_BLOCK = 1 << 20  # bytes; the transport reads little at a time, and each read from an object store is expensive


class Content:
    """The bytes of one file.

    :param file: The file. It may be opened several times, once for each attempt to send it.
    """

    def __init__(self, file: SourceFile):
        self._file = file
        self._sha256: str | None = None

    @property
    def sha256(self) -> str | None:
        """SHA-256 (hexadecimal) of the bytes that the last attempt sent; None unless it sent the whole file."""
        return self._sha256

    def open(self) -> BinaryIO:
        """Open the file.

        :raises EncordError: The file cannot be read. One bad file must not stop the others, so all exceptions of the
            file's store are converted.
        """
        self._sha256 = None
        try:
            stream = self._file.path.open("rb")
        except Exception as error:  # noqa: BLE001 - drivers of object stores raise what they like
            raise _unreadable(self._file, error) from None
        return cast("BinaryIO", _Reader(stream, self))

    def _read(self, stream: Any) -> bytes:
        try:
            return bytes(stream.read(_BLOCK))
        except Exception as error:  # noqa: BLE001 - as above
            raise _unreadable(self._file, error) from None

    def _take_digest(self, size: int, sha256: str) -> None:
        if size == self._file.size:
            self._sha256 = sha256


class _Reader:
    """Reads large blocks from the store, and returns small ones."""

    def __init__(self, stream: Any, content: Content):
        self._stream, self._content = stream, content
        self._digest = hashlib.sha256()
        self._size = 0
        self._block = memoryview(b"")

    def __enter__(self) -> _Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        if kind is None:
            self._content._take_digest(self._size, self._digest.hexdigest())

    def read(self, size: int) -> bytes:
        if not self._block:
            self._block = memoryview(self._content._read(self._stream))
            self._digest.update(self._block)
            self._size += len(self._block)
        given, self._block = self._block[:size], self._block[size:]
        return bytes(given)


def checksum_of(file: SourceFile) -> str:
    """The SHA-256 of a file, in hexadecimal, by reading it; of a group, see `joined_checksum`.

    :raises EncordError: It cannot be read.
    """
    checksums = []
    for part in file.files:
        content = Content(part)
        with content.open() as stream:
            while stream.read(_BLOCK):
                pass
        checksums.append(content.sha256)
    joined = joined_checksum(checksums)
    if joined is None:
        raise UnavailableError(f"{file.uri} changed its size while it was read; run the task again.")
    return joined


def joined_checksum(checksums: Sequence[str | None]) -> str | None:
    """The checksum of a unit: of one file its own, of several that of their checksums, one a line."""
    known = [checksum for checksum in checksums if checksum is not None]
    if len(known) < len(checksums):
        return None
    if len(known) == 1:
        return known[0]
    return hashlib.sha256("".join(f"{checksum}\n" for checksum in known).encode()).hexdigest()


def _unreadable(file: SourceFile, error: Exception) -> EncordError:
    """The error of ours; without the text of theirs, which may quote a signed URL."""
    if isinstance(error, FileNotFoundError):
        return InvalidArgumentError(f"{file.uri} does not exist any more.")
    if isinstance(error, PermissionError):
        return InvalidArgumentError(f"{file.uri} may not be read by this worker. Check its permissions.")
    reason = getattr(error, "strerror", None) or type(error).__name__
    return UnavailableError(f"{file.uri} cannot be read: {reason}.")
