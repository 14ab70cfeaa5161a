"""Verifying an export: comparing its manifest with its files and with the current state at Encord."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from airflow_provider_encord.client.api.labels import LabelRowIds
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.defaults import EXPORT_CHECKS, JSON_LINES_FORMATS
from airflow_provider_encord.exports.file_names import short
from airflow_provider_encord.exports.listing import ListedRow, list_rows
from airflow_provider_encord.exports.listing_file import read_rows
from airflow_provider_encord.exports.manifest import (
    MANIFEST,
    FailedRow,
    FileRecord,
    Manifest,
    Shard,
    read_manifest,
)
from airflow_provider_encord.exports.reading import Reader, ReadOptions
from airflow_provider_encord.exports.shards import SHARD_NAME
from airflow_provider_encord.fresh_listings import forget_listing
from airflow_provider_encord.packed_lines import DamagedFileError, lines_of
from airflow_provider_encord.reports import FAILED, SCHEMA_VERSION, LineReader, ReportLine, encode_lines
from airflow_provider_encord.storage_paths import (
    StoragePath,
    blocks_of,
    is_local,
    plain,
    require_replaceable,
    storage_errors,
    write_whole,
)

OPERATION = "verify_export"
FILES, LISTING, CONTENT = EXPORT_CHECKS
_IDS = msgspec.json.Decoder(LabelRowIds)
_ANY = msgspec.json.Decoder()


class Mismatch(ReportLine, frozen=True, kw_only=True):
    """One difference from the manifest; a line of the report.

    ``source`` is the file or the label row, ``id`` is the label hash, and ``error`` describes the difference.
    """

    def __str__(self) -> str:
        return f"{self.source}: {self.error}"


def _mismatch(source: str, error: str, *, id_: str | None = None) -> Mismatch:
    return Mismatch(
        schema_version=SCHEMA_VERSION, operation=OPERATION, source=source, id=id_, outcome=FAILED, error=error
    )


_MISMATCH = LineReader(Mismatch, OPERATION)


def read_export(path: StoragePath, report: StoragePath | None) -> tuple[StoragePath, Manifest]:
    """Read the manifest of an export.

    :param path: The manifest, or its directory.
    :param report: The report of the verification; it is checked before anything is read.
    :return: The directory of the export, and the manifest.
    :raises InvalidArgumentError: The report cannot be written, or the manifest cannot be read.
    """
    directory = path.parent if path.name == MANIFEST else path
    if report is not None:
        require_report_place(report, directory)
    with storage_errors("manifest", directory):
        return directory, read_manifest(directory)


def verify_export(
    client: Callable[[], EncordClient],
    directory: StoragePath,
    manifest: Manifest,
    check: str,
    *,
    report: StoragePath | None,
) -> list[Mismatch]:
    """Verify an export, and write the report.

    :param client: Returns the client. It is not called to check only the files.
    :param check: `FILES`; or the files and the `LISTING`, or the files and the `CONTENT` of the rows at Encord.
    """
    mismatches = [*verify_files(directory, manifest)]
    if check == LISTING:
        mismatches += verify_listing(client(), directory, manifest)
    elif check == CONTENT:
        mismatches += verify_content(client(), directory, manifest, ReadOptions())
    if report is not None:
        with storage_errors("report", report):
            write_whole(report, encode_lines(mismatches))
    return mismatches


def require_report_place(path: StoragePath, directory: StoragePath) -> None:
    """Check that the report of a verification can be written, and replaces at most an earlier report.

    :param directory: Directory of the export.
    :raises InvalidArgumentError: Another file has this path, or the path is in the directory of the export.
    """
    if _resolved(path.parent) == _resolved(directory):
        raise InvalidArgumentError(
            f"report: {path} is in the directory of the export, which may contain only files of the export. Use a "
            "path in another directory."
        )
    require_replaceable(path, "report", _MISMATCH.decode, "a report of a verification")


def _resolved(directory: StoragePath) -> str:
    return str(plain(directory).resolve() if is_local(directory) else directory).rstrip("/")


def verify_files(directory: StoragePath, manifest: Manifest) -> Iterator[Mismatch]:
    """Compare a manifest with its files. JSON Lines are also compared row by row with the listing.

    Files are read in blocks, so memory does not grow with their size.
    """
    broken = False
    for record in manifest.records:
        if problem := _problem_of(directory, record):
            broken = True
            yield _mismatch(record.name, problem)
    yield from _unnamed(directory, manifest)
    yield from _miscounted(manifest)
    if not broken and manifest.layout.format in JSON_LINES_FORMATS:
        try:
            yield from _misplaced(directory, manifest)
        except DamagedFileError as error:
            yield _mismatch(str(directory), error.message)


def verify_listing(client: EncordClient, directory: StoragePath, manifest: Manifest) -> Iterator[Mismatch]:
    """Compare the listing of an export with the rows that Encord lists now for the same selection."""
    then = {row.label_hash: row for row, _ in read_rows(directory, manifest.listing)}
    for row in list_rows(client, manifest.selection).rows:
        before = then.pop(row.label_hash, None)
        if before is None:
            yield _of_row(row, "it is listed now, but was not when the export was made")
        elif before.last_edited_at != row.last_edited_at:
            yield _of_row(row, f"it was edited since, on {row.last_edited_at}")
    for row in then.values():
        yield _of_row(row, "Encord does not list it any more")


def verify_content(
    client: EncordClient, directory: StoragePath, manifest: Manifest, reading: ReadOptions
) -> Iterator[Mismatch]:
    """Read all exported rows again, and compare them with the files. Requires JSON Lines.

    :raises InvalidArgumentError: The export has another format.
    """
    if manifest.layout.format not in JSON_LINES_FORMATS:
        raise InvalidArgumentError(
            f"check: the content of {manifest.layout.format} files cannot be compared with Encord. Use an export in "
            "JSON Lines, or another check."
        )
    wanted = list(_exported(directory, manifest))
    held = _lines(directory, manifest.shards)
    reading = msgspec.structs.replace(reading, skip_unreadable=True)
    try:
        for row, now in Reader(client, manifest.project_id, reading).rows(wanted):
            line = next(held, None)
            if now is None:
                yield _of_row(row, "Encord does not return it any more")
            elif isinstance(now, FailedRow):
                yield _of_row(row, f"it cannot be read: {now.error}")
            elif line is None or not _same(line, bytes(now.content)):
                yield _of_row(row, "its labels differ from the export")
    except DamagedFileError as error:
        yield _mismatch(str(directory), error.message)


def _same(line: bytes, content: bytes) -> bool:
    """Whether two label rows are equal as JSON values. Rows that cannot be decoded are compared byte by byte."""
    if line == content:
        return True
    one, other = _decoded(line, _ANY), _decoded(content, _ANY)
    return one is not None and other is not None and bool(one.value == other.value)


class _Decoded(msgspec.Struct, frozen=True):
    value: Any


def _decoded(line: bytes, decoder: msgspec.json.Decoder[Any]) -> _Decoded | None:
    """The decoded line; None if it cannot be decoded."""
    try:
        return _Decoded(decoder.decode(line))
    except NOT_JSON:
        return None


def _exported(directory: StoragePath, manifest: Manifest) -> Iterator[ListedRow]:
    """The rows in the files, in order."""
    without = {row.label_hash for row in manifest.not_found} | {row.label_hash for row in manifest.failed}
    for row, read in read_rows(directory, manifest.listing):
        if read and row.label_hash not in without:
            yield row


def _problem_of(directory: StoragePath, record: Shard | FileRecord) -> str | None:
    digest, size = hashlib.sha256(), 0
    path = directory / record.name
    try:
        with storage_errors("manifest", path):
            for block in blocks_of(path):
                digest.update(block)
                size += len(block)
    except InvalidArgumentError:
        return "it is missing, or cannot be read"
    if size != record.bytes:
        return f"it has {size} bytes, but the manifest says {record.bytes}"
    if digest.hexdigest() != record.sha256:
        return "its content has changed: the checksum differs"
    return None


def _unnamed(directory: StoragePath, manifest: Manifest) -> Iterator[Mismatch]:
    """Shards that the manifest does not list, except those of a second finished attempt at a part of the same plan."""
    named = {shard.name for shard in manifest.shards}
    plan = short(manifest.plan_id)
    with storage_errors("manifest", directory):
        forget_listing(directory)
        names = sorted(path.name for path in directory.iterdir())
    for name in names:
        matched = SHARD_NAME.fullmatch(name)
        if matched and name not in named and matched["plan"] != plan:
            yield _mismatch(name, "the manifest does not list it")


def _miscounted(manifest: Manifest) -> Iterator[Mismatch]:
    for problem in manifest.problems():
        yield _mismatch(MANIFEST, problem)


def _misplaced(directory: StoragePath, manifest: Manifest) -> Iterator[Mismatch]:
    """Rows that are not at the expected place in the files."""
    expected = _exported(directory, manifest)
    for shard in manifest.shards:
        rows = 0
        for line in _lines(directory, [shard]):
            rows += 1
            if problem := _problem_of_line(line, next(expected, None)):
                yield _mismatch(f"{shard.name}, line {rows}", problem)
                return
        if rows != shard.rows:
            yield _mismatch(shard.name, f"it has {rows} rows, but the manifest says {shard.rows}")
    if row := next(expected, None):
        yield _of_row(row, "it is in the listing, but in no file")


def _problem_of_line(line: bytes, row: ListedRow | None) -> str | None:
    found = _decoded(line, _IDS)
    if found is None:
        return "it is not a label row"
    if row is None or row.label_hash != found.value.label_hash:
        return f"label row {found.value.label_hash} is not at its place in the order"
    return None


def _lines(directory: StoragePath, shards: Iterable[Shard]) -> Iterator[bytes]:
    for shard in shards:
        yield from lines_of(directory / shard.name, "manifest")


def _of_row(row: ListedRow, problem: str) -> Mismatch:
    return _mismatch(f"label row {row.label_hash} (data {row.data_hash})", problem, id_=row.label_hash)
