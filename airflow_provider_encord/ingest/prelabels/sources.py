"""Where pre-labels come from: files of JSON Lines, read line by line.

A line is a label row as an export has it, or the short form, which `build` describes. Either says which data unit it is
about.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from airflow_provider_encord.client.errors import InvalidRequestError
from airflow_provider_encord.storage_paths import StoragePath, storage_errors

SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst")
_OF_EXPORTS = ("listing.jsonl.gz", "left.jsonl.gz")  # lists of rows beside the shards of an export; no labels
_BLOCK = 2**20


class Prelabel(msgspec.Struct, frozen=True, kw_only=True):
    """One line.

    :param place: File and line, for messages.
    :param content: The JSON object.
    :param problem: Why the line cannot be read, if it cannot.
    """

    place: str
    content: dict[str, Any]
    problem: str | None = None

    @property
    def is_label_row(self) -> bool:
        """Whether it is a label row as Encord has it, and not the short form."""
        return "data_units" in self.content


def prelabels_of(source: StoragePath) -> Iterator[Prelabel]:
    """The lines of a file, or of the files of a directory in the order of their names.

    :raises InvalidRequestError: There is no file, or it is damaged.
    """
    for path in _files(source):
        with storage_errors("source", path):
            yield from _prelabels(path)


def _files(source: StoragePath) -> list[StoragePath]:
    with storage_errors("source", source):
        if not source.is_dir():
            return [source]
        found = sorted((one for one in source.iterdir() if one.name.endswith(SUFFIXES)), key=lambda one: one.name)
    if not found:
        raise InvalidRequestError(f"source: there is no file of {', '.join(SUFFIXES)} in {source}.")
    return [one for one in found if one.name not in _OF_EXPORTS]


def _prelabels(path: StoragePath) -> Iterator[Prelabel]:
    for number, line in enumerate(_lines(_plain(path)), start=1):
        if not line.strip():
            continue
        place = f"{path.name}, line {number}"
        try:
            yield Prelabel(place=place, content=msgspec.json.decode(line, type=dict[str, Any]))
        except msgspec.DecodeError as error:
            yield Prelabel(place=place, content={}, problem=f"it is not a JSON object: {error}.")


def _plain(path: StoragePath) -> Iterator[bytes]:
    """Blocks of the file, unpacked; also of one that was put together of several compressed ones."""
    file: Any = path.open("rb")
    try:
        if path.name.endswith(".gz"):
            file = gzip.GzipFile(fileobj=file)
        elif path.name.endswith(".zst"):
            file = _zstandard().stream_reader(file, read_across_frames=True)
        while block := file.read(_BLOCK):
            yield block
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidRequestError(f"source: {path} is damaged, or not compressed as its name says: {error}.") from None
    finally:
        file.close()


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError:
        raise InvalidRequestError(
            "source: a .zst file needs zstandard: `pip install 'airflow-provider-encord[zstd]'`."
        ) from None
    return zstandard.ZstdDecompressor()


def _lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        *whole, rest = (rest + block).split(b"\n")
        yield from whole
    if rest:
        yield rest
