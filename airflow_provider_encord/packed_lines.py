"""Lines of a file, plain or packed as its name says (``.gz``, ``.zst``), one after the other and never all at once.

A packed file must be complete: one that was cut, even between two blocks, is an error and not a shorter file.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError
from airflow_provider_encord.storage_paths import StoragePath, storage_errors

_BLOCK = 2**20
_GZIP = 31  # zlib's window bits for the format
_PACKED_BLOCK = 2**13  # a few bytes of Zstandard may stand for 128 KiB, so this many for some hundred MB at most


class DamagedFileError(EncordError):
    """It ends early, or is not packed as its name says. A retry does not help."""


def lines_of(path: StoragePath, argument: str, *, observe: Callable[[bytes], object] | None = None) -> Iterator[bytes]:
    """The lines, without their newlines; also of a file that was put together of several packed ones.

    :param argument: The argument that the path comes from, for messages.
    :param observe: Called with each block as it is in the file, such as the `update` of a checksum.
    :raises DamagedFileError: It is damaged.
    :raises InvalidArgumentError: It is not there, or needs a library that is not installed.
    :raises UnavailableError: The disk or the store cannot be used now.
    """
    begun: list[bytes] = []
    with storage_errors(argument, path):
        for block in _unpacked(path, observe):
            first, *others = block.split(b"\n")
            begun.append(first)
            if others:
                yield b"".join(begun)
                yield from others[:-1]
                begun = [others[-1]]
        if rest := b"".join(begun):
            yield rest


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
    """A file that shows each block that is read."""

    def __init__(self, file: Any, observe: Callable[[bytes], object]):
        self._file, self._observe = file, observe

    def read(self, size: int) -> bytes:
        block: bytes = self._file.read(size)
        self._observe(block)
        return block


class _Member(Protocol):
    """Unpacks one gzip member, or one Zstandard frame."""

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """What is in the next bytes."""

    @property
    def complete(self) -> bool:
        """Whether its end has come."""

    @property
    def rest(self) -> bytes:
        """The bytes after its end."""


def _members(file: Any, path: StoragePath, new: Callable[[], _Member], error: type[Exception]) -> Iterator[bytes]:
    member, begun, count = new(), False, 0
    try:
        while data := file.read(_PACKED_BLOCK):
            while data:
                if count and not begun:
                    data = data.lstrip(b"\0")  # some tools fill up with zeros
                if not data:
                    break
                begun = True
                yield from member.unpack(data)
                data = b""
                if member.complete:
                    data, member, begun = member.rest, new(), False
                    count += 1
    except error as problem:
        raise DamagedFileError(f"{path} is damaged, or not packed as its name says: {problem}.") from None
    if begun or not count:
        raise DamagedFileError(
            f"{path} is damaged: it is cut off, before the end of what it packs. Copy or make the file again."
        )


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
            f"{path} needs zstandard, which is not installed: `pip install 'airflow-provider-encord[zstd]'`."
        ) from None
    return zstandard
