"""Label rows as Encord sent them, one per line; and compression.

Rows are not parsed. A newline cannot occur inside a JSON string, so newlines between tokens are replaced by blanks, and
all other bytes are kept. (U+2028 may occur inside a string. It ends a line for `str.splitlines`, but not in JSON
Lines.)
"""

from __future__ import annotations

import zlib
from typing import Any

from airflow_provider_encord.client.api.labels import LabelRow
from airflow_provider_encord.storage_paths import BinaryWriter

_GZIP = 31  # zlib's window bits for gzip. It writes no time, so the same rows always give the same bytes.
_GZIP_LEVEL = 4  # files are a fifth larger than with the highest level, but it is four times as fast
_ZSTANDARD_LEVEL = 3


def one_line(row: bytes) -> bytes:
    """A JSON value in one line, without the newline at its end."""
    return row.replace(b"\n", b" ").replace(b"\r", b" ")


class JsonLinesEncoder:
    """See `formats.Encoder`."""

    def __init__(self, file: BinaryWriter):
        self._file = file

    def write(self, row: LabelRow) -> None:
        """Add a label row."""
        self._file.write(one_line(bytes(row.content)))
        self._file.write(b"\n")

    def finish(self) -> dict[str, int]:
        """JSON supports all items, so nothing is counted."""
        return {}


class Compressing:
    """A file whose content is compressed.

    :param compress: An object of `zlib` or `zstandard`, with ``compress`` and ``flush``.
    """

    def __init__(self, file: BinaryWriter, compress: Any):
        self._file, self._compress = file, compress

    def write(self, data: bytes, /) -> int:
        """Compress and write data."""
        if block := self._compress.compress(data):
            self._file.write(block)
        return len(data)

    def finish(self) -> None:
        """Finish the compressed data."""
        self._file.write(self._compress.flush())

    def close(self) -> None:
        """Do nothing: the caller closes the file."""


def gzip_of(file: BinaryWriter) -> Compressing:
    """Compress a file with gzip."""
    return Compressing(file, zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP))


def zstandard_of(file: BinaryWriter) -> Compressing:
    """Compress a file with Zstandard; needs the extra ``zstd``."""
    import zstandard

    return Compressing(file, zstandard.ZstdCompressor(level=_ZSTANDARD_LEVEL).compressobj())
