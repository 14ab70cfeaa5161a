"""The body of an answer, unpacked while it arrives, so that no more than its limit is ever in memory.

``gzip`` makes up to a thousand bytes out of one, and the libraries unpack whatever comes. So both transports take the
bytes as they are on the wire and unpack them here, in small steps.
"""

from __future__ import annotations

import zlib
from typing import Any

from airflow_provider_encord.client.item_stream import ItemStream

_STEP = 2**20  # bytes that are unpacked at once
_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


class TooMuchError(Exception):
    """The body is larger than its limit.

    :param most: The limit, in bytes.
    """

    def __init__(self, most: int):
        super().__init__(most)
        self.most = most


class NotUnpackedError(Exception):
    """The body is not packed as its ``Content-Encoding`` says, or ends in the middle."""


class Content:
    """A body that arrives piece by piece.

    :param encoding: The header ``Content-Encoding``.
    :param most: How many bytes to take at most, unpacked.
    :param stream: Takes items out of it; `end` gives the rest.
    """

    def __init__(self, encoding: str, most: int, stream: ItemStream[Any] | None = None):
        self._most = most
        self._stream = stream
        self._parts: list[bytes] = []
        self._unpacked = self._received = 0
        self._unpacker = _unpacker(encoding)

    def add(self, piece: bytes) -> None:
        """Take what arrived.

        :raises TooMuchError: It is more than the limit.
        :raises NotUnpackedError: It cannot be unpacked.
        """
        self._received += len(piece)
        if self._received > self._most:  # also where nothing comes out of it
            raise TooMuchError(self._most)
        if self._unpacker is None:
            self._take(piece)
            return
        while piece:
            self._take(self._unpacker.unpack(piece))
            piece = self._unpacker.rest

    def end(self) -> bytes:
        """All of it.

        :raises NotUnpackedError: It ends in the middle.
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
    """Unpacks step by step. Several packed parts may follow each other; what follows and is none is left out.

    :param windows: What `zlib` calls window bits; the first value that can unpack the first bytes is used.
    """

    def __init__(self, *windows: int):
        self._windows = windows
        self._inner = zlib.decompressobj(windows[0])
        self._begun = False
        self._whole = 0
        self.rest = b""

    @property
    def ended(self) -> bool:
        """Whether what came is whole."""
        return self._inner.eof or (self._whole > 0 and not self._begun)

    def unpack(self, piece: bytes) -> bytes:
        """Unpack a part of it; `rest` is what to give next."""
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
    """What unpacks a ``Content-Encoding``; None if nothing is packed.

    :raises NotUnpackedError: It is one that was not asked for.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return _Unpacker(_GZIP)
        case "deflate":  # with and without a header: servers do both
            return _Unpacker(_ZLIB, _RAW)
    raise NotUnpackedError
