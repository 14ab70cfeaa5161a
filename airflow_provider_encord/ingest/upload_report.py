"""A report: a line of JSON for each file, saying the outcome of it.

Every line carries ``schema_version`` and says all about its file, so that reports may be cut into parts and joined
again, and any reader of JSON Lines takes them. If a file is named twice, the later line holds.

=====================  ================================================================================
field                  meaning
=====================  ================================================================================
``schema_version``     1; fields may be added without changing it
``source``             URI of the file, unescaped
``title``, ``size``    name in Encord; bytes
``sha256``             of the bytes that were sent; null if they were never sent by a task with this report; of a
                       group, that of the checksums of its files, one a line
``parts``              URIs of the files of a group, in order; else empty
``kind``               ``image``, ``video``, ``imageGroup``, ``dicomSeries``, ...
``outcome``            ``uploaded`` now, ``present`` before, ``failed``
``matched_by``         what a file that is ``present`` was recognised by: ``report`` (an earlier line about this
                       source, unchanged since), ``checksum``, ``title_and_size`` or ``title``; else null
``version``            the version of the file as its store states it, such as a time or an entity tag
``dataset``            id of the dataset; null if the files went into a folder
``folder``             id of the storage folder, in that case
``data_hash``          id of the data unit; null if it failed, and in folders
``backing_item_uuid``  id of the storage item behind it; null if it failed
``error``              why it failed; else null
=====================  ================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.ingest.outcome import PRESENT, Outcome
from airflow_provider_encord.storage_paths import require_regular, storage_errors, write_whole

SCHEMA_VERSION = 1


class ReportLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a report says of one file; the fields are explained above."""

    schema_version: int
    source: str
    title: str
    size: int
    sha256: str | None
    kind: str
    outcome: str
    dataset: str | None
    data_hash: str | None
    backing_item_uuid: str | None
    error: str | None
    folder: str | None = None
    parts: list[str] = []
    version: str | None = None
    matched_by: str | None = None

    @property
    def key(self) -> str | None:
        """What names it in Encord."""
        return self.data_hash or self.backing_item_uuid


_LINE = msgspec.json.Decoder(ReportLine)
_ENCODER = msgspec.json.Encoder()
_START = f'{{"schema_version":{SCHEMA_VERSION},"source":"'.encode()  # of every line that we write


def report_line(
    outcome: Outcome, dataset: str | None, checksums: Mapping[str, str], *, folder: str | None = None
) -> ReportLine:
    """The line about one file.

    :param checksums: What an earlier report knows: SHA-256 by data hash, in folders by item.
    """
    key = outcome.data_hash or outcome.backing_item_uuid or ""
    known = checksums.get(key) if outcome.result == PRESENT else None
    return ReportLine(
        schema_version=SCHEMA_VERSION,
        source=outcome.file.uri,
        title=outcome.file.title,
        size=outcome.file.size,
        sha256=outcome.sha256 or known,
        kind=outcome.file.item_type,
        outcome=outcome.result,
        dataset=dataset,
        data_hash=outcome.data_hash,
        backing_item_uuid=outcome.backing_item_uuid,
        error=outcome.error,
        folder=folder,
        parts=[part.uri for part in outcome.file.parts],
        version=outcome.file.version,
        matched_by=outcome.matched_by,
    )


def encode_lines(lines: Iterable[ReportLine]) -> Iterator[bytes]:
    """The lines as they stand in the file, each with its newline."""
    for line in lines:
        yield _ENCODER.encode(line) + b"\n"


def read_lines(file: Iterable[bytes]) -> Iterator[ReportLine]:
    """Read a report, or a part of one.

    :param file: Its lines, with their newlines.
    :raises InvalidArgumentError: It is not a report, it was cut off, or it is of a newer schema. We write reports
        whole, so a cut one lost lines that show what is there: without them, files would be uploaded twice.
    """
    for number, text in enumerate(file, 1):
        try:
            line = _LINE.decode(text)
        except NOT_JSON as error:
            if _is_cut_off(text):
                raise InvalidArgumentError(
                    f"report: it was cut off in line {number}, so it does not say any more what was uploaded. Restore "
                    "the file from a copy. Or delete it: then files are recognised by title and size only, and "
                    "match_by='checksum' uploads all of them again."
                ) from None
            raise InvalidArgumentError(f"report: line {number} is not a line of a report: {error}.") from None
        if line.schema_version > SCHEMA_VERSION:
            raise InvalidArgumentError(
                f"report: line {number} has schema_version {line.schema_version}, and this version of the provider "
                f"reads up to {SCHEMA_VERSION}. Update it, or name another report."
            )
        yield line


def earlier_lines(path: Any) -> list[ReportLine]:
    """The lines of an earlier report, if one exists.

    :param path: A path object.
    :raises InvalidArgumentError: There is a directory, or a file that is no report: it is not to be overwritten.
    """
    require_regular(path, "report")
    with storage_errors("report", path):
        if not path.exists():
            return []
        with path.open("rb") as file:
            return list(lines_of(file, path))


def lines_of(file: Any, path: Any) -> Iterator[ReportLine]:
    """The lines of an open file.

    :raises InvalidArgumentError: As `read_lines`; the message names the file.
    """
    try:
        yield from read_lines(iter(file.readline, b""))
    except InvalidArgumentError as error:
        raise InvalidArgumentError(f"{error.message} (in {path})") from None


def write_report(path: Any, lines: Iterable[ReportLine]) -> None:
    """Write a whole report, in place of one that is there.

    :param path: A path object. A missing directory is made on a disk; object stores have none.
    :raises EncordError: It cannot be written.
    """
    with storage_errors("report", path):
        write_whole(path, encode_lines(lines))


def _is_cut_off(line: bytes) -> bool:
    """Whether it is the beginning of a line of ours, without an end."""
    return not line.endswith(b"\n") and line[: len(_START)] == _START[: len(line)]
