"""Files that list label rows: gzip-compressed JSON Lines with one JSON array per row.

Each line of ``listing-<plan>.jsonl.gz`` is ``[data hash, branch, label hash, last edited at, whether it is in this
export]``; in exports of the table of annotations, with the title of the workflow stage as a sixth value. The lines have
the order of the shards, so that the next export can find changed and removed rows. A line of
``removed-<plan>.jsonl.gz`` has the same first four values, and the reason: ``"filtered_out"`` (the row exists but does
not match the filters any more) or ``"deleted"`` (the data unit was archived, deleted, or removed from the project).
"""

from __future__ import annotations

import hashlib
import sys
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.exports.directory import ExportDirectory
from airflow_provider_encord.exports.file_names import file_name
from airflow_provider_encord.exports.listing import ListedRow
from airflow_provider_encord.exports.manifest import FileRecord, ManifestError
from airflow_provider_encord.packed_lines import DamagedFileError, lines_of
from airflow_provider_encord.storage_paths import StoragePath

LISTING = "listing"
REMOVED = "removed"
FILTERED_OUT = "filtered_out"
DELETED = "deleted"

_GZIP = 31  # zlib's window bits for gzip. It writes no time, so the same rows always give the same bytes.
_BLOCK = 2**18


class ListingLine(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A line of one of these files.

    :param about: In a listing, whether the row is in this export. In the other file, why the row is not listed any
        more.
    :param stage: Title of the workflow stage, in listings that have stages.
    """

    data_hash: str
    branch: str
    label_hash: str
    last_edited_at: str | None
    about: bool | str
    stage: str | None = None


_DECODER = msgspec.json.Decoder(ListingLine)


def write_rows(
    directory: ExportDirectory[Any], plan: str, stem: str, rows: Iterable[tuple[ListedRow, bool | str]]
) -> FileRecord:
    """Write a file of rows. Readers see the complete file or no file.

    :param plan: Id of the plan that the file belongs to.
    :param stem: `LISTING` or `REMOVED`.
    :param rows: The rows, each with its last value; see `ListingLine.about`.
    """
    file, name = _Compressing(rows), file_name(stem, plan, suffix="jsonl.gz")
    directory.write(plan, name, file.blocks())
    return FileRecord(name=name, rows=file.rows, bytes=file.bytes, sha256=file.digest.hexdigest())


def read_rows(directory: StoragePath, record: FileRecord) -> Iterator[tuple[ListedRow, bool | str]]:
    """Read a file of rows, row by row.

    :raises ManifestError: The file does not exist, or does not match the manifest.
    """
    path, rows = directory / record.name, 0
    try:
        for line in lines_of(path, "destination"):
            entry = _DECODER.decode(line)
            rows += 1
            stage = None if entry.stage is None else sys.intern(entry.stage)
            yield ListedRow(entry.data_hash, entry.branch, entry.label_hash, entry.last_edited_at, stage), entry.about
    except (InvalidArgumentError, DamagedFileError) as error:
        raise ManifestError(f"A file that the manifest lists cannot be read: {error.message}") from None
    except NOT_JSON as error:
        raise ManifestError(f"{path} is damaged: {error}.") from None
    if rows != record.rows:
        raise ManifestError(f"{path} has {rows} lines, but its manifest says {record.rows}.")


class _Compressing:
    """Compresses rows, and counts and hashes the compressed bytes."""

    def __init__(self, rows: Iterable[tuple[ListedRow, bool | str]]):
        self._rows = rows
        self.rows = self.bytes = 0
        self.digest = hashlib.sha256()

    def blocks(self) -> Iterator[bytes]:
        compress, waiting = zlib.compressobj(6, zlib.DEFLATED, _GZIP), bytearray()
        for row, about in self._rows:
            values = (row.data_hash, row.branch, row.label_hash, row.last_edited_at, about)
            has_stage = row.stage is not None and isinstance(about, bool)
            waiting += msgspec.json.encode((*values, row.stage) if has_stage else values)
            waiting += b"\n"
            self.rows += 1
            if len(waiting) >= _BLOCK:
                yield self._counted(compress.compress(waiting))
                waiting.clear()
        yield self._counted(compress.compress(waiting) + compress.flush())

    def _counted(self, block: bytes) -> bytes:
        self.bytes += len(block)
        self.digest.update(block)
        return block
