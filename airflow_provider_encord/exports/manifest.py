"""``manifest.json``: the contents of an export. It is written last, so an export with a manifest is complete.

Readers check `schema_version` first. The part before the dot grows when old readers would misread the file. The part
after the dot grows when there are only new fields, which old readers skip.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from airflow_provider_encord.client.errors import EncordError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.defaults import JSON_LINES, SHARD_BYTES
from airflow_provider_encord.exports.file_names import MANIFEST as MANIFEST
from airflow_provider_encord.exports.listing import Filters, ListedRow, RowSelection
from airflow_provider_encord.fresh_listings import forget_listing
from airflow_provider_encord.history.records import LabelsSeen
from airflow_provider_encord.storage_paths import StoragePath

SCHEMA_VERSION = "1.0"
LABELS: Literal["labels"] = "labels"


class ManifestError(EncordError):
    """The export is not complete, one of its files is missing or damaged, or this version cannot read its manifest."""


class NewerManifestError(ManifestError):
    """The manifest has a newer schema than this version can read."""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of label rows.

    ``listed == with_labels + without_labels`` and ``with_labels == exported + not_found + failed + unchanged``.

    :param listed: Rows that match the filters.
    :param with_labels: Listed rows that have labels.
    :param without_labels: Listed rows that have no labels yet; they are not in the files.
    :param exported: Rows in the shards.
    :param not_found: Rows that were listed but deleted before they were read; listed in `Manifest.not_found`.
    :param failed: Rows that cannot be read, or that Encord leaves out of its responses; listed in `Manifest.failed`.
    :param unchanged: Rows that were not read again, because they have not changed since the previous export; 0 unless
        the export is incremental.
    :param removed: Rows of the previous export that are not listed any more; listed in the file `Manifest.removed`.
    """

    listed: int
    with_labels: int
    without_labels: int
    exported: int
    not_found: int
    failed: int
    unchanged: int
    removed: int

    def problems(self) -> Iterator[str]:
        """Describe where the numbers do not add up. Each listed row must have exactly one outcome."""
        if self.listed != self.with_labels + self.without_labels:
            yield f"{self.listed} rows were listed, {self.with_labels} with labels and {self.without_labels} without"
        outcomes = (self.exported, self.not_found, self.failed, self.unchanged)
        if self.with_labels != sum(outcomes):
            yield (
                f"{self.with_labels} rows have labels, but {self.exported} were exported, {self.not_found} were not "
                f"found, {self.failed} failed, {self.unchanged} are unchanged"
            )


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """One file of label rows. In JSON Lines, each line is a row as Encord sent it and ends with a newline.

    :param name: File name, in the directory of the manifest.
    :param rows: Number of label rows in the file.
    :param bytes: Size of the file.
    :param sha256: SHA-256 of the file, as 64 hexadecimal digits.
    :param unsupported: Number of items in these rows that the format does not support, by reason.
    """

    name: str
    rows: int
    bytes: int
    sha256: str
    unsupported: dict[str, int]


class FileRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A file in the directory of the manifest that is not a shard; see `listing_file`.

    :param name: File name.
    :param rows: Number of lines.
    :param bytes: Size of the file.
    :param sha256: SHA-256 of the file, as 64 hexadecimal digits.
    """

    name: str
    rows: int
    bytes: int
    sha256: str


class FailedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A label row whose content cannot be read.

    :param error: Why it cannot be read, and what to do.
    """

    data_hash: str
    branch: str
    label_hash: str
    error: str


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How rows are written to files.

    :param format: One of `formats.FORMATS`; also the suffix of the shards.
    :param max_shard_bytes: Maximum bytes of label JSON in a shard, before it is compressed or converted.
    """

    format: str = JSON_LINES
    max_shard_bytes: int = SHARD_BYTES


class PreviousExport(msgspec.Struct, frozen=True, kw_only=True):
    """The export that an incremental export continues.

    :param manifest: URI of its manifest.
    :param plan_id: Id of its plan.
    :param logical_date: Logical date of its run.
    :param watermark: Its watermark.
    :param edited_after: Rows that were edited after this time were read in any case. It is the time of that export's
        listing minus `lookback_seconds`.
    """

    manifest: str
    plan_id: str
    logical_date: str | None
    watermark: str | None
    edited_after: str


class ChainRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The incremental chain that an export belongs to.

    :param name: Distinguishes the chain from others in the same directory. All exports of a chain also have the same
        selection and layout.
    :param restarted: Why this export contains all rows although the chain has earlier exports; null if it continues
        one, or is the first.
    """

    name: str
    restarted: str | None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The manifest of a complete export.

    :param schema_version: Version of the schema of this file, ``"major.minor"``.
    :param kind: ``"labels"``.
    :param created_at: When the export was complete, ISO 8601, UTC.
    :param provider_version: Version of airflow-provider-encord that wrote it.
    :param host: Host of the API.
    :param project_id: Id of the project that the labels come from.
    :param branch: The label branch; null for all branches.
    :param filters: The filters of the export; null does not filter.
    :param counts: Numbers of rows by outcome.
    :param bytes: Total size of all shards.
    :param shards: The shards in order. Rows are ordered by data hash across all shards.
    :param not_found: Rows that were listed but deleted before they were read.
    :param failed: Rows whose content cannot be read.
    :param watermark: The latest `last_edited_at` of all listed rows, in Encord's format; null without any. It is from
        before the first row was read, so all later edits have a later time.
    :param layout: How rows were written to files.
    :param plan_id: Id of the plan of the export.
    :param parts: Number of parts of the plan. Several tasks may have exported them; with more than one part, names of
        shards begin with the number of the part.
    :param logical_date: Logical date of the export, ISO 8601, UTC; null outside of Airflow.
    :param listed_at: When the rows were listed.
    :param clock: The clock of `listed_at`: ``"encord"``, or ``"worker"`` if Encord's responses had no date.
    :param listing: The file that lists all rows with labels.
    :param previous: The export that this one continues; null if this one contains all rows.
    :param history: The chain that the export belongs to; null if it is not incremental.
    :param removed: The file that lists the rows removed since the previous export; null without a previous export.
    :param replaces: Ids of plans that owned the directory before.
    :param fingerprint: Hash of everything that decides which rows are in which files. If it differs, the export is made
        again.
    """

    schema_version: str
    kind: Literal["labels"]
    created_at: str
    provider_version: str
    host: str
    project_id: str
    branch: str | None
    filters: Filters
    counts: Counts
    bytes: int
    shards: Sequence[Shard]
    not_found: Sequence[ListedRow]
    failed: Sequence[FailedRow]
    watermark: str | None
    layout: Layout
    plan_id: str
    parts: int
    logical_date: str | None
    listed_at: str
    clock: str
    listing: FileRecord
    previous: PreviousExport | None
    history: ChainRecord | None
    removed: FileRecord | None
    replaces: Sequence[str]
    fingerprint: str

    @property
    def file_names(self) -> list[str]:
        """The names of the other files of the export."""
        return [record.name for record in self.records]

    @property
    def records(self) -> list[Shard | FileRecord]:
        """The other files of the export."""
        return [*self.shards, self.listing, *([self.removed] if self.removed else [])]

    def problems(self) -> Iterator[str]:
        """Describe where the numbers in the manifest do not add up."""
        yield from self.counts.problems()
        for name, count, files in (
            ("rows", self.counts.exported, sum(shard.rows for shard in self.shards)),
            ("bytes", self.bytes, sum(shard.bytes for shard in self.shards)),
            ("missing rows", self.counts.not_found, len(self.not_found)),
            ("failed rows", self.counts.failed, len(self.failed)),
            ("removed rows", self.counts.removed, self.removed.rows if self.removed else 0),
            ("listed rows", self.counts.with_labels, self.listing.rows),
        ):
            if count != files:
                yield f"its files have {files} {name}, but it says {count}"

    @property
    def selection(self) -> RowSelection:
        """Which rows the export contains."""
        return RowSelection(project_id=self.project_id, branch=self.branch, filters=self.filters)

    def labels_seen(self) -> LabelsSeen | None:
        """How many rows of the project have labels; None if the export was only about some of its rows."""
        if self.selection.restrictions:
            return None
        return LabelsSeen(rows=self.counts.listed, labelled=self.counts.with_labels)


class _Version(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: str


_MANIFEST = msgspec.json.Decoder(Manifest)
_VERSION = msgspec.json.Decoder(_Version)


def encode_manifest(manifest: msgspec.Struct) -> list[bytes]:
    """The content of the file."""
    return [msgspec.json.format(msgspec.json.encode(manifest), indent=2), b"\n"]


def read_manifest(directory: StoragePath) -> Manifest:
    """Read the manifest of the export in a directory.

    :raises ManifestError: The manifest is missing, has a newer schema, or is not a manifest of label rows.
    """
    path = directory / MANIFEST
    forget_listing(directory)
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise ManifestError(f"There is no complete export in {directory}: it has no {MANIFEST}.") from None
    return decode_manifest(content, str(path))


def decode_manifest(content: bytes, title: str) -> Manifest:
    """Read a manifest from its bytes.

    :param title: Name of the manifest, for messages.
    :raises ManifestError: It has a newer schema, or is not a manifest of label rows.
    """
    try:
        require_readable(content, title)
        return _MANIFEST.decode(content)
    except NOT_JSON as error:
        raise ManifestError(f"{title} is not the manifest of an export of label rows: {error}.") from None


def require_readable(content: bytes, title: str) -> None:
    """Check that this version can read the schema of a manifest.

    :param content: Content of the file.
    :raises ManifestError: It cannot; `NewerManifestError` if the schema is newer.
    """
    version = _VERSION.decode(content).schema_version
    major, _, minor = version.partition(".")
    if not (major.isdecimal() and minor.isdecimal()):
        raise ManifestError(f"{title} has the schema_version {version!r}, which is not a valid version.")
    if int(major) > int(SCHEMA_VERSION.partition(".")[0]):
        raise NewerManifestError(
            f"{title} has the schema_version {version}, but this version of airflow-provider-encord reads only up to "
            f"{SCHEMA_VERSION}. Upgrade airflow-provider-encord to read it."
        )
