"""Decompressing the body of a response while it arrives, so that no more than the limit is ever in memory.

One byte of ``gzip`` can become a thousand bytes, and the HTTP libraries decompress without a limit. So both transports
read the compressed bytes and decompress them here, in small steps.
"""

from __future__ import annotations

import zlib
from typing import Any

from airflow_provider_encord.client.item_stream import ItemStream

_STEP = 2**20  # bytes to decompress at once
_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


class TooMuchError(Exception):
    """The body is larger than its limit.

    :param most: The limit in bytes.
    """

    def __init__(self, most: int):
        super().__init__(most)
        self.most = most


class NotUnpackedError(Exception):
    """The body is not compressed as its ``Content-Encoding`` says, or it is cut off."""


class Content:
    """A body that arrives in pieces.

    :param encoding: The header ``Content-Encoding``.
    :param most: Maximum size in bytes after decompression.
    :param stream: Takes items out of the body; `end` returns the rest.
    """

    def __init__(self, encoding: str, most: int, stream: ItemStream[Any] | None = None):
        self._most = most
        self._stream = stream
        self._parts: list[bytes] = []
        self._unpacked = self._received = 0
        self._unpacker = _unpacker(encoding)

    def add(self, piece: bytes) -> None:
        """Add a piece that has arrived.

        :raises TooMuchError: The body is larger than the limit.
        :raises NotUnpackedError: The body cannot be decompressed.
        """
        self._received += len(piece)
        if self._received > self._most:  # also if decompression returns nothing
            raise TooMuchError(self._most)
        if self._unpacker is None:
            self._take(piece)
            return
        while piece:
            self._take(self._unpacker.unpack(piece))
            piece = self._unpacker.rest

    def end(self) -> bytes:
        """Return the whole body, or what `stream` has left of it.

        :raises NotUnpackedError: The body is cut off.
        """
        if self._unpacker is not None and self._received and not self._unpacker.ended:
            raise NotUnpackedError
        return self._stream.end() if self._stream else b"".join(self._parts)

    def _take(self, unpacked: bytes) -> None:
        self._unpacked += len(unpacked)
        if self._unpacked > self._most:
            self._parts.clear()
            raise TooMuchError(self._most)
        if self._stream:
            self._stream.add(unpacked)
        elif unpacked:
            self._parts.append(unpacked)


class _Unpacker:
    """Decompresses step by step. The body may consist of several compressed parts; other bytes at the end are ignored.

    :param windows: Values for the window bits of `zlib`; the first value that can decompress the first bytes is used.
    """

    def __init__(self, *windows: int):
        self._windows = windows
        self._inner = zlib.decompressobj(windows[0])
        self._begun = False
        self._whole = 0
        self.rest = b""

    @property
    def ended(self) -> bool:
        """Whether the input so far is complete."""
        return self._inner.eof or (self._whole > 0 and not self._begun)

    def unpack(self, piece: bytes) -> bytes:
        """Decompress a part of a piece. Pass `rest` to the next call."""
        if self._inner.eof:
            self._whole += 1
            self._begun = False
            self._inner = zlib.decompressobj(self._windows[0])
        try:
            unpacked = self._inner.decompress(piece, _STEP)
        except zlib.error:
            if self._whole and not self._begun:
                self.rest = b""
                return b""
            if self._begun or len(self._windows) == 1:
                raise NotUnpackedError from None
            self._windows = self._windows[1:]
            self._inner = zlib.decompressobj(self._windows[0])
            return self.unpack(piece)
        self._begun = self._begun or bool(unpacked) or not self._whole
        self.rest = self._inner.unused_data or self._inner.unconsumed_tail
        return unpacked


def _unpacker(encoding: str) -> _Unpacker | None:
    """The decompressor for a ``Content-Encoding``; None without compression.

    :raises NotUnpackedError: The request did not allow this encoding.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return _Unpacker(_GZIP)
        case "deflate":  # with and without a header: servers do both
            return _Unpacker(_ZLIB, _RAW)
    raise NotUnpackedError
