"""Label rows as Encord sent them, one a line; and compression.

Rows are not parsed: a newline cannot occur inside a JSON string, so those between the tokens are turned into blanks,
and every other byte stays. (U+2028 may occur inside a string. It ends a line for `str.splitlines`, but not in JSON
Lines.)
"""

from __future__ import annotations

import zlib
from typing import Any

from airflow_provider_encord.client.api.labels import LabelRow
from airflow_provider_encord.storage_paths import BinaryWriter

_GZIP = 31  # zlib's window bits for the format; it writes no time, so the same rows give the same bytes
_GZIP_LEVEL = 4  # a fifth larger than the highest, and four times as fast
_ZSTANDARD_LEVEL = 3


def one_line(row: bytes) -> bytes:
    """A JSON value as a line, with its newline."""
    return row.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"


class JsonLinesEncoder:
    """See `formats.Encoder`."""

    def __init__(self, file: BinaryWriter):
        self._file = file

    def write(self, row: LabelRow) -> None:
        """Add a label row."""
        self._file.write(one_line(bytes(row.content)))

    def finish(self) -> dict[str, int]:
        """There is nothing that JSON cannot say."""
        return {}


class Compressing:
    """A file whose content is compressed.

    :param compress: An object of `zlib` or `zstandard`, with ``compress`` and ``flush``.
    """

    def __init__(self, file: BinaryWriter, compress: Any):
        self._file, self._compress = file, compress

    def write(self, data: bytes, /) -> int:
        """Write to it."""
        if block := self._compress.compress(data):
            self._file.write(block)
        return len(data)

    def finish(self) -> None:
        """End what is compressed."""
        self._file.write(self._compress.flush())

    def close(self) -> None:
        """Leave the file to who opened it."""


def gzip_of(file: BinaryWriter) -> Compressing:
    """Compressed with gzip."""
    return Compressing(file, zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP))


def zstandard_of(file: BinaryWriter) -> Compressing:
    """Compressed with Zstandard; needs the extra ``zstd``."""
    import zstandard

    return Compressing(file, zstandard.ZstdCompressor(level=_ZSTANDARD_LEVEL).compressobj())
