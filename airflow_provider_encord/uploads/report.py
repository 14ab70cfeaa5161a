"""The report of an upload: a line for each file, with the fields of `airflow_provider_encord.reports` and these.

================  =====================================================================================
field             meaning
================  =====================================================================================
``operation``     ``upload_files``
``source``        URI of the file, unescaped; of a group, of its first file
``id``            data hash of the data unit, in folders the id of the storage item; null if it failed
``outcome``       ``created`` now, ``unchanged`` (it was there before), or ``failed``
``title``         name in Encord
``size``          bytes
``sha256``        of the bytes that were sent; null if no task with this report sent them; of a group, that of the
                  checksums of its files, one a line
``parts``         URIs of the files of a group, in order; else empty
``kind``          ``image``, ``video``, ``imageGroup``, ``dicomSeries``, ...
``matched_by``    how a file that is ``unchanged`` was recognised: ``report`` (an earlier line about this source,
                  unchanged since), ``checksum``, ``title_and_size`` or ``title``; else null
``version``       the version of the file as its store states it, such as a time or an entity tag
``dataset_id``    id of the dataset; null if the files went into a folder
``folder_id``     id of the storage folder, in that case
``item_id``       id of the storage item; null if it failed
================  =====================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.reports import SCHEMA_VERSION, UNCHANGED, LineReader, ReportLine
from airflow_provider_encord.storage_paths import require_regular, storage_errors
from airflow_provider_encord.uploads.outcome import FileOutcome

OPERATION = "upload_files"


class UploadLine(ReportLine, frozen=True, kw_only=True):
    """A line of a report about one file. The module's docstring explains the fields."""

    title: str
    size: int
    sha256: str | None
    kind: str
    dataset_id: str | None
    item_id: str | None
    folder_id: str | None = None
    parts: Sequence[str] = ()
    version: str | None = None
    matched_by: str | None = None


_LINE = LineReader(UploadLine, OPERATION)
_START = f'{{"schema_version":"{SCHEMA_VERSION}","operation":"{OPERATION}"'.encode()  # of every line that we write


def upload_line(
    outcome: FileOutcome, dataset: str | None, checksums: Mapping[str, str], *, folder: str | None = None
) -> UploadLine:
    """Make the line about one file.

    :param checksums: SHA-256 from earlier reports, by data hash; in folders, by item id.
    """
    id_ = outcome.data_hash or outcome.backing_item_uuid
    known = checksums.get(id_ or "") if outcome.result == UNCHANGED else None
    return UploadLine(
        schema_version=SCHEMA_VERSION,
        operation=OPERATION,
        source=outcome.file.uri,
        id=id_,
        outcome=outcome.result,
        error=outcome.error,
        title=outcome.file.title,
        size=outcome.file.size,
        sha256=outcome.sha256 or known,
        kind=outcome.file.item_type,
        dataset_id=dataset,
        item_id=outcome.backing_item_uuid,
        folder_id=folder,
        parts=[part.uri for part in outcome.file.parts],
        version=outcome.file.version,
        matched_by=outcome.matched_by,
    )


def read_lines(file: Iterable[bytes]) -> Iterator[UploadLine]:
    """Read a report, or a part of one.

    :param file: The lines, with their newlines.
    :raises InvalidArgumentError: It is not a report, it was cut off, or it has a newer schema. A report that was cut
        off has lost lines; without them, files would be uploaded twice.
    """
    for number, text in enumerate(file, 1):
        try:
            line = _LINE.decode(text)
        except NOT_JSON as error:
            if _is_cut_off(text):
                raise InvalidArgumentError(
                    f"report: it was cut off in line {number}, so the lines about some uploaded files are lost. "
                    "Restore the file from a copy, or delete it. If you delete it, files are recognised by title and "
                    "size only, and match_by='checksum' uploads all of them again."
                ) from None
            raise InvalidArgumentError(f"report: line {number} is not a line of a report: {error}.") from None
        yield line


def earlier_lines(path: Any) -> list[UploadLine]:
    """The lines of an earlier report, if one exists.

    :param path: A path object.
    :raises InvalidArgumentError: The path is a directory, or a file that is not a report and must not be overwritten.
    """
    require_regular(path, "report")
    with storage_errors("report", path):
        if not path.exists():
            return []
        with path.open("rb") as file:
            return list(lines_of(file, path))


def lines_of(file: Any, path: Any) -> Iterator[UploadLine]:
    """The lines of an open file.

    :raises InvalidArgumentError: See `read_lines`. The message names the file.
    """
    try:
        yield from read_lines(iter(file.readline, b""))
    except InvalidArgumentError as error:
        raise InvalidArgumentError(f"{error.message} (in {path})") from None


def _is_cut_off(line: bytes) -> bool:
    """Whether a line is an incomplete line of a report."""
    return not line.endswith(b"\n") and line[: len(_START)] == _START[: len(line)]
