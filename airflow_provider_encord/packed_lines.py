"""Lines of a file, plain or packed as its name says (``.gz``, ``.zst``), one after the other and never all at once."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import Any

from airflow_provider_encord.client.errors import EncordError, InvalidRequestError
from airflow_provider_encord.storage_paths import StoragePath, storage_errors

_BLOCK = 2**20


class DamagedFileError(EncordError):
    """It ends early, or is not packed as its name says."""


def lines_of(path: StoragePath, argument: str) -> Iterator[bytes]:
    """The lines, without their newlines; also of a file that was put together of several packed ones.

    :param argument: The argument that the path comes from, for messages.
    :raises DamagedFileError: It is damaged.
    :raises InvalidRequestError: It is not there, or needs a library that is not installed.
    :raises UnavailableError: The disk or the store cannot be used now.
    """
    rest = b""
    with storage_errors(argument, path):
        for block in _unpacked(path):
            *whole, rest = (rest + block).split(b"\n")
            yield from whole
        if rest:
            yield rest


def _unpacked(path: StoragePath) -> Iterator[bytes]:
    file: Any = path.open("rb")
    try:
        if path.name.endswith(".gz"):
            file = gzip.GzipFile(fileobj=file)
        elif path.name.endswith(".zst"):
            file = _zstandard(path).stream_reader(file, read_across_frames=True)
        while block := file.read(_BLOCK):
            yield block
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DamagedFileError(f"{path} is damaged, or not packed as its name says: {error}.") from None
    finally:
        file.close()


def _zstandard(path: StoragePath) -> Any:
    try:
        import zstandard
    except ImportError:
        raise InvalidRequestError(
            f"{path} needs zstandard, which is not installed: `pip install 'airflow-provider-encord[zstd]'`."
        ) from None
    return zstandard.ZstdDecompressor()
