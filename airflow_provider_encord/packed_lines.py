"""Stream the lines of a file, which may be compressed (``.gz``, ``.zst``).

A compressed file must be complete. If it was cut off, even between two blocks, that is an error.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError
from airflow_provider_encord.storage_paths import StoragePath, storage_errors

_BLOCK = 2**20
_GZIP = 31  # zlib's window bits for the format
_PACKED_BLOCK = 2**13  # small, because a few bytes of Zstandard can expand to 128 KiB


class DamagedFileError(EncordError):
    """A file is cut off, or its compression does not match its name. A retry does not help."""


def lines_of(path: StoragePath, argument: str, *, observe: Callable[[bytes], object] | None = None) -> Iterator[bytes]:
    """Yield the lines, without their newlines. The file may consist of several concatenated compressed files.

    :param path: The file. The end of its name says how it is compressed.
    :param argument: Name of the argument for the path, for error messages.
    :param observe: Called with each block of the file before decompression, for example to compute a checksum.
    :raises DamagedFileError: The file is damaged.
    :raises InvalidArgumentError: The file does not exist, or a library for it is not installed.
    :raises UnavailableError: The disk or the object store cannot be used now.
    """
    begun: list[bytes] = []
    for block in unpacked(path, argument, observe=observe):
        first, *others = block.split(b"\n")
        begun.append(first)
        if others:
            yield b"".join(begun)
            yield from others[:-1]
            begun = [others[-1]]
    if rest := b"".join(begun):
        yield rest


def unpacked(path: StoragePath, argument: str, *, observe: Callable[[bytes], object] | None = None) -> Iterator[bytes]:
    """Yield the content of a file in blocks, decompressed.

    For the parameters and errors, see `lines_of`.
    """
    with storage_errors(argument, path):
        yield from _unpacked(path, observe)


def _unpacked(path: StoragePath, observe: Callable[[bytes], object] | None) -> Iterator[bytes]:
    opened: Any = path.open("rb")
    file = opened if observe is None else _Observed(opened, observe)
    try:
        if path.name.endswith(".gz"):
            yield from _members(file, path, _Gzip, zlib.error)
        elif path.name.endswith(".zst"):
            zstandard = _zstandard(path)
            decompressor = zstandard.ZstdDecompressor()
            yield from _members(file, path, lambda: _Zstandard(decompressor), zstandard.ZstdError)
        else:
            while block := file.read(_BLOCK):
                yield block
    finally:
        opened.close()


class _Observed:
    """A file that passes each block to a callback when it is read."""

    def __init__(self, file: Any, observe: Callable[[bytes], object]):
        self._file, self._observe = file, observe

    def read(self, size: int) -> bytes:
        block: bytes = self._file.read(size)
        self._observe(block)
        return block


class _Member(Protocol):
    """Decompresses one gzip member, or one Zstandard frame."""

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """Decompress the next bytes."""

    @property
    def complete(self) -> bool:
        """Whether the end was reached."""

    @property
    def rest(self) -> bytes:
        """The bytes after the end."""


def _members(file: Any, path: StoragePath, new: Callable[[], _Member], error: type[Exception]) -> Iterator[bytes]:
    member, begun, count = new(), False, 0
    try:
        while data := file.read(_PACKED_BLOCK):
            while data:
                if count and not begun:
                    data = data.lstrip(b"\0")  # some tools add zeros as padding
                if not data:
                    break
                begun = True
                yield from member.unpack(data)
                data = b""
                if member.complete:
                    data, member, begun = member.rest, new(), False
                    count += 1
    except error as problem:
        raise DamagedFileError(f"{path} is damaged, or its compression does not match its name: {problem}.") from None
    if begun or not count:
        raise DamagedFileError(f"{path} is damaged: the compressed data is cut off. Copy or create the file again.")


class _Gzip:
    def __init__(self) -> None:
        self._object = zlib.decompressobj(_GZIP)

    def unpack(self, data: bytes) -> Iterator[bytes]:
        while data and not self._object.eof:
            if block := self._object.decompress(data, _BLOCK):
                yield block
            data = self._object.unconsumed_tail

    @property
    def complete(self) -> bool:
        return self._object.eof

    @property
    def rest(self) -> bytes:
        return self._object.unused_data


class _Zstandard:
    def __init__(self, decompressor: Any):
        self._object = decompressor.decompressobj()

    def unpack(self, data: bytes) -> Iterator[bytes]:
        if block := self._object.decompress(data):
            yield block

    @property
    def complete(self) -> bool:
        return bool(self._object.eof)

    @property
    def rest(self) -> bytes:
        return bytes(self._object.unused_data)


def _zstandard(path: StoragePath) -> Any:
    try:
        import zstandard
    except ImportError:
        raise InvalidArgumentError(
            f"{path} cannot be read, because zstandard is not installed. Run "
            "`pip install 'airflow-provider-encord[zstd]'`."
        ) from None
    return zstandard
